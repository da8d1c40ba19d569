//! The HTTP front end: `tollgate serve`.
//!
//! It translates, and decides nothing: what a client sends becomes a request that the engine
//! decides on, and what a backend answers becomes a response.

pub mod connection;
mod exchange;
pub mod http2;
mod own;
mod read_head;
pub mod server;
mod stream_head;
mod tunnel;
mod view;
