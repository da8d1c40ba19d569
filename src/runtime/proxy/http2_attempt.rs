//! One try over HTTP/2.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use http::Response;

use crate::engine::policy::body_limit::BodyAllowance;
use crate::engine::semantics::edit::Edits;
use crate::engine::upstream::backend::Backend;
use crate::http1::response::has_no_body;
use crate::runtime::body::{Http2BodyReader, Http2BodyWriter};
use crate::runtime::body::{Pipe, Sink};
use crate::runtime::proxy::answer::{Answer, AnswerHead, Came, Http2Answer};
use crate::runtime::proxy::exchange::{Exchange, Failure};
use crate::runtime::proxy::requester::Requester;
use crate::runtime::proxy::sending::Sending;
use crate::runtime::upstream::Lease;
use crate::runtime::upstream::StreamPermit;
use crate::runtime::upstream::UpstreamError;

impl Exchange<'_> {
    pub(super) async fn attempt_http2(
        &mut self,
        backend: &Backend,
        lease: Lease,
        requester: &mut Requester<'_, '_>,
    ) -> Result<Answer, Failure> {
        let most = self.worker.settings.head_limits.max_head_bytes;
        let mut is_first = true;
        loop {
            let connecting = lease.stream_permit(self.connect_time(), self.deadline, most);
            let permit = self.connected(connecting, requester).await?;
            let is_stale = std::mem::take(&mut is_first) && !permit.is_fresh;
            match self.attempt_on_stream(permit, backend, requester).await {
                Ok((answer, upload)) => {
                    return Ok(Answer {
                        came: Came::Http2(answer),
                        lease,
                        upload,
                        ends: self.ends,
                    });
                }
                // A connection that was being given up: that was no try. One on which a stream alone
                // was reset is alive.
                Err(Failure::Upstream(UpstreamError::Refused))
                    if is_stale && self.is_gone.get() && self.replay.is_complete() => {}
                Err(Failure::Upstream(UpstreamError::Reset))
                    if is_stale
                        && self.is_gone.get()
                        && self.is_harmless()
                        && self.interims.get() == 0 => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn attempt_on_stream(
        &mut self,
        permit: StreamPermit,
        backend: &Backend,
        requester: &mut Requester<'_, '_>,
    ) -> Result<(Box<Http2Answer>, Option<Pipe>), Failure> {
        let request = (self.outgoing.make_request)(backend)?;
        let is_whole = self.outgoing.length.is_empty();
        self.is_gone.set(true);
        let sent = permit.send(request, is_whole);
        let (mut response, upload) = sent.map_err(|error| unsent(&error))?;
        let mut to = Http2BodyWriter::new(upload);
        if !self.replay.data().is_empty() {
            // No more than may be kept; if it is lost, the answer says so.
            let _ = to.send(Bytes::copy_from_slice(self.replay.data()), false);
        }
        let mut sending = Sending::new(if is_whole {
            Pipe::ended()
        } else {
            Pipe::new(self.outgoing.length)
        });
        self.arm_idle_deadline();
        let waited = poll_fn(|cx| {
            self.poll_upload(cx, &mut sending, Sink::Http2(&mut to), requester)?;
            if let Poll::Ready(head) = self.poll_stream_head(cx, &mut response, requester) {
                return Poll::Ready(head.map_err(Failure::Upstream));
            }
            self.poll_given_up(cx, &sending, requester).map(Err)
        })
        .await;
        let (parts, recv) = waited
            .inspect_err(|failure| {
                if matches!(failure, Failure::Upstream(UpstreamError::Timeout)) {
                    permit.distrust();
                }
            })?
            .into_parts();
        let is_head = self.outgoing.to.is_head;
        // What came where nothing may would be read as the next answer by a client over HTTP/1.1.
        let has_none = is_head || has_no_body(parts.status.as_u16());
        let allowance = BodyAllowance::up_to(has_none.then_some(0));
        let answer = Box::new(Http2Answer {
            parts,
            is_head,
            body: Http2BodyReader::new(recv, allowance),
            upload: to,
            permit,
        });
        Ok((answer, sending.rest()))
    }

    fn poll_stream_head(
        &self,
        cx: &mut Context<'_>,
        response: &mut ResponseFuture,
        requester: &mut Requester<'_, '_>,
    ) -> Poll<Result<Response<RecvStream>, UpstreamError>> {
        while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(cx) {
            let (parts, ()) = interim.into_parts();
            if parts.status != 101 {
                let head = AnswerHead::Http2 {
                    parts: &parts,
                    is_head: true,
                    is_whole: true,
                };
                self.pass_interim(cx, head, requester)?;
            }
        }
        Pin::new(response).poll(cx).map(|answered| match answered {
            Ok(head) if head.status().as_u16() < 600 => Ok(head),
            Ok(head) => {
                let status = head.status();
                Err(UpstreamError::BadResponse(format!(
                    "its status is {status}"
                )))
            }
            Err(error) => {
                self.is_gone.set(!error.is_reset());
                Err(fault(&error))
            }
        })
    }

    /// Gives the client an interim response. What it does not take waits here, so that there must
    /// not be many.
    pub(super) fn pass_interim(
        &self,
        cx: &mut Context<'_>,
        head: AnswerHead<'_>,
        requester: &mut Requester<'_, '_>,
    ) -> Result<(), UpstreamError> {
        if self.interims.get() == MAX_INTERIMS {
            let many = format!("there are more than {MAX_INTERIMS} interim ones");
            return Err(UpstreamError::BadResponse(many));
        }
        self.interims.set(self.interims.get() + 1);
        match requester {
            Requester::Http1(client) => {
                (self.interim)(client.connection, head);
                let _ = client.connection.poll_flush(cx);
            }
            Requester::Http2(client) => {
                let mut interim = Response::new(());
                *interim.headers_mut() = head.fields(&Edits::default());
                if let Ok(status) = head.status().try_into() {
                    *interim.status_mut() = status;
                    // It may do without.
                    let _ = client.respond.send_informational(interim);
                }
            }
            // It waits for the answer alone.
            Requester::Memory(_) => {}
        }
        Ok(())
    }
}

/// How many interim responses one exchange may have.
const MAX_INTERIMS: u32 = 100;

/// Why the head of a request was not even sent.
fn unsent(error: &h2::Error) -> UpstreamError {
    if error.is_io() {
        UpstreamError::Reset
    } else {
        UpstreamError::Refused
    }
}

/// Why there is no answer.
fn fault(error: &h2::Error) -> UpstreamError {
    // A stream fails with the GOAWAY of the backend only if it is above the last that was looked at.
    let is_unread = error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM);
    match (error.is_remote(), is_unread) {
        (true, true) => UpstreamError::Refused,
        (false, _) if error.is_reset() || error.is_go_away() => {
            UpstreamError::BadResponse(error.to_string())
        }
        _ => UpstreamError::Reset,
    }
}
