//! The body of an answer on its way to the client.

use std::future::poll_fn;
use std::task::{Context, Poll};

use h2::Reason;

use crate::engine::policy::Policy;
use crate::http1::length::BodyLength;
use crate::runtime::body::ReadError;
use crate::runtime::body::{Pipe, PipeError};
use crate::runtime::deadline::Deadline;
use crate::runtime::proxy::answer::BackendBody;
use crate::runtime::proxy::requester::Requester;
use crate::runtime::worker::Worker;

/// A body on its way down, and perhaps the rest of another on its way up.
#[derive(Debug)]
pub struct Download<'p> {
    policy: &'p Policy,
    /// When the whole exchange must be over, in milliseconds of the worker.
    ends: u64,
    down: Pipe,
    up: Option<Pipe>,
}

/// Why a body did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The backend broke it off, perhaps with a reason.
    Backend(Option<Reason>),
    /// The body of the request broke off.
    Request,
    /// The client has left, or takes no more.
    ClientLeft,
    /// Time is over.
    Timeout,
    /// The gateway stops, and waits no longer.
    Stopped,
}

impl Broken {
    /// What a client over HTTP/2 is told (RFC 9113, section 7).
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            // That it was refused unread, or that all is well, would not be true.
            Self::Backend(Some(
                reason @ (Reason::CANCEL | Reason::ENHANCE_YOUR_CALM | Reason::INADEQUATE_SECURITY),
            )) => reason,
            Self::Backend(_) => Reason::INTERNAL_ERROR,
            Self::Request => Reason::PROTOCOL_ERROR,
            Self::ClientLeft | Self::Timeout | Self::Stopped => Reason::CANCEL,
        }
    }
}

impl<'p> Download<'p> {
    /// A body that goes to the client in this way; `up` is the rest of the request.
    #[must_use]
    pub const fn new(policy: &'p Policy, ends: u64, length: BodyLength, up: Option<Pipe>) -> Self {
        Self {
            policy,
            ends,
            down: Pipe::new(length),
            up,
        }
    }

    /// Passes the body on.
    ///
    /// # Errors
    /// If not all of it arrived.
    pub async fn run(
        &mut self,
        worker: &Worker,
        deadline: &Deadline,
        mut requester: Requester<'_, '_>,
        backend: &mut BackendBody,
    ) -> Result<(), Broken> {
        let ends = self.ends;
        let idle = self.policy.timeouts.idle;
        deadline.set(ends.min(deadline.after(Some(idle))));
        let done = poll_fn(|cx| {
            let polled = self.poll(cx, worker, &mut requester, backend);
            let has_moved =
                self.down.take_progress() | self.up.as_mut().is_some_and(|up| up.take_progress());
            if has_moved {
                deadline.set(ends.min(deadline.after(Some(idle))));
            }
            match polled {
                Poll::Pending if deadline.has_passed(cx) => {
                    Poll::Ready(Err(self.out_of_time(worker)))
                }
                polled @ (Poll::Ready(_) | Poll::Pending) => polled,
            }
        })
        .await;
        deadline.clear();
        if done == Err(Broken::ClientLeft) {
            worker.counters.clients_left.add(1);
        }
        done
    }

    /// Who is to blame where nothing has moved for too long.
    fn out_of_time(&self, worker: &Worker) -> Broken {
        if worker.deadlines.is_shut_down() {
            Broken::Stopped
        } else if self.down.is_blocked() {
            Broken::ClientLeft
        } else {
            Broken::Timeout
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        worker: &Worker,
        requester: &mut Requester<'_, '_>,
        backend: &mut BackendBody,
    ) -> Poll<Result<(), Broken>> {
        let buffers = &worker.buffers;
        if let Some(up) = &mut self.up {
            match up.poll(cx, requester.source(), backend.sink(), buffers, |_| {}) {
                Poll::Pending => {}
                // What the backend does not want any more need not be sent.
                Poll::Ready(Ok(()) | Err(PipeError::Write(_))) => self.up = None,
                Poll::Ready(Err(PipeError::Read(_))) => {
                    return Poll::Ready(Err(Broken::Request));
                }
            }
        }
        if let Some(sink) = requester.sink() {
            let polled = self.down.poll(cx, backend.source(), sink, buffers, |_| {});
            if let Poll::Ready(done) = polled {
                return Poll::Ready(done.map_err(|fault| match fault {
                    PipeError::Write(_) => Broken::ClientLeft,
                    PipeError::Read(ReadError::Stream(error)) => Broken::Backend(error.reason()),
                    PipeError::Read(_) => Broken::Backend(None),
                }));
            }
        }
        let is_body_read = self.up.is_none() && requester.has_sent_all();
        requester
            .poll_left(cx, is_body_read, buffers)
            .map(|()| Err(Broken::ClientLeft))
    }
}
