//! One try over HTTP/1.1.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use crate::engine::upstream::backend::Backend;
use crate::http1::{BodyLength, ResponseHead, write_chunk};
use crate::runtime::forward::answer::{Answer, AnswerHead, Came, WireAnswer};
use crate::runtime::forward::exchange::{Exchange, Failure};
use crate::runtime::forward::pipe::{Pipe, Sink};
use crate::runtime::forward::requester::Requester;
use crate::runtime::forward::sending::Sending;
use crate::runtime::upstream::error::UpstreamError;
use crate::runtime::upstream::pool::Lease;
use crate::runtime::wire::Wire;

impl Exchange<'_> {
    pub(super) async fn attempt_over_wire(
        &mut self,
        backend: &Backend,
        lease: Lease,
        requester: &mut Requester<'_, '_>,
    ) -> Result<Answer, Failure> {
        if let Some(wire) = lease.kept(&self.worker.buffers) {
            // What is sent where the other side has just closed is lost; who may not be repeated
            // is not sent there unless the kernel says as well that it is open.
            if self.is_harmless() || is_open(&wire) {
                match self.attempt_on_wire(wire, backend, requester).await {
                    Ok(answered) => return Ok(self.answer_of(answered, lease)),
                    // A kept connection that had been given up: that was no try.
                    Err(Failure::Upstream(UpstreamError::Reset))
                        if self.is_harmless() && !self.has_spoken.get() => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
        let connecting = lease.connect(self.connect_time(), self.watch);
        let wire = Box::new(self.connected(connecting, requester).await?);
        let answered = self.attempt_on_wire(wire, backend, requester).await?;
        Ok(self.answer_of(answered, lease))
    }

    fn answer_of(&self, (answer, upload): Answered, lease: Lease) -> Answer {
        Answer {
            came: Came::Wire(answer),
            lease,
            upload,
            ends: self.ends,
        }
    }

    async fn attempt_on_wire(
        &mut self,
        mut wire: Box<Wire>,
        backend: &Backend,
        requester: &mut Requester<'_, '_>,
    ) -> Result<Answered, Failure> {
        let buffers = &self.worker.buffers;
        self.has_spoken.set(false);
        let output = wire.output(buffers);
        (self.outgoing.write_head)(output, backend)?;
        match self.outgoing.length {
            BodyLength::Chunked => write_chunk(output, self.kept.data()),
            BodyLength::None | BodyLength::Length(_) | BodyLength::UntilClose => {
                output.extend_from_slice(self.kept.data());
            }
        }
        let mut sending = Sending::new(Pipe::new(self.outgoing.length));
        let mut head = None;
        self.watch_idle();
        let waited = poll_fn(|cx| {
            self.poll_upload(cx, &mut sending, Sink::Wire(&mut wire), requester)?;
            if let Poll::Ready(read) = self.poll_response(cx, &mut head, &mut wire, requester) {
                return Poll::Ready(read);
            }
            wire.rest(buffers);
            self.poll_given_up(cx, &sending, requester).map(Err)
        })
        .await;
        let (head, head_bytes) = waited?;
        let answer = WireAnswer {
            wire,
            head,
            head_bytes,
        };
        Ok((answer, sending.rest()))
    }

    /// Reads until the head of the final response is whole, and gives it with its length. What is
    /// begun of it is kept in `begun`: who waits for the first byte has none.
    fn poll_response(
        &self,
        cx: &mut Context<'_>,
        begun: &mut Option<Box<ResponseHead>>,
        wire: &mut Wire,
        requester: &mut Requester<'_, '_>,
    ) -> Poll<Result<(Box<ResponseHead>, usize), Failure>> {
        loop {
            if !wire.data().is_empty() {
                let limits = &self.worker.settings.head_limits;
                let mut head = begun
                    .take()
                    .unwrap_or_else(|| self.worker.take_response_head());
                let parsed = head.parse(wire.data(), limits, self.outgoing.to);
                match parsed.map_err(UpstreamError::from)? {
                    Some(length) if head.view(wire.data()).is_interim() => {
                        let interim = AnswerHead::Wire(head.view(wire.data()));
                        self.pass_interim(cx, interim, requester)?;
                        wire.consume(length);
                        *begun = Some(head);
                        continue;
                    }
                    Some(length) => return Poll::Ready(Ok((head, length))),
                    None => *begun = Some(head),
                }
            }
            wire.make_room();
            match wire.poll_fill(cx, &self.worker.buffers) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(length)) if length > 0 => self.has_spoken.set(true),
                Poll::Ready(Ok(_) | Err(_)) => {
                    return Poll::Ready(Err(UpstreamError::Reset.into()));
                }
            }
        }
    }
}

/// An answer, and what was not sent of the request before it came.
type Answered = (WireAnswer, Option<Pipe>);

/// Whether the kernel knows of nothing that was said or closed on a connection that should be quiet.
fn is_open(wire: &Wire) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    let socket = socket2::SockRef::from(wire.stream().tcp());
    let peeked = socket.peek(&mut byte);
    matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
