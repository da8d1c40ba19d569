//! A request to a backend and the head of its answer, with as many tries as the route allows.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use thiserror::Error;

use crate::engine::plan::Plan;
use crate::engine::semantics::Forwarding;
use crate::engine::semantics::retry::{self, Attempt, is_idempotent};
use crate::engine::upstream::Pick;
use crate::engine::upstream::Protocol;
use crate::engine::upstream::backend::Backend;
use crate::http1::length::BodyLength;
use crate::http1::response::ResponseTo;
use crate::runtime::forward::answer::{Answer, AnswerHead};
use crate::runtime::forward::body::ReadError;
use crate::runtime::forward::kept::Kept;
use crate::runtime::forward::pipe::{PipeError, Sink};
use crate::runtime::forward::requester::Requester;
use crate::runtime::forward::sending::Sending;
use crate::runtime::sweep::Watch;
use crate::runtime::upstream::error::UpstreamError;
use crate::runtime::wire::Wire;
use crate::runtime::worker::Worker;

/// Writes the head of a request for a backend.
pub type WriteHead<'o> = dyn Fn(&mut Vec<u8>, &Backend) -> Result<(), UpstreamError> + 'o;

/// The head of a request for a backend that speaks HTTP/2.
pub type MakeRequest<'o> = dyn Fn(&Backend) -> Result<Request<()>, UpstreamError> + 'o;

/// Takes interim responses (RFC 9110, section 15.2) for a client that speaks HTTP/1.1. One that
/// speaks HTTP/2 gets them all.
pub type PassInterim<'o> = dyn Fn(&mut Wire, AnswerHead<'_>) + 'o;

/// What goes to a backend.
pub struct Outgoing<'o> {
    /// Writes the head of the request for this backend.
    pub write_head: &'o WriteHead<'o>,
    /// The same, where it speaks HTTP/2.
    pub make_request: &'o MakeRequest<'o>,
    /// How the body is sent.
    pub length: BodyLength,
    /// What the answer is read by.
    pub to: ResponseTo,
    /// The method.
    pub method: &'o str,
    /// How long the client waits for all of the answer, if it says so: `grpc-timeout`.
    pub patience: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum Failure {
    /// The service has no backend that could be picked.
    #[error("no backend is available")]
    NoBackend,
    /// The backend is at fault.
    #[error("{0}")]
    Upstream(#[from] UpstreamError),
    /// The body of the request came to no end.
    #[error("{0}")]
    Body(ReadError),
    /// The client sent nothing for too long.
    #[error("the body of the request did not go on")]
    BodyTimeout,
    /// The client has left.
    #[error("the client left")]
    ClientLeft,
    /// The gateway stops, and waits no longer.
    #[error("the gateway stopped")]
    Stopped,
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("outgoing", &self.outgoing)
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}

/// One exchange on its way to its answer.
pub struct Exchange<'e> {
    /// The worker that does it.
    pub worker: &'e Worker,
    /// The deadline of its task.
    pub watch: &'e Watch,
    /// What was decided.
    pub plan: &'e Plan<'e>,
    /// What the route asks for.
    pub policy: &'e Forwarding,
    /// What goes to the backend.
    pub outgoing: Outgoing<'e>,
    /// What of the body was sent.
    pub kept: Kept,
    /// The slot of the backend that is being tried, or was tried last.
    pub slot: Option<u32>,
    /// Those of the backends that were tried before it, the last last.
    failed: Vec<u32>,
    /// When the answer is due, once the request has been sent.
    pub(super) due: Option<u64>,
    /// When all must be over, in milliseconds of the worker.
    pub(super) ends: u64,
    /// Whether anything has come from the backend since the request was sent to it.
    pub(super) has_spoken: Cell<bool>,
    /// Whether it was the connection, over HTTP/2, and not the stream alone that failed.
    pub(super) is_gone: Cell<bool>,
    /// How many interim responses there were.
    pub(super) interims: Cell<u32>,
    /// Takes interim responses.
    pub interim: &'e PassInterim<'e>,
    /// Is told the slot of each backend before it is tried.
    pub picked: Option<&'e dyn Fn(u32)>,
}

impl<'e> Exchange<'e> {
    /// An exchange that has not begun.
    #[must_use]
    pub fn new(
        worker: &'e Worker,
        watch: &'e Watch,
        plan: &'e Plan<'e>,
        outgoing: Outgoing<'e>,
        interim: &'e PassInterim<'e>,
    ) -> Self {
        let policy = plan.forwarding();
        let whole = watch.after(policy.timeouts.exchange);
        Self {
            worker,
            watch,
            plan,
            policy,
            ends: whole.min(watch.after(outgoing.patience)),
            outgoing,
            kept: Kept::new(policy.retry.buffer_bytes),
            slot: None,
            failed: Vec::new(),
            due: None,
            has_spoken: Cell::new(false),
            is_gone: Cell::new(false),
            interims: Cell::new(0),
            interim,
            picked: None,
        }
    }

    /// Sends the request, and gives the head of the answer that goes to the client.
    ///
    /// # Errors
    /// If no try gives one.
    pub async fn answer(
        &mut self,
        mut requester: Requester<'_, '_>,
    ) -> Result<(Answer, Pick<'e>), Failure> {
        loop {
            let pick = self.pick()?;
            let tried = self.attempt(pick.backend, &mut requester).await;
            if !self.is_retried(&tried) {
                self.watch.clear();
                return tried.map(|answer| (answer, pick));
            }
            self.worker.counters.retries.add(1);
        }
    }

    /// The next backend: one that was not tried if there is one, else not the one tried last.
    fn pick(&mut self) -> Result<Pick<'e>, Failure> {
        let mut pick = self.plan.pick().ok_or(Failure::NoBackend)?;
        self.failed.extend(self.slot);
        for _ in 0..self.failed.len().min(MAX_PASSED_OVER) {
            if !self.failed.contains(&pick.backend.id) {
                break;
            }
            pick = self.plan.pick().ok_or(Failure::NoBackend)?;
        }
        // All were tried, and other requests have moved the cursor.
        if self.slot == Some(pick.backend.id) {
            pick = self.plan.pick().ok_or(Failure::NoBackend)?;
        }
        self.slot = Some(pick.backend.id);
        if let Some(picked) = self.picked {
            picked(pick.backend.id);
        }
        Ok(pick)
    }

    /// How many backends were tried.
    #[must_use]
    pub fn tries(&self) -> usize {
        self.failed.len() + usize::from(self.slot.is_some())
    }

    /// Whether it may be sent again where a kept connection proves to be stale.
    pub(super) fn is_harmless(&self) -> bool {
        self.kept.is_whole() && is_idempotent(self.outgoing.method)
    }

    /// Whether another try follows this one; then it is paid for.
    fn is_retried(&self, tried: &Result<Answer, Failure>) -> bool {
        let Some(failure) = self.failure_of(tried) else {
            return false;
        };
        let attempt = Attempt {
            method: self.outgoing.method,
            failure,
            retries: u32::try_from(self.failed.len()).unwrap_or(u32::MAX),
            is_response_started: self.interims.get() > 0,
            is_body_replayable: self.kept.is_whole(),
        };
        self.worker.admits_retry(&self.policy.retry, &attempt)
    }

    /// How a try failed, if another backend might do better, and there is time left for it.
    fn failure_of(&self, tried: &Result<Answer, Failure>) -> Option<retry::Failure> {
        if self.is_over() {
            return None;
        }
        let fault = match tried {
            Ok(answer) => return Some(retry::Failure::Status(answer.head().status())),
            Err(Failure::Upstream(fault)) => fault,
            Err(
                Failure::NoBackend
                | Failure::Body(_)
                | Failure::BodyTimeout
                | Failure::ClientLeft
                | Failure::Stopped,
            ) => return None,
        };
        match fault {
            UpstreamError::NameUnresolved(_)
            | UpstreamError::ConnectFailed(_)
            | UpstreamError::ConnectTimeout
            | UpstreamError::TlsFailed(_)
            | UpstreamError::Overloaded => Some(retry::Failure::Connect),
            UpstreamError::Refused => Some(retry::Failure::Refused),
            UpstreamError::Reset => Some(retry::Failure::Reset),
            UpstreamError::Timeout => {
                let due = self.due.unwrap_or(u64::MAX);
                (due > self.watch.now()).then_some(retry::Failure::Timeout)
            }
            UpstreamError::HeaderTooLarge(_) | UpstreamError::BadResponse(_) => None,
        }
    }

    /// Whether all time is over.
    fn is_over(&self) -> bool {
        self.ends <= self.watch.now()
    }

    /// How long a connection may take to be made.
    pub(super) fn connect_time(&self) -> Duration {
        let left = self.ends.saturating_sub(self.watch.now());
        let connect = self.policy.timeouts.connect;
        connect.min(Duration::from_millis(left))
    }

    /// What comes of a connection that is being made, as long as there is time and the client waits.
    pub(super) async fn connected<T>(
        &self,
        connecting: impl Future<Output = Result<T, UpstreamError>>,
        requester: &mut Requester<'_, '_>,
    ) -> Result<T, Failure> {
        let mut connecting = pin!(connecting);
        let connected = poll_fn(|cx| {
            if let Poll::Ready(connected) = connecting.as_mut().poll(cx) {
                return Poll::Ready(connected.map_err(Failure::Upstream));
            }
            let is_body_read = requester.has_sent_all();
            let left = requester.poll_left(cx, is_body_read, &self.worker.buffers);
            left.map(|()| Err(Failure::ClientLeft))
        });
        match connected.await {
            // It was not the connection that took too long.
            Err(Failure::Upstream(UpstreamError::ConnectTimeout)) if self.is_over() => {
                Err(UpstreamError::Timeout.into())
            }
            connected => connected,
        }
    }

    /// Sends the request to one backend.
    async fn attempt(
        &mut self,
        backend: &Backend,
        requester: &mut Requester<'_, '_>,
    ) -> Result<Answer, Failure> {
        let most = self.worker.settings.in_flight_per_backend;
        let upstream = self.plan.cluster().upstream();
        let own = upstream
            .max_in_flight
            .and_then(|own| usize::try_from(own).ok());
        let upstreams = &self.worker.upstreams;
        let lease = upstreams.lease(backend, upstream, own.unwrap_or(most))?;
        match upstream.protocol {
            Protocol::H1 => self.attempt_over_wire(backend, lease, requester).await,
            Protocol::H2 => self.attempt_over_stream(backend, lease, requester).await,
        }
    }

    /// Sends on what there is of the body.
    pub(super) fn poll_upload(
        &mut self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        to: Sink<'_>,
        requester: &mut Requester<'_, '_>,
    ) -> Result<(), Failure> {
        let buffers = &self.worker.buffers;
        if !sending.is_broken {
            let kept = &mut self.kept;
            let from = requester.source();
            let polled = sending
                .upload
                .poll(cx, from, to, buffers, |data| kept.push(data));
            match polled {
                Poll::Ready(Err(PipeError::Read(fault))) => return Err(Failure::Body(fault)),
                // It may have answered before it closed.
                Poll::Ready(Err(PipeError::Write(_))) => sending.is_broken = true,
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        let timeouts = &self.policy.timeouts;
        let is_ended = sending.is_over();
        if is_ended && !std::mem::replace(&mut sending.is_timed, true) {
            let due = *self
                .due
                .get_or_insert_with(|| self.watch.after(Some(timeouts.response)));
            let of_try = self.watch.after(timeouts.per_attempt);
            self.watch.set(due.min(of_try).min(self.ends));
        } else if !is_ended && std::mem::take(&mut sending.upload.has_moved) {
            self.watch_idle();
        }
        Ok(())
    }

    /// Nothing may happen for only so long.
    pub(super) fn watch_idle(&self) {
        let idle = self.watch.after(Some(self.policy.timeouts.idle));
        self.watch.set(idle.min(self.ends));
    }

    /// Waits for what ends a try without an answer: time, or the client's leaving.
    pub(super) fn poll_given_up(
        &self,
        cx: &mut Context<'_>,
        sending: &Sending,
        requester: &mut Requester<'_, '_>,
    ) -> Poll<Failure> {
        if self.watch.is_over(cx) {
            if self.worker.sweep.is_ended() {
                return Poll::Ready(Failure::Stopped);
            }
            let is_over = sending.is_over() || self.is_over();
            // There is a part of the body that the backend does not take.
            return Poll::Ready(if is_over || sending.upload.is_stuck {
                UpstreamError::Timeout.into()
            } else {
                Failure::BodyTimeout
            });
        }
        let left = requester.poll_left(cx, sending.upload.is_ended(), &self.worker.buffers);
        left.map(|()| Failure::ClientLeft)
    }
}

/// How many picks are passed over to find a backend that was not tried.
const MAX_PASSED_OVER: usize = 16;
