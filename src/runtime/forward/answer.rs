//! A request to a backend and the head of its answer, with as many tries as the route allows.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use thiserror::Error;

use crate::engine::backend::Backend;
use crate::engine::balance::Pick;
use crate::engine::decide::Plan;
use crate::engine::policy::{Policy, Retry};
use crate::http1::chunked::write_chunk;
use crate::http1::length::BodyLength;
use crate::http1::response::{ResponseHead, ResponseTo, ResponseView};
use crate::runtime::forward::body::{IncomingBody, ReadFault};
use crate::runtime::forward::kept::Kept;
use crate::runtime::forward::pipe::{Pipe, PipeFault};
use crate::runtime::sweep::Watch;
use crate::runtime::upstream::fault::UpstreamFault;
use crate::runtime::upstream::pool::Lease;
use crate::runtime::wire::Wire;
use crate::runtime::worker::Worker;

/// The client of an exchange.
#[derive(Debug)]
pub struct Client<'c> {
    /// Its connection.
    pub wire: &'c mut Wire,
    /// The body of its request.
    pub body: IncomingBody,
}

/// Writes the head of a request for a backend.
pub type WriteHead<'o> = dyn Fn(&mut Vec<u8>, &Backend) -> Result<(), UpstreamFault> + 'o;

/// What goes to a backend.
pub struct Outgoing<'o> {
    /// Writes the head of the request for this backend.
    pub write_head: &'o WriteHead<'o>,
    /// How the body is sent.
    pub length: BodyLength,
    /// What the answer is read by.
    pub to: ResponseTo,
    /// Whether the method is idempotent (RFC 9110, section 9.2.2).
    pub is_idempotent: bool,
}

/// The head of an answer, and the connection that it came on.
#[derive(Debug)]
pub struct Answer {
    /// The connection; what was read begins with the head.
    pub wire: Wire,
    /// The head.
    pub head: ResponseHead,
    /// Its length in bytes.
    pub head_bytes: usize,
    /// The right to the backend.
    pub lease: Lease,
    /// The request body, if the answer came before all of it had been sent.
    pub upload: Option<Pipe>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum Failure {
    /// The service has no backend that could be picked.
    #[error("no backend is available")]
    NoBackend,
    /// The backend is at fault.
    #[error("{0}")]
    Upstream(#[from] UpstreamFault),
    /// The body of the request came to no end.
    #[error("{0}")]
    Body(ReadFault),
    /// The client sent nothing for too long.
    #[error("the body of the request did not go on")]
    BodyTimeout,
    /// The client has left.
    #[error("the client left")]
    ClientLeft,
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
            .field("tried", &self.tried)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// The head.
    #[must_use]
    pub fn view(&self) -> ResponseView<'_> {
        self.head.view(self.wire.data())
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
    pub policy: &'e Policy,
    /// What goes to the backend.
    pub outgoing: Outgoing<'e>,
    /// What of the body was sent.
    pub kept: Kept,
    /// The slots of the backends tried, the last last.
    pub tried: Vec<u32>,
    /// When the answer is due, once the request has been sent.
    due: Option<u64>,
    /// Takes interim responses (RFC 9110, section 15.2).
    pub interim: &'e dyn Fn(&mut Wire, ResponseView<'_>),
}

impl<'e> Exchange<'e> {
    /// An exchange that has not begun.
    #[must_use]
    pub fn new(
        worker: &'e Worker,
        watch: &'e Watch,
        plan: &'e Plan<'e>,
        outgoing: Outgoing<'e>,
        interim: &'e dyn Fn(&mut Wire, ResponseView<'_>),
    ) -> Self {
        let policy: &Policy = plan.policy();
        Self {
            worker,
            watch,
            plan,
            policy,
            outgoing,
            kept: Kept::new(policy.retry.buffer_bytes),
            tried: Vec::new(),
            due: None,
            interim,
        }
    }

    /// Sends the request, and gives the head of the answer that goes to the client.
    ///
    /// # Errors
    /// If no try gives one.
    pub async fn answer(&mut self, client: &mut Client<'_>) -> Result<(Answer, Pick<'e>), Failure> {
        loop {
            let pick = self.pick()?;
            let tried = self.attempt(pick.backend, client).await;
            let again = match &tried {
                Ok(answer) => self.retries_status(answer.view().status()),
                Err(failure) => self.retries(failure),
            };
            let attempts = usize::try_from(self.policy.retry.attempts).unwrap_or(usize::MAX);
            if !again || self.tried.len() > attempts || !self.worker.retry_budget_admits() {
                self.watch.clear();
                return tried.map(|answer| (answer, pick));
            }
            self.worker.counters.retries.add(1);
        }
    }

    /// The next backend, one that was not tried if there is one.
    fn pick(&mut self) -> Result<Pick<'e>, Failure> {
        let mut pick = self.plan.pick().ok_or(Failure::NoBackend)?;
        for _ in 0..self.tried.len().min(MOST_PASSED_OVER) {
            if !self.tried.contains(&pick.backend.slot) {
                break;
            }
            pick = self.plan.pick().ok_or(Failure::NoBackend)?;
        }
        self.tried.push(pick.backend.slot);
        Ok(pick)
    }

    fn may_repeat(&self) -> bool {
        let Retry { non_idempotent, .. } = self.policy.retry;
        self.kept.is_whole() && (self.outgoing.is_idempotent || non_idempotent)
    }

    fn retries_status(&self, status: u16) -> bool {
        self.policy.retry.on.statuses.contains(&status) && self.may_repeat()
    }

    fn retries(&self, failure: &Failure) -> bool {
        let on = &self.policy.retry.on;
        match failure {
            Failure::Upstream(fault) => match fault {
                // Nothing of the request was sent.
                UpstreamFault::NameUnresolved(_)
                | UpstreamFault::ConnectFailed(_)
                | UpstreamFault::ConnectTimeout
                | UpstreamFault::TlsFailed(_)
                | UpstreamFault::Overloaded => true,
                UpstreamFault::Reset => on.reset && self.may_repeat(),
                UpstreamFault::Timeout => {
                    let is_over = self.due.is_some_and(|due| due <= self.watch.now());
                    on.timeout && !is_over && self.may_repeat()
                }
                UpstreamFault::BadResponse(_) => false,
            },
            Failure::NoBackend | Failure::Body(_) | Failure::BodyTimeout | Failure::ClientLeft => {
                false
            }
        }
    }

    /// Sends the request to one backend.
    async fn attempt(
        &mut self,
        backend: &Backend,
        client: &mut Client<'_>,
    ) -> Result<Answer, Failure> {
        let upstream = self.plan.upstream();
        let most = self.worker.settings.in_flight_per_backend;
        let pools = &self.worker.upstreams;
        let lease = pools.lease(&backend.address, upstream, most)?;
        if let Some(wire) = lease.kept(&self.worker.buffers) {
            // What is sent where the other side has just closed is lost; who may not be repeated
            // is not sent there unless the kernel says as well that it is open.
            if self.may_repeat() || is_open(&wire) {
                match self.attempt_on(wire, backend, client).await {
                    Ok((wire, head, head_bytes, upload)) => {
                        return Ok(Answer {
                            wire,
                            head,
                            head_bytes,
                            lease,
                            upload,
                        });
                    }
                    // A kept connection that had been given up: that was no try.
                    Err(Failure::Upstream(UpstreamFault::Reset)) if self.may_repeat() => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
        let wire = lease
            .connect(self.policy.timeouts.connect, self.watch)
            .await?;
        let (wire, head, head_bytes, upload) = self.attempt_on(wire, backend, client).await?;
        Ok(Answer {
            wire,
            head,
            head_bytes,
            lease,
            upload,
        })
    }

    async fn attempt_on(
        &mut self,
        mut wire: Wire,
        backend: &Backend,
        client: &mut Client<'_>,
    ) -> Result<(Wire, ResponseHead, usize, Option<Pipe>), Failure> {
        let buffers = &self.worker.buffers;
        let output = wire.output(buffers);
        (self.outgoing.write_head)(output, backend)?;
        match self.outgoing.length {
            BodyLength::Chunked => write_chunk(output, self.kept.data()),
            BodyLength::None | BodyLength::Length(_) | BodyLength::UntilClose => {
                output.extend_from_slice(self.kept.data());
            }
        }
        let mut sending = Sending {
            upload: Pipe::new(self.outgoing.length),
            is_broken: false,
            head: self.worker.take_response_head(),
        };
        self.watch
            .set(self.watch.after(Some(self.policy.timeouts.idle)));
        let waited = poll_fn(|cx| self.poll_head(cx, &mut sending, &mut wire, client)).await;
        let Sending { upload, head, .. } = sending;
        let head_bytes = waited?;
        let upload = (!upload.is_ended()).then_some(upload);
        Ok((wire, head, head_bytes, upload))
    }

    /// Sends on, and reads until the head of the final response is whole.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        wire: &mut Wire,
        client: &mut Client<'_>,
    ) -> Poll<Result<usize, Failure>> {
        self.poll_upload(cx, sending, wire, client)?;
        if let Poll::Ready(read) = self.poll_response(cx, &mut sending.head, wire, client) {
            return Poll::Ready(read);
        }
        if self.watch.is_over(cx) {
            return Poll::Ready(Err(if sending.upload.is_ended() || sending.is_broken {
                UpstreamFault::Timeout.into()
            } else {
                Failure::BodyTimeout
            }));
        }
        let buffers = &self.worker.buffers;
        let is_listening = sending.upload.is_ended() && !client.wire.is_full();
        if is_listening && let Poll::Ready(read) = client.wire.poll_fill(cx, buffers) {
            match read {
                // It may have sent its next request already.
                Ok(length) if length > 0 => cx.waker().wake_by_ref(),
                Ok(_) | Err(_) => return Poll::Ready(Err(Failure::ClientLeft)),
            }
        }
        Poll::Pending
    }

    fn poll_upload(
        &mut self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        wire: &mut Wire,
        client: &mut Client<'_>,
    ) -> Result<(), Failure> {
        let buffers = &self.worker.buffers;
        let was_ended = sending.upload.is_ended() || sending.is_broken;
        if !sending.is_broken {
            let kept = &mut self.kept;
            let from = (&mut client.body, &mut *client.wire);
            let polled = sending
                .upload
                .poll(cx, from, wire, buffers, |data| kept.push(data));
            match polled {
                Poll::Ready(Err(PipeFault::Read(fault))) => return Err(Failure::Body(fault)),
                // It may have answered before it closed.
                Poll::Ready(Err(PipeFault::Write(_))) => sending.is_broken = true,
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        let timeouts = &self.policy.timeouts;
        let is_ended = sending.upload.is_ended() || sending.is_broken;
        if is_ended && (!was_ended || self.due.is_none()) {
            let due = *self
                .due
                .get_or_insert_with(|| self.watch.after(Some(timeouts.answer)));
            self.watch.set(due.min(self.watch.after(timeouts.per_try)));
        } else if !is_ended && std::mem::take(&mut sending.upload.has_moved) {
            self.watch.set(self.watch.after(Some(timeouts.idle)));
        }
        Ok(())
    }

    fn poll_response(
        &self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
        wire: &mut Wire,
        client: &mut Client<'_>,
    ) -> Poll<Result<usize, Failure>> {
        let bad = |fault: &dyn fmt::Display| UpstreamFault::BadResponse(fault.to_string());
        loop {
            if !wire.data().is_empty() {
                let limits = &self.worker.settings.head_limits;
                let parsed = head.parse(wire.data(), limits, self.outgoing.to);
                match parsed.map_err(|fault| bad(&fault))? {
                    Some(length) if head.view(wire.data()).is_interim() => {
                        (self.interim)(client.wire, head.view(wire.data()));
                        wire.consume(length);
                        let _ = client.wire.poll_flush(cx);
                        continue;
                    }
                    Some(length) => return Poll::Ready(Ok(length)),
                    None => {}
                }
            }
            if wire.is_full() {
                wire.grow();
            }
            match wire.poll_fill(cx, &self.worker.buffers) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(length)) if length > 0 => {}
                Poll::Ready(Ok(_)) if !wire.data().is_empty() => {
                    return Poll::Ready(Err(bad(&"it ends within its head").into()));
                }
                Poll::Ready(Ok(_) | Err(_)) => {
                    return Poll::Ready(Err(UpstreamFault::Reset.into()));
                }
            }
        }
    }
}

/// A request on its way to one backend.
struct Sending {
    upload: Pipe,
    /// Whether the backend takes no more of it.
    is_broken: bool,
    head: ResponseHead,
}

/// Whether the kernel knows of nothing that was said or closed on a connection that should be quiet.
fn is_open(wire: &Wire) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    let socket = socket2::SockRef::from(wire.stream().tcp());
    let peeked = socket.peek(&mut byte);
    matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// How many picks are passed over to find a backend that was not tried.
const MOST_PASSED_OVER: usize = 16;
