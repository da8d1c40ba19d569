//! One attempt over HTTP/1.1.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use crate::engine::upstream::Backend;
use crate::http1::BodyLength;
use crate::http1::ResponseHead as Http1Head;
use crate::http1::write_chunk;
use crate::runtime::body::{Pipe, Sink};
use crate::runtime::connection::Http1Connection;
use crate::runtime::proxy::downstream::Downstream;
use crate::runtime::proxy::failure::Failure;
use crate::runtime::proxy::pending::{PendingRequest, Upload};
use crate::runtime::proxy::response::{
    Http1Response, ResponseHead, ResponseSource, UpstreamResponse,
};
use crate::runtime::upstream::{Lease, UpstreamError};

/// Sends the request to a backend and waits for the head of the final response.
pub(super) async fn attempt_http1(
    pending: &mut PendingRequest<'_, '_>,
    backend: &Backend,
    lease: Lease,
    downstream: &mut Downstream<'_, '_>,
) -> Result<UpstreamResponse, Failure> {
    let ends_at = pending.ends_at;
    let respond = |(response, upload): Received, lease| UpstreamResponse {
        source: ResponseSource::Http1(response),
        lease,
        upload,
        ends_at,
    };
    if let Some(connection) = lease.pooled(&pending.worker.buffers) {
        // A request that is sent just as the backend closes the connection is lost. One that may not
        // be repeated is sent only if the kernel, too, reports the connection as open.
        if pending.is_repeatable() || is_open(&connection) {
            let mut has_responded = false;
            let sent = send(pending, connection, backend, downstream, &mut has_responded);
            match sent.await {
                Ok(received) => return Ok(respond(received, lease)),
                // The backend had closed it: this is not counted as an attempt.
                Err(Failure::Upstream(UpstreamError::Reset))
                    if pending.is_repeatable() && !has_responded => {}
                Err(failure) => return Err(failure),
            }
        }
    }
    let connecting = lease.connect(pending.connect_timeout(), pending.deadline);
    let connection = Box::new(pending.connected(connecting, downstream).await?);
    let received = send(pending, connection, backend, downstream, &mut false).await?;
    Ok(respond(received, lease))
}

/// A response, and what was not sent of the request before it arrived.
type Received = (Http1Response, Option<Pipe>);

/// Sends the request on a connection. `has_responded` is set once the backend sends anything.
async fn send(
    pending: &mut PendingRequest<'_, '_>,
    mut connection: Box<Http1Connection>,
    backend: &Backend,
    downstream: &mut Downstream<'_, '_>,
    has_responded: &mut bool,
) -> Result<Received, Failure> {
    let buffers = &pending.worker.buffers;
    let output = connection.output(buffers);
    pending.admitted.write_http1(output, backend)?;
    match pending.body {
        BodyLength::Chunked => write_chunk(output, pending.replay.data()),
        BodyLength::None | BodyLength::Length(_) | BodyLength::UntilClose => {
            output.extend_from_slice(pending.replay.data());
        }
    }
    let mut upload = Upload::new(Pipe::new(pending.body));
    let mut partial_head = None;
    pending.arm_idle_timeout();
    let received = poll_fn(|cx| {
        pending.poll_upload(cx, &mut upload, Sink::Http1(&mut connection), downstream)?;
        let read = poll_head(
            cx,
            pending,
            &mut partial_head,
            &mut connection,
            downstream,
            has_responded,
        );
        if read.is_ready() {
            return read;
        }
        connection.release_buffers(buffers);
        pending.poll_give_up(cx, &upload, downstream).map(Err)
    })
    .await;
    let (head, head_bytes) = received?;
    let response = Http1Response {
        connection,
        head,
        head_bytes,
    };
    Ok((response, upload.into_rest()))
}

/// Reads the head of the final response and returns it with its length. `partial` holds a head that
/// was read in part; `None` while nothing was read.
fn poll_head(
    cx: &mut Context<'_>,
    pending: &mut PendingRequest<'_, '_>,
    partial: &mut Option<Box<Http1Head>>,
    connection: &mut Http1Connection,
    downstream: &mut Downstream<'_, '_>,
    has_responded: &mut bool,
) -> Poll<Result<(Box<Http1Head>, usize), Failure>> {
    let worker = pending.worker;
    loop {
        if !connection.data().is_empty() {
            let limits = &worker.settings.head_limits;
            let mut head = partial
                .take()
                .unwrap_or_else(|| worker.take_response_head());
            let parsed = head.parse(connection.data(), limits, pending.to);
            match parsed.map_err(UpstreamError::from)? {
                Some(length) if head.view(connection.data()).is_interim() => {
                    let interim = ResponseHead::Http1(head.view(connection.data()));
                    pending.pass_interim(cx, interim, downstream)?;
                    connection.consume(length);
                    *partial = Some(head);
                    continue;
                }
                Some(length) => return Poll::Ready(Ok((head, length))),
                None => *partial = Some(head),
            }
        }
        connection.ensure_space();
        match connection.poll_fill(cx, &worker.buffers) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(length)) if length > 0 => *has_responded = true,
            Poll::Ready(Ok(_) | Err(_)) => {
                return Poll::Ready(Err(UpstreamError::Reset.into()));
            }
        }
    }
}

/// Whether the kernel knows of no data and no close on a connection that should be idle.
fn is_open(connection: &Http1Connection) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    let socket = socket2::SockRef::from(connection.socket().tcp());
    let peeked = socket.peek(&mut byte);
    matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
