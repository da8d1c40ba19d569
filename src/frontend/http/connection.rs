//! One connection of a client that speaks HTTP/1.1: request after request.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{self, Poll, Waker};
use std::time::Duration;

use crate::frontend::http::exchange::{Context, run};
use crate::frontend::http::http2;
use crate::frontend::http::own::{send_fault, send_too_slow};
use crate::frontend::http::read_head::{NoHead, read_head};
use crate::runtime::boxed::boxed;
use crate::runtime::connection::Http1Connection;
use crate::runtime::connection::Socket;
use crate::runtime::deadline::Deadline;
use crate::runtime::worker::{Open, Worker};

/// Whether another request may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The connection waits for it.
    Request,
    /// All was said, and the client has announced that it sends no more.
    Last,
    /// All was said; what the client still sends is not read.
    Close,
    /// The same, but the client shall see that something is missing.
    Abort,
}

/// Serves a connection until it closes; if a port is given, by redirects to https there.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    stream: Socket,
    peer: SocketAddr,
    open: Open,
    redirect_to: Option<u16>,
) {
    let deadline = worker.deadlines.register();
    let mut connection = Http1Connection::new(stream);
    let context = Context {
        worker: &worker,
        deadline: &deadline,
        peer,
        is_tls: connection.socket().is_tls(),
        redirect_to,
    };
    let mut next = Next::Request;
    let mut is_first = true;
    while next == Next::Request {
        next = match read_head(&worker, &deadline, &mut connection, is_first).await {
            Ok((head, length)) => {
                // Boxed, so that a connection that waits for its next request needs no room for it.
                let next = boxed(|| run(&context, &mut connection, &head, length)).await;
                worker.give_request_head(head);
                next
            }
            Err(NoHead::Over) => break,
            Err(NoHead::TooSlow) => send_too_slow(&worker, &deadline, &mut connection).await,
            Err(NoHead::Diagnostic(fault)) => {
                send_fault(&worker, &deadline, &mut connection, &fault).await
            }
            // Who is redirected speaks HTTP/1.1.
            Err(NoHead::Http2) if redirect_to.is_some() => break,
            Err(NoHead::Http2) => {
                let (stream, read) = connection.into_parts();
                // Boxed, so that those that speak HTTP/1.1 need no room for it.
                return boxed(|| http2::serve(worker, stream, peer, open, read)).await;
            }
        };
        connection.release_buffers(&worker.buffers);
        is_first = false;
    }
    worker.counters.received_bytes.add(connection.read_bytes);
    worker.counters.sent_bytes.add(connection.written_bytes);
    match next {
        // Where nothing comes that is not read, closing resets nothing.
        Next::Last if connection.is_idle(&worker.buffers) => say_goodbye(&mut connection),
        Next::Request if !connection.is_eof() => say_goodbye(&mut connection),
        Next::Request => {}
        Next::Last | Next::Close => linger(&worker, &deadline, connection).await,
        Next::Abort => {
            let socket = socket2::SockRef::from(connection.socket().tcp());
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
    drop(open);
}

/// A client over TLS that still reads shall know that this is the end, and no cut (RFC 8446,
/// section 6.1).
fn say_goodbye(connection: &mut Http1Connection) {
    if connection.socket().is_tls() {
        let _ = connection.poll_shutdown(&mut task::Context::from_waker(Waker::noop()));
    }
}

/// Closes so that the client gets the last answer, even if it is still sending: a connection that
/// is closed with unread data on it is reset, and what was sent may be lost (RFC 9112, section 9.6).
pub(super) async fn linger(worker: &Worker, deadline: &Deadline, mut connection: Http1Connection) {
    const MAX_TIME: Duration = Duration::from_secs(1);
    const MAX_BYTES: usize = 1 << 20;
    deadline.set(deadline.after(Some(MAX_TIME)));
    let mut left = MAX_BYTES;
    let mut is_shut = false;
    poll_fn(|cx: &mut task::Context<'_>| {
        if !is_shut {
            is_shut = connection.poll_shutdown(cx).is_ready();
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
