//! The HTTP front end: `tollgate serve`.
//!
//! It translates and decides nothing: it accepts connections, reads heads, and hands each request to
//! `runtime::proxy::exchange`.

mod accept;
pub mod demo;
mod http1;
mod http2;
pub mod listener;
mod read_head;
pub(crate) mod responder;
pub mod server;
