//! What runs: the clock, the cell of the published snapshot, workers and connections.

pub mod boxed;
pub mod buffer;
pub mod cell;
pub mod clock;
pub mod edits;
pub mod forward;
pub mod http2;
pub mod settings;
pub mod spares;
pub mod stream;
pub mod sweep;
pub mod tls;
pub mod upstream;
pub mod wire;
pub mod worker;
