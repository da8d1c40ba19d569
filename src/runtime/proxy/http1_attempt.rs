//! One try over HTTP/1.1.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use crate::engine::upstream::backend::Backend;
use crate::http1::chunked::write_chunk;
use crate::http1::length::BodyLength;
use crate::http1::response::ResponseHead;
use crate::runtime::body::{Pipe, Sink};
use crate::runtime::connection::Http1Connection;
use crate::runtime::proxy::answer::{Answer, AnswerHead, Came, Http1Answer};
use crate::runtime::proxy::exchange::{Exchange, Failure};
use crate::runtime::proxy::requester::Requester;
use crate::runtime::proxy::sending::Sending;
use crate::runtime::upstream::Lease;
use crate::runtime::upstream::UpstreamError;

impl Exchange<'_> {
    pub(super) async fn attempt_http1(
        &mut self,
        backend: &Backend,
        lease: Lease,
        requester: &mut Requester<'_, '_>,
    ) -> Result<Answer, Failure> {
        if let Some(connection) = lease.kept(&self.worker.buffers) {
            // What is sent where the other side has just closed is lost; who may not be repeated
            // is not sent there unless the kernel says as well that it is open.
            if self.is_harmless() || is_open(&connection) {
                match self
                    .attempt_on_connection(connection, backend, requester)
                    .await
                {
                    Ok(answered) => return Ok(self.answer_of(answered, lease)),
                    // A kept connection that had been given up: that was no try.
                    Err(Failure::Upstream(UpstreamError::Reset))
                        if self.is_harmless() && !self.has_spoken.get() => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
        let connecting = lease.connect(self.connect_time(), self.deadline);
        let connection = Box::new(self.connected(connecting, requester).await?);
        let answered = self
            .attempt_on_connection(connection, backend, requester)
            .await?;
        Ok(self.answer_of(answered, lease))
    }

    fn answer_of(&self, (answer, upload): Answered, lease: Lease) -> Answer {
        Answer {
            came: Came::Http1(answer),
            lease,
            upload,
            ends: self.ends,
        }
    }

    async fn attempt_on_connection(
        &mut self,
        mut connection: Box<Http1Connection>,
        backend: &Backend,
        requester: &mut Requester<'_, '_>,
    ) -> Result<Answered, Failure> {
        let buffers = &self.worker.buffers;
        self.has_spoken.set(false);
        let output = connection.output(buffers);
        (self.outgoing.write_head)(output, backend)?;
        match self.outgoing.length {
            BodyLength::Chunked => write_chunk(output, self.replay.data()),
            BodyLength::None | BodyLength::Length(_) | BodyLength::UntilClose => {
                output.extend_from_slice(self.replay.data());
            }
        }
        let mut sending = Sending::new(Pipe::new(self.outgoing.length));
        let mut head = None;
        self.arm_idle_deadline();
        let waited = poll_fn(|cx| {
            self.poll_upload(cx, &mut sending, Sink::Http1(&mut connection), requester)?;
            if let Poll::Ready(read) = self.poll_response(cx, &mut head, &mut connection, requester)
            {
                return Poll::Ready(read);
            }
            connection.release_buffers(buffers);
            self.poll_given_up(cx, &sending, requester).map(Err)
        })
        .await;
        let (head, head_bytes) = waited?;
        let answer = Http1Answer {
            connection,
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
        connection: &mut Http1Connection,
        requester: &mut Requester<'_, '_>,
    ) -> Poll<Result<(Box<ResponseHead>, usize), Failure>> {
        loop {
            if !connection.data().is_empty() {
                let limits = &self.worker.settings.head_limits;
                let mut head = begun
                    .take()
                    .unwrap_or_else(|| self.worker.take_response_head());
                let parsed = head.parse(connection.data(), limits, self.outgoing.to);
                match parsed.map_err(UpstreamError::from)? {
                    Some(length) if head.view(connection.data()).is_interim() => {
                        let interim = AnswerHead::Http1(head.view(connection.data()));
                        self.pass_interim(cx, interim, requester)?;
                        connection.consume(length);
                        *begun = Some(head);
                        continue;
                    }
                    Some(length) => return Poll::Ready(Ok((head, length))),
                    None => *begun = Some(head),
                }
            }
            connection.ensure_space();
            match connection.poll_fill(cx, &self.worker.buffers) {
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
type Answered = (Http1Answer, Option<Pipe>);

/// Whether the kernel knows of nothing that was said or closed on a connection that should be quiet.
fn is_open(connection: &Http1Connection) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    let socket = socket2::SockRef::from(connection.socket().tcp());
    let peeked = socket.peek(&mut byte);
    matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
