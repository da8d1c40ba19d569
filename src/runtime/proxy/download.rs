//! The response body on its way to the client.

use std::future::poll_fn;
use std::task::{Context, Poll};

use crate::engine::semantics::Forwarding;
use crate::http1::BodyLength;
use crate::runtime::body::{Pipe, PipeError, ReadError};
use crate::runtime::proxy::downstream::Downstream;
use crate::runtime::proxy::failure::Interruption;
use crate::runtime::proxy::inbound::ExchangeContext;
use crate::runtime::proxy::response::UpstreamBody;
use crate::runtime::worker::Worker;

/// A response body on its way down, and the rest of the request body on its way up.
#[derive(Debug)]
pub(super) struct Download<'p> {
    policy: &'p Forwarding,
    /// When the exchange times out, in milliseconds of the worker.
    ends_at: u64,
    down: Pipe,
    /// The rest of the request body, if the response arrived before all of it was sent.
    up: Option<Pipe>,
}

impl<'p> Download<'p> {
    /// A body that HTTP/1.1 frames by `length`.
    #[must_use]
    pub(super) const fn new(
        policy: &'p Forwarding,
        ends_at: u64,
        length: BodyLength,
        up: Option<Pipe>,
    ) -> Self {
        Self {
            policy,
            ends_at,
            down: Pipe::new(length),
            up,
        }
    }

    /// Passes the body on.
    ///
    /// # Errors
    /// If the client does not get all of it.
    pub(super) async fn run(
        &mut self,
        context: &ExchangeContext<'_>,
        downstream: &mut Downstream<'_, '_>,
        backend: &mut UpstreamBody,
    ) -> Result<(), Interruption> {
        let ExchangeContext {
            worker, deadline, ..
        } = *context;
        let ends_at = self.ends_at;
        let idle = self.policy.timeouts.idle;
        deadline.set(ends_at.min(deadline.after(Some(idle))));
        let result = poll_fn(|cx| {
            let polled = self.poll(cx, worker, downstream, backend);
            let has_moved =
                self.down.take_progress() | self.up.as_mut().is_some_and(Pipe::take_progress);
            if has_moved {
                deadline.set(ends_at.min(deadline.after(Some(idle))));
            }
            match polled {
                Poll::Pending if deadline.has_passed(cx) => {
                    Poll::Ready(Err(self.on_timeout(worker)))
                }
                polled @ (Poll::Ready(_) | Poll::Pending) => polled,
            }
        })
        .await;
        deadline.clear();
        if result == Err(Interruption::Disconnected) {
            worker.counters.clients_left.add(1);
        }
        result
    }

    /// What a timeout means.
    fn on_timeout(&self, worker: &Worker) -> Interruption {
        if worker.deadlines.is_shut_down() {
            Interruption::Draining
        } else if self.down.is_blocked() {
            Interruption::Disconnected
        } else {
            Interruption::Timeout
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        worker: &Worker,
        downstream: &mut Downstream<'_, '_>,
        backend: &mut UpstreamBody,
    ) -> Poll<Result<(), Interruption>> {
        let buffers = &worker.buffers;
        if let Some(up) = &mut self.up {
            match up.poll(cx, downstream.source(), backend.sink(), buffers, |_| {}) {
                Poll::Pending => {}
                // The backend needs no more of it.
                Poll::Ready(Ok(()) | Err(PipeError::Write)) => self.up = None,
                Poll::Ready(Err(PipeError::Read(_))) => {
                    return Poll::Ready(Err(Interruption::Request));
                }
            }
        }
        if let Some(sink) = downstream.sink() {
            let polled = self.down.poll(cx, backend.source(), sink, buffers, |_| {});
            if let Poll::Ready(result) = polled {
                return Poll::Ready(result.map_err(|error| match error {
                    PipeError::Write => Interruption::Disconnected,
                    PipeError::Read(ReadError::Stream(error)) => {
                        Interruption::Backend(error.reason())
                    }
                    PipeError::Read(_) => Interruption::Backend(None),
                }));
            }
        }
        let is_body_read = self.up.is_none() && downstream.is_body_complete();
        downstream
            .poll_disconnect(cx, is_body_read, buffers)
            .map(|()| Err(Interruption::Disconnected))
    }
}
