//! Sources: what learns of a change and sends it to the reconciler as an [`Update`].
//!
//! A source is a file here and one line in `start_sources` of `frontend/cli/serve.rs`. It owns a
//! [`Handle`], and has no other way to the snapshot. The messages of `tollgate stdio` are a source
//! too; `frontend/stdio/session/updates.rs` translates them.
//!
//! [`Handle`]: crate::control::Handle
//! [`Update`]: crate::control::Update

mod config_file;
mod reload;
pub mod sighup;

pub use self::config_file::{ConfigFile, Unusable};
pub use self::reload::{LoadError, ReloadError, Reloaded, Reloader, load};
