//! The body of an answer on its way to the client.

use std::future::poll_fn;
use std::task::{Context, Poll};

use crate::engine::policy::Policy;
use crate::http1::length::BodyLength;
use crate::runtime::forward::answer::Client;
use crate::runtime::forward::body::IncomingBody;
use crate::runtime::forward::pipe::{Pipe, PipeFault};
use crate::runtime::sweep::Watch;
use crate::runtime::wire::Wire;
use crate::runtime::worker::Worker;

/// A body on its way down, and perhaps the rest of another on its way up.
pub(super) struct Download<'p> {
    policy: &'p Policy,
    incoming: IncomingBody,
    down: Pipe,
    up: Option<Pipe>,
}

impl<'p> Download<'p> {
    pub(super) const fn new(
        policy: &'p Policy,
        incoming: IncomingBody,
        length: BodyLength,
        up: Option<Pipe>,
    ) -> Self {
        Self {
            policy,
            incoming,
            down: Pipe::new(length),
            up,
        }
    }

    /// Whether all of the body was read.
    pub(super) const fn is_clean(&self) -> bool {
        self.incoming.is_complete()
    }

    /// Passes the body on; whether all of it arrived.
    pub(super) async fn run(
        &mut self,
        worker: &Worker,
        watch: &Watch,
        client: &mut Client<'_>,
        wire: &mut Wire,
    ) -> bool {
        let whole = watch.after(self.policy.timeouts.exchange);
        let idle = self.policy.timeouts.idle;
        watch.set(whole.min(watch.after(Some(idle))));
        let is_done = poll_fn(|cx| {
            let polled = self.poll(cx, worker, client, wire);
            let has_moved = std::mem::take(&mut self.down.has_moved)
                | self
                    .up
                    .as_mut()
                    .is_some_and(|up| std::mem::take(&mut up.has_moved));
            if has_moved {
                watch.set(whole.min(watch.after(Some(idle))));
            }
            match polled {
                Poll::Pending if watch.is_over(cx) => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
                done @ Poll::Ready(_) => done,
            }
        })
        .await;
        watch.clear();
        is_done
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        worker: &Worker,
        client: &mut Client<'_>,
        wire: &mut Wire,
    ) -> Poll<bool> {
        let buffers = &worker.buffers;
        if let Some(up) = &mut self.up {
            let from = (&mut client.body, &mut *client.wire);
            match up.poll(cx, from, wire, buffers, |_| {}) {
                Poll::Pending => {}
                // What the backend does not want any more need not be sent.
                Poll::Ready(Ok(()) | Err(PipeFault::Write(_))) => self.up = None,
                Poll::Ready(Err(PipeFault::Read(_))) => return Poll::Ready(false),
            }
        }
        let from = (&mut self.incoming, wire);
        if let Poll::Ready(done) = self.down.poll(cx, from, client.wire, buffers, |_| {}) {
            return Poll::Ready(done.is_ok());
        }
        if self.up.is_none()
            && client.body.is_complete()
            && !client.wire.is_full()
            && let Poll::Ready(read) = client.wire.poll_fill(cx, buffers)
        {
            match read {
                Ok(length) if length > 0 => cx.waker().wake_by_ref(),
                Ok(_) | Err(_) => {
                    worker.counters.clients_left.add(1);
                    return Poll::Ready(false);
                }
            }
        }
        Poll::Pending
    }
}
