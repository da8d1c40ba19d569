//! The parts that do I/O: workers, connections, bodies, connection pools, TLS and the proxy.

pub(crate) mod body;
mod boxed;
mod buffer;
pub mod cell;
pub mod clock;
mod connection;
mod deadline;
mod edits;
mod free_list;
pub(crate) mod http2;
pub(crate) mod proxy;
pub mod settings;
pub mod tls;
mod upstream;
mod worker;

pub(crate) use boxed::boxed;
pub(crate) use buffer::Buffer;
pub(crate) use connection::{Http1Connection, Socket};
pub(crate) use deadline::{Deadline, TICK};
pub use settings::Settings;
pub(crate) use worker::{OpenConnection, Scratch, Worker};
