//! The state of a forwarded request until its response arrives, over all attempts.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::engine::semantics::retry::is_idempotent;
use crate::engine::semantics::{Forwarding, grpc};
use crate::engine::upstream::Backend;
use crate::http1::{BodyLength, ResponseContext};
use crate::runtime::body::{Pipe, PipeError, ReplayBuffer, Sink};
use crate::runtime::deadline::Deadline;
use crate::runtime::proxy::admitted::AdmittedRequest;
use crate::runtime::proxy::downstream::Downstream;
use crate::runtime::proxy::failure::Failure;
use crate::runtime::proxy::response::ResponseHead;
use crate::runtime::upstream::UpstreamError;
use crate::runtime::worker::Worker;

/// A forwarded request that waits for its response.
#[derive(Debug)]
pub(super) struct PendingRequest<'x, 's> {
    pub(super) admitted: &'x AdmittedRequest<'x, 's>,
    pub(super) worker: &'x Worker,
    pub(super) deadline: &'x Deadline,
    pub(super) policy: &'x Forwarding,
    /// The framing of the request body.
    pub(super) body: BodyLength,
    /// How a response is parsed.
    pub(super) to: ResponseContext,
    /// The request body that was sent.
    pub(super) replay: ReplayBuffer,
    /// The backend of the current attempt, or of the last one.
    pub(super) backend: Option<&'s Backend>,
    /// The backend ids of the attempts before, in order.
    pub(super) failed: Vec<u32>,
    /// When the response times out, once the request was sent, in milliseconds of the worker.
    pub(super) response_due: Option<u64>,
    /// When the exchange times out, in milliseconds of the worker.
    pub(super) ends_at: u64,
    /// How many interim responses were passed on.
    pub(super) interim_responses: u32,
}

/// The request body on its way to the backend of an attempt.
#[derive(Debug)]
pub(super) struct Upload {
    pipe: Pipe,
    state: UploadState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UploadState {
    /// The body is being sent; the idle timeout runs.
    Sending,
    /// The backend has all of it; the response timeout runs.
    Sent,
    /// The backend accepts no more of it; the response timeout runs.
    Refused,
}

/// The maximum number of interim responses of one exchange.
const MAX_INTERIM_RESPONSES: u32 = 100;

impl Upload {
    pub(super) const fn new(pipe: Pipe) -> Self {
        Self {
            pipe,
            state: UploadState::Sending,
        }
    }

    /// What is left to be sent.
    pub(super) fn into_rest(self) -> Option<Pipe> {
        (!self.pipe.is_ended()).then_some(self.pipe)
    }
}

impl<'x, 's> PendingRequest<'x, 's> {
    /// A request of which no attempt was made.
    pub(super) fn new(admitted: &'x AdmittedRequest<'x, 's>) -> Self {
        let (context, request) = (admitted.context, admitted.request);
        let policy = admitted.plan.forwarding();
        let fields = &request.fields;
        let is_grpc = grpc::response_type(fields.content_type.only()).is_some();
        let grpc_timeout = fields.grpc_timeout.only().filter(|_| is_grpc);
        let deadline = context.deadline;
        let timeout = deadline.after(policy.timeouts.exchange);
        Self {
            admitted,
            worker: context.worker,
            deadline,
            policy,
            body: admitted.body,
            to: ResponseContext {
                is_head: admitted.is_head(),
                asks_upgrade: admitted.upgrade.is_some(),
            },
            replay: ReplayBuffer::new(policy.retry.buffer_bytes),
            backend: None,
            failed: Vec::new(),
            response_due: None,
            ends_at: timeout.min(deadline.after(grpc_timeout.and_then(grpc::parse_timeout))),
            interim_responses: 0,
        }
    }

    /// How many attempts were made.
    pub(super) fn attempts(&self) -> usize {
        self.failed.len() + usize::from(self.backend.is_some())
    }

    /// Whether it may be sent again without asking the retry policy, because a pooled connection was
    /// stale.
    pub(super) fn is_repeatable(&self) -> bool {
        self.replay.is_complete() && is_idempotent(self.admitted.request.method)
    }

    /// Whether the time for the exchange is over.
    pub(super) fn is_out_of_time(&self) -> bool {
        self.ends_at <= self.deadline.now()
    }

    /// How long connecting may take.
    pub(super) fn connect_timeout(&self) -> Duration {
        let left = self.ends_at.saturating_sub(self.deadline.now());
        let connect = self.policy.timeouts.connect;
        connect.min(Duration::from_millis(left))
    }

    /// Starts the idle timeout.
    pub(super) fn arm_idle_timeout(&self) {
        let idle = self.deadline.after(Some(self.policy.timeouts.idle));
        self.deadline.set(idle.min(self.ends_at));
    }

    /// Waits for a connection, as long as there is time and the client is there.
    pub(super) async fn connected<T>(
        &self,
        connecting: impl Future<Output = Result<T, UpstreamError>>,
        downstream: &mut Downstream<'_, '_>,
    ) -> Result<T, Failure> {
        let mut connecting = pin!(connecting);
        let connected = poll_fn(|cx| {
            if let Poll::Ready(connected) = connecting.as_mut().poll(cx) {
                return Poll::Ready(connected.map_err(Failure::Upstream));
            }
            let is_body_read = downstream.is_body_complete();
            let left = downstream.poll_disconnect(cx, is_body_read, &self.worker.buffers);
            left.map(|()| Err(Failure::Disconnected))
        });
        match connected.await {
            // The time for the exchange is over, not only that for connecting.
            Err(Failure::Upstream(UpstreamError::ConnectTimeout)) if self.is_out_of_time() => {
                Err(UpstreamError::Timeout.into())
            }
            connected => connected,
        }
    }

    /// Sends what is available of the request body, and arms the timeout that applies next.
    pub(super) fn poll_upload(
        &mut self,
        cx: &mut Context<'_>,
        upload: &mut Upload,
        to: Sink<'_>,
        downstream: &mut Downstream<'_, '_>,
    ) -> Result<(), Failure> {
        let before = upload.state;
        if before != UploadState::Refused {
            let (replay, buffers) = (&mut self.replay, &self.worker.buffers);
            let (from, record) = (downstream.source(), |data: &[u8]| replay.push(data));
            match upload.pipe.poll(cx, from, to, buffers, record) {
                Poll::Ready(Err(PipeError::Read(error))) => return Err(Failure::Body(error)),
                // It may have responded before it closed.
                Poll::Ready(Err(PipeError::Write)) => upload.state = UploadState::Refused,
                Poll::Ready(Ok(())) | Poll::Pending => {
                    if upload.pipe.is_ended() {
                        upload.state = UploadState::Sent;
                    }
                }
            }
        }
        if upload.state == UploadState::Sending {
            if upload.pipe.take_progress() {
                self.arm_idle_timeout();
            }
        } else if before == UploadState::Sending {
            self.arm_response_timeout();
        }
        Ok(())
    }

    /// Waits for what ends an attempt without a response: a timeout, or that the client disconnects.
    pub(super) fn poll_give_up(
        &self,
        cx: &mut Context<'_>,
        upload: &Upload,
        downstream: &mut Downstream<'_, '_>,
    ) -> Poll<Failure> {
        if self.deadline.has_passed(cx) {
            if self.worker.deadlines.is_shut_down() {
                return Poll::Ready(Failure::Draining);
            }
            let waits_for_response = upload.state != UploadState::Sending || self.is_out_of_time();
            // Otherwise either the backend does not take the body, or the client does not send it.
            return Poll::Ready(if waits_for_response || upload.pipe.is_blocked() {
                UpstreamError::Timeout.into()
            } else {
                Failure::BodyTimeout
            });
        }
        let is_body_read = upload.pipe.is_ended();
        let left = downstream.poll_disconnect(cx, is_body_read, &self.worker.buffers);
        left.map(|()| Failure::Disconnected)
    }

    /// Passes an interim response on. What the client does not take is held here, so their number is
    /// limited.
    pub(super) fn pass_interim(
        &mut self,
        cx: &mut Context<'_>,
        head: ResponseHead<'_>,
        downstream: &mut Downstream<'_, '_>,
    ) -> Result<(), UpstreamError> {
        if self.interim_responses == MAX_INTERIM_RESPONSES {
            let what = format!("there are more than {MAX_INTERIM_RESPONSES} interim responses");
            return Err(UpstreamError::BadResponse(what));
        }
        self.interim_responses += 1;
        downstream.send_interim(cx, head, &self.worker.buffers);
        Ok(())
    }

    fn arm_response_timeout(&mut self) {
        let timeouts = &self.policy.timeouts;
        let deadline = self.deadline;
        let due = *self
            .response_due
            .get_or_insert_with(|| deadline.after(Some(timeouts.response)));
        let attempt = deadline.after(timeouts.per_attempt);
        deadline.set(due.min(attempt).min(self.ends_at));
    }
}
