//! Clients that speak HTTP/2 (RFC 9113): by prior knowledge, or as agreed by TLS.
//!
//! A connection is one task, and each of its streams another. Requests are decided, forwarded and
//! limited by the same code as those that come over HTTP/1.1.

mod connection;
mod own;
mod stream;

use std::net::SocketAddr;
use std::rc::Rc;

use crate::runtime::buffer::Buffer;
use crate::runtime::connection::Socket;
use crate::runtime::worker::{Open, Worker};

/// Serves a connection until it closes; `read` is what was read from it already.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    stream: Socket,
    peer: SocketAddr,
    open: Open,
    read: Option<Buffer>,
) {
    connection::Connection::new(worker, peer, stream.is_tls())
        .serve(stream, read)
        .await;
    drop(open);
}
