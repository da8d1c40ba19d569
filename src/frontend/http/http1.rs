//! One client connection over HTTP/1.1: request after request.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{self, Poll, Waker};
use std::time::Duration;

use crate::engine::semantics::{Cause, Protocol, RequestError};
use crate::frontend::http::http2;
use crate::frontend::http::read_head::{NoHead, read_head};
use crate::http1::RequestHead as Http1Head;
use crate::runtime::proxy::{
    Downstream, ExchangeContext, Http1Downstream, Persistence, RequestHead, exchange, reject,
};
use crate::runtime::{Deadline, Http1Connection, OpenConnection, Socket, Worker, boxed};

/// Serves a connection until it closes. If `https_port` is set, every request is redirected to
/// https on that port.
pub(super) async fn serve(
    worker: Rc<Worker>,
    socket: Socket,
    peer: SocketAddr,
    open: OpenConnection,
    https_port: Option<u16>,
) {
    let deadline = worker.deadlines.register();
    let mut connection = Http1Connection::new(socket);
    let context = ExchangeContext {
        worker: &worker,
        deadline: &deadline,
        peer: peer.ip(),
        is_tls: connection.socket().is_tls(),
        https_port,
    };
    let mut persistence = Persistence::KeepAlive;
    let mut is_first = true;
    while persistence == Persistence::KeepAlive {
        persistence = match read_head(&worker, &deadline, &mut connection, is_first).await {
            Ok((head, length)) => {
                // Boxed, so that an idle connection needs no space for it.
                let persistence =
                    boxed(|| run_exchange(&context, &mut connection, &head, length)).await;
                worker.give_request_head(head);
                persistence
            }
            Err(NoHead::Closed) => break,
            Err(NoHead::Timeout) => {
                reject_unreadable(&context, &mut connection, RequestError::Timeout.into()).await
            }
            Err(NoHead::Invalid(cause)) => {
                reject_unreadable(&context, &mut connection, cause).await
            }
            // A listener that redirects serves only HTTP/1.1.
            Err(NoHead::Http2) if https_port.is_some() => break,
            Err(NoHead::Http2) => {
                let (socket, input) = connection.into_parts();
                // Boxed, so that HTTP/1.1 connections need no space for it.
                return boxed(|| http2::serve(worker, socket, peer, open, input)).await;
            }
        };
        connection.release_buffers(&worker.buffers);
        is_first = false;
    }
    worker.counters.received_bytes.add(connection.read_bytes);
    worker.counters.sent_bytes.add(connection.written_bytes);
    match persistence {
        // Nothing unread can arrive, so closing does not reset the connection.
        Persistence::ClientCloses if connection.is_idle(&worker.buffers) => {
            close_notify(&mut connection);
        }
        Persistence::KeepAlive if !connection.is_eof() => close_notify(&mut connection),
        Persistence::KeepAlive => {}
        Persistence::ClientCloses | Persistence::Close => {
            linger(&worker, &deadline, connection).await;
        }
        Persistence::Reset => {
            let socket = socket2::SockRef::from(connection.socket().tcp());
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
    drop(open);
}

/// Serves the request whose head is the first `length` bytes of the input.
async fn run_exchange(
    context: &ExchangeContext<'_>,
    connection: &mut Http1Connection,
    head: &Http1Head,
    length: usize,
) -> Persistence {
    let worker = context.worker;
    let bytes = connection.take_head(length, &worker.buffers);
    let view = head.view(&bytes);
    let snapshot = worker.snapshot();
    let mut client = Http1Downstream::new(worker, connection, view);
    exchange(
        context,
        &snapshot,
        RequestHead::Http1(view),
        Downstream::Http1(&mut client),
    )
    .await;
    let persistence = client.persistence;
    worker.buffers.give_output(bytes);
    persistence
}

/// Reports an error in what could not be read as a request.
pub(super) async fn reject_unreadable(
    context: &ExchangeContext<'_>,
    connection: &mut Http1Connection,
    cause: Cause<'_>,
) -> Persistence {
    let mut client = Http1Downstream::of_unreadable(context.worker, connection);
    let downstream = Downstream::Http1(&mut client);
    reject(context, Protocol::Http11, &cause, (false, None), downstream).await;
    client.persistence
}

/// Sends the TLS alert `close_notify`, so that the client does not take the close for a truncation
/// (RFC 8446, section 6.1).
fn close_notify(connection: &mut Http1Connection) {
    if connection.socket().is_tls() {
        let _ = connection.poll_shutdown(&mut task::Context::from_waker(Waker::noop()));
    }
}

/// Closes a connection on which the client may still send. Closing it with unread data would reset
/// it, and the client might lose the response (RFC 9112, section 9.6).
pub(super) async fn linger(worker: &Worker, deadline: &Deadline, mut connection: Http1Connection) {
    const MAX_TIME: Duration = Duration::from_secs(1);
    const MAX_BYTES: usize = 1 << 20;
    deadline.set(deadline.after(Some(MAX_TIME)));
    let mut left = MAX_BYTES;
    let mut is_shut_down = false;
    poll_fn(|cx: &mut task::Context<'_>| {
        if !is_shut_down {
            is_shut_down = connection.poll_shutdown(cx).is_ready();
        }
        loop {
            connection.consume(connection.data().len());
            match connection.poll_fill(cx, &worker.buffers) {
                Poll::Ready(Ok(length)) if length > 0 && length < left => left -= length,
                Poll::Pending if !deadline.has_passed(cx) => return Poll::Pending,
                Poll::Ready(_) | Poll::Pending => return Poll::Ready(()),
            }
        }
    })
    .await;
    connection.consume(connection.data().len());
    connection.release_buffers(&worker.buffers);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a waiting exchange holds, beside its head and what lives on its own heap blocks.
    const MAX_EXCHANGE_BYTES: usize = 2_400;

    fn size_of_future<A, F: Future>(_: impl FnOnce(A) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_waiting_exchange_is_small() {
        type Arguments = (
            &'static ExchangeContext<'static>,
            &'static mut Http1Connection,
            &'static Http1Head,
        );
        let bytes = size_of_future(|(context, connection, head): Arguments| {
            run_exchange(context, connection, head, 0)
        });
        assert!(bytes <= MAX_EXCHANGE_BYTES, "{bytes} bytes");
    }
}
