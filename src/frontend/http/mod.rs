//! The HTTP front end: `tollgate serve`.
//!
//! It translates, and decides nothing: what a client sends becomes a request that the engine
//! decides on, and what a backend answers becomes a response.

mod admission;
pub mod connection;
mod download;
mod exchange;
mod outcome;
mod own;
mod read_head;
pub mod server;
mod tunnel;
mod view;
