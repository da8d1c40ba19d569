//! The HTTP front end: `tollgate serve`.
//!
//! It translates, and decides nothing: what a client sends becomes a request that the engine
//! decides on, and what a backend answers becomes a response.

mod accept;
pub(in crate::frontend) mod admission;
pub mod connection;
pub mod demo;
mod exchange;
pub(in crate::frontend) mod going;
pub mod http2;
pub mod listener;
mod outcome;
pub(in crate::frontend) mod own;
mod read_head;
pub mod server;
pub(in crate::frontend) mod small;
mod stream_head;
mod tunnel;
mod view;
