//! One attempt over HTTP/2.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use http::Response;

use crate::engine::policy::BodyAllowance;
use crate::engine::upstream::Backend;
use crate::http1::has_no_body;
use crate::runtime::body::{Http2BodyReader, Http2BodyWriter, Pipe, Sink};
use crate::runtime::proxy::downstream::Downstream;
use crate::runtime::proxy::failure::Failure;
use crate::runtime::proxy::pending::{PendingRequest, Upload};
use crate::runtime::proxy::response::{
    Http2Response, ResponseHead, ResponseSource, UpstreamResponse,
};
use crate::runtime::upstream::{Lease, StreamPermit, UpstreamError};

/// Sends the request to a backend and waits for the head of the final response.
pub(super) async fn attempt_http2(
    pending: &mut PendingRequest<'_, '_>,
    backend: &Backend,
    lease: Lease,
    downstream: &mut Downstream<'_, '_>,
) -> Result<UpstreamResponse, Failure> {
    let max_head_bytes = pending.worker.settings.head_limits.max_head_bytes;
    let mut is_first = true;
    loop {
        let timeout = pending.connect_timeout();
        let connecting = lease.stream_permit(timeout, pending.deadline, max_head_bytes);
        let permit = pending.connected(connecting, downstream).await?;
        let may_be_stale = std::mem::take(&mut is_first) && !permit.is_fresh;
        let mut failed = Failed::Connection;
        let sent = send(pending, permit, backend, downstream, &mut failed);
        match sent.await {
            Ok((response, upload)) => {
                return Ok(UpstreamResponse {
                    source: ResponseSource::Http2(response),
                    lease,
                    upload,
                    ends_at: pending.ends_at,
                });
            }
            // The backend was closing the connection: this is not counted as an attempt.
            Err(Failure::Upstream(UpstreamError::Refused))
                if may_be_stale && failed == Failed::Connection && pending.replay.is_complete() => {
            }
            Err(Failure::Upstream(UpstreamError::Reset))
                if may_be_stale
                    && failed == Failed::Connection
                    && pending.is_repeatable()
                    && pending.interim_responses == 0 => {}
            Err(failure) => return Err(failure),
        }
    }
}

/// What failed, where sending failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failed {
    /// The connection.
    Connection,
    /// The stream; the connection is alive.
    Stream,
}

/// Sends the request on a stream. `failed` becomes [`Failed::Stream`] if the backend reset the stream
/// alone.
async fn send(
    pending: &mut PendingRequest<'_, '_>,
    permit: StreamPermit,
    backend: &Backend,
    downstream: &mut Downstream<'_, '_>,
    failed: &mut Failed,
) -> Result<(Box<Http2Response>, Option<Pipe>), Failure> {
    let request = pending.admitted.http2_head(backend)?;
    let has_no_upload = pending.body.is_empty();
    let sent = permit.send(request, has_no_upload);
    let (mut response, send) = sent.map_err(|error| unsent(&error))?;
    let mut to = Http2BodyWriter::new(send);
    if !pending.replay.data().is_empty() {
        // The replay buffer bounds it. If the stream has ended, the response future says so.
        let _ = to.send(Bytes::copy_from_slice(pending.replay.data()), false);
    }
    let mut upload = Upload::new(if has_no_upload {
        Pipe::ended()
    } else {
        Pipe::new(pending.body)
    });
    pending.arm_idle_timeout();
    let received = poll_fn(|cx| {
        pending.poll_upload(cx, &mut upload, Sink::Http2(&mut to), downstream)?;
        let head = poll_head(cx, pending, &mut response, downstream, failed);
        if let Poll::Ready(head) = head {
            return Poll::Ready(head.map_err(Failure::Upstream));
        }
        pending.poll_give_up(cx, &upload, downstream).map(Err)
    })
    .await;
    let received = received.inspect_err(|failure| {
        if matches!(failure, Failure::Upstream(UpstreamError::Timeout)) {
            permit.report_timeout();
        }
    });
    let (parts, recv) = received?.into_parts();
    let is_head = pending.to.is_head;
    // An HTTP/1.1 client would read an unexpected body as the next response.
    let has_none = is_head || has_no_body(parts.status.as_u16());
    let allowance = BodyAllowance::up_to(has_none.then_some(0));
    let response = Box::new(Http2Response {
        parts,
        is_head,
        body: Http2BodyReader::new(recv, allowance),
        upload: to,
        permit,
    });
    Ok((response, upload.into_rest()))
}

/// Waits for the head of the final response.
fn poll_head(
    cx: &mut Context<'_>,
    pending: &mut PendingRequest<'_, '_>,
    response: &mut ResponseFuture,
    downstream: &mut Downstream<'_, '_>,
    failed: &mut Failed,
) -> Poll<Result<Response<RecvStream>, UpstreamError>> {
    while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(cx) {
        let (parts, ()) = interim.into_parts();
        if parts.status != 101 {
            let head = ResponseHead::Http2 {
                parts: &parts,
                is_head: true,
                is_complete: true,
            };
            pending.pass_interim(cx, head, downstream)?;
        }
    }
    Pin::new(response).poll(cx).map(|received| match received {
        Ok(head) if head.status().as_u16() < 600 => Ok(head),
        Ok(head) => {
            let what = format!("its status is {}", head.status());
            Err(UpstreamError::BadResponse(what))
        }
        Err(error) => {
            if error.is_reset() {
                *failed = Failed::Stream;
            }
            Err(upstream_error(&error))
        }
    })
}

/// Why the head of a request was not sent.
fn unsent(error: &h2::Error) -> UpstreamError {
    if error.is_io() {
        UpstreamError::Reset
    } else {
        UpstreamError::Refused
    }
}

/// Why there is no response.
fn upstream_error(error: &h2::Error) -> UpstreamError {
    // A stream fails with GOAWAY only if the backend did not process it (RFC 9113, section 6.8).
    let is_unprocessed = error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM);
    match (error.is_remote(), is_unprocessed) {
        (true, true) => UpstreamError::Refused,
        (false, _) if error.is_reset() || error.is_go_away() => {
            UpstreamError::BadResponse(error.to_string())
        }
        _ => UpstreamError::Reset,
    }
}
