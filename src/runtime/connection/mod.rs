//! Connections to clients and backends, below any protocol and as HTTP/1.1 uses them.

mod http1;
mod socket;

pub(crate) use http1::Http1Connection;
pub(crate) use socket::Socket;
