//! The HTTP front end: `tollgate serve`.
//!
//! It translates, and decides nothing: what a client sends becomes a request that the engine
//! decides on, and what a backend answers becomes a response.

mod accept;
pub mod connection;
mod download;
mod exchange;
pub mod listener;
mod own;
mod read_head;
mod redirect;
pub mod server;
mod tunnel;
mod view;
