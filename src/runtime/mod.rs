//! The parts that do I/O: workers, connections, bodies, connection pools, TLS and the proxy.

pub(crate) mod body;
pub(crate) mod boxed;
pub(crate) mod buffer;
pub mod cell;
pub mod clock;
pub(crate) mod connection;
pub(crate) mod deadline;
pub(crate) mod edits;
pub(crate) mod free_list;
pub mod gateway;
pub(crate) mod http2;
pub(crate) mod proxy;
pub mod settings;
pub mod tls;
pub(crate) mod upstream;
pub(crate) mod worker;
