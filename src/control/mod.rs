//! Control: everything that changes the published snapshot.
//!
//! ```text
//! source --Update--> reconciler --Snapshot--> cell <--load-- worker
//! ```
//!
//! Sources learn of changes and send [`Update`]s. One [`Reconciler`] applies them and publishes
//! snapshots; it owns the only writer of the cell. `tollgate serve` runs it as a task behind a
//! [`Handle`]; in `tollgate stdio` the thread that reads the messages owns it.

mod reconciler;
pub mod source;
mod task;
mod update;

pub use self::reconciler::Reconciler;
pub use self::task::Handle;
pub use self::update::{Update, UpdateError};
