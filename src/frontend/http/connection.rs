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
use crate::runtime::stream::Stream;
use crate::runtime::sweep::Watch;
use crate::runtime::wire::Wire;
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
pub async fn serve(
    worker: Rc<Worker>,
    stream: Stream,
    peer: SocketAddr,
    open: Open,
    redirect_to: Option<u16>,
) {
    let watch = worker.sweep.watch();
    let mut wire = Wire::new(stream);
    let context = Context {
        worker: &worker,
        watch: &watch,
        peer,
        is_tls: wire.stream().is_tls(),
        redirect_to,
    };
    let mut next = Next::Request;
    let mut is_first = true;
    while next == Next::Request {
        next = match read_head(&worker, &watch, &mut wire, is_first).await {
            Ok((head, length)) => {
                // Boxed, so that a connection that waits for its next request needs no room for it.
                let next = boxed(|| run(&context, &mut wire, &head, length)).await;
                worker.give_request_head(head);
                next
            }
            Err(NoHead::Over) => break,
            Err(NoHead::TooSlow) => send_too_slow(&worker, &watch, &mut wire).await,
            Err(NoHead::Diagnostic(fault)) => send_fault(&worker, &watch, &mut wire, &fault).await,
            // Who is redirected speaks HTTP/1.1.
            Err(NoHead::Http2) if redirect_to.is_some() => break,
            Err(NoHead::Http2) => {
                let (stream, read) = wire.into_parts();
                // Boxed, so that those that speak HTTP/1.1 need no room for it.
                return boxed(|| http2::serve(worker, stream, peer, open, read)).await;
            }
        };
        wire.rest(&worker.buffers);
        is_first = false;
    }
    worker.counters.received_bytes.add(wire.read_bytes);
    worker.counters.sent_bytes.add(wire.written_bytes);
    match next {
        // Where nothing comes that is not read, closing resets nothing.
        Next::Last if wire.is_quiet(&worker.buffers) => say_goodbye(&mut wire),
        Next::Request if !wire.is_over() => say_goodbye(&mut wire),
        Next::Request => {}
        Next::Last | Next::Close => linger(&worker, &watch, wire).await,
        Next::Abort => {
            let socket = socket2::SockRef::from(wire.stream().tcp());
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
    drop(open);
}

/// A client over TLS that still reads shall know that this is the end, and no cut (RFC 8446,
/// section 6.1).
fn say_goodbye(wire: &mut Wire) {
    if wire.stream().is_tls() {
        let _ = wire.poll_shutdown(&mut task::Context::from_waker(Waker::noop()));
    }
}

/// Closes so that the client gets the last answer, even if it is still sending: a connection that
/// is closed with unread data on it is reset, and what was sent may be lost (RFC 9112, section 9.6).
pub(super) async fn linger(worker: &Worker, watch: &Watch, mut wire: Wire) {
    const MAX_TIME: Duration = Duration::from_secs(1);
    const MAX_BYTES: usize = 1 << 20;
    watch.set(watch.after(Some(MAX_TIME)));
    let mut left = MAX_BYTES;
    let mut is_shut = false;
    poll_fn(|cx: &mut task::Context<'_>| {
        if !is_shut {
            is_shut = wire.poll_shutdown(cx).is_ready();
        }
        loop {
            wire.consume(wire.data().len());
            match wire.poll_fill(cx, &worker.buffers) {
                Poll::Ready(Ok(length)) if length > 0 && length < left => left -= length,
                Poll::Pending if !watch.is_over(cx) => return Poll::Pending,
                Poll::Ready(_) | Poll::Pending => return Poll::Ready(()),
            }
        }
    })
    .await;
    wire.consume(wire.data().len());
    wire.rest(&worker.buffers);
}
