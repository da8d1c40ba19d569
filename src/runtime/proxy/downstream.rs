//! Where a request comes from and where its response goes, whatever the protocol.

use std::task::{Context, Poll};

use crate::engine::Plan;
use crate::engine::policy::BodyAllowance;
use crate::engine::routing::RouteId;
use crate::engine::semantics::{Edits, GatewayError, UpstreamError};
use crate::engine::upstream::Backend;
use crate::http1::{BodyLength, EncodeError};
use crate::runtime::body::{Sink, Source};
use crate::runtime::buffer::Buffers;
use crate::runtime::proxy::failure::Interruption;
use crate::runtime::proxy::http1_downstream::{Http1Downstream, Persistence};
use crate::runtime::proxy::http2_downstream::Http2Downstream;
use crate::runtime::proxy::inbound::ExchangeContext;
use crate::runtime::proxy::memory_downstream::{MemoryDownstream, MemoryResponse};
use crate::runtime::proxy::rendered::RenderedResponse;
use crate::runtime::proxy::response::{ResponseHead, UpstreamResponse};
use crate::runtime::worker::Scratch;

/// The sender of one request.
#[derive(Debug)]
pub(crate) enum Downstream<'d, 'c> {
    /// A client over HTTP/1.1.
    Http1(&'d mut Http1Downstream<'c>),
    /// A client over HTTP/2.
    Http2(&'d mut Http2Downstream),
    /// This process.
    Memory(&'d mut MemoryDownstream),
}

/// Why the head of a response was not sent.
#[derive(Debug)]
pub(super) enum HeadError {
    /// It cannot be written as a valid head.
    Invalid(EncodeError),
    /// The client has disconnected.
    Disconnected,
}

impl Downstream<'_, '_> {
    /// Bounds the request body, which must not have been read yet.
    pub(super) const fn limit_body(&mut self, allowance: BodyAllowance) {
        match self {
            Self::Http1(client) => client.body.limit(allowance),
            Self::Http2(client) => client.body.limit(allowance),
            // Its length is known, and was checked.
            Self::Memory(_) => {}
        }
    }

    /// Records the plan of an admitted request.
    pub(super) fn record_plan(&mut self, plan: &Plan<'_>) {
        match self {
            Self::Memory(client) => client.record_plan(plan),
            Self::Http1(_) | Self::Http2(_) => {}
        }
    }

    /// Records the route of a request that gets a local response.
    pub(super) const fn record_route(&mut self, route: Option<RouteId>) {
        match self {
            Self::Memory(client) => client.record_route(route),
            Self::Http1(_) | Self::Http2(_) => {}
        }
    }

    /// Records the backend of an attempt.
    pub(super) fn record_pick(&mut self, backend: &Backend) {
        match self {
            Self::Memory(client) => client.record_pick(backend),
            Self::Http1(_) | Self::Http2(_) => {}
        }
    }

    /// The request body.
    pub(super) const fn source(&mut self) -> Source<'_> {
        match self {
            Self::Http1(client) => Source::Http1(&mut client.body, client.connection),
            Self::Http2(client) => Source::Http2(&mut client.body),
            Self::Memory(client) => Source::Memory(&mut client.body),
        }
    }

    /// Where the response body goes; `None` until the head was sent.
    pub(super) fn sink(&mut self) -> Option<Sink<'_>> {
        match self {
            Self::Http1(client) => Some(Sink::Http1(client.connection)),
            Self::Http2(client) => client.response.as_mut().map(Sink::Http2),
            Self::Memory(client) => Some(Sink::Memory(&mut client.collected)),
        }
    }

    /// Whether the whole request body was read.
    #[must_use]
    pub(super) const fn is_body_complete(&self) -> bool {
        match self {
            Self::Http1(client) => client.body.is_complete(),
            Self::Http2(client) => client.body.is_complete(),
            Self::Memory(client) => client.body.is_empty(),
        }
    }

    /// How many bytes were sent: over HTTP/1.1 on the connection so far, over HTTP/2 of this body.
    #[must_use]
    pub(super) fn sent_bytes(&self) -> u64 {
        match self {
            Self::Http1(client) => client.connection.written_bytes,
            Self::Http2(client) => client.sent_bytes(),
            Self::Memory(_) => 0,
        }
    }

    /// Waits until the client disconnects. Over HTTP/1.1 only reading shows that, and it is not done
    /// while the body is still read, that is unless `is_body_read`.
    pub(super) fn poll_disconnect(
        &mut self,
        cx: &mut Context<'_>,
        is_body_read: bool,
        buffers: &Buffers,
    ) -> Poll<()> {
        match self {
            Self::Http1(client) if is_body_read => client.poll_disconnect(cx, buffers),
            Self::Http2(client) => client.poll_disconnect(cx),
            Self::Http1(_) | Self::Memory(_) => Poll::Pending,
        }
    }

    /// Sends an interim response.
    pub(super) fn send_interim(
        &mut self,
        cx: &mut Context<'_>,
        response: ResponseHead<'_>,
        buffers: &Buffers,
    ) {
        match self {
            Self::Http1(client) => client.send_interim(cx, response, buffers),
            Self::Http2(client) => client.send_interim(response),
            // Only the final response is collected.
            Self::Memory(_) => {}
        }
    }

    /// Sends the head of a response with these edits. `is_head` is set if the method is HEAD. Returns
    /// how HTTP/1.1 frames the body, or `None` if the response ends with its head.
    ///
    /// # Errors
    /// If the head is invalid, or the client has disconnected.
    pub(super) fn send_head(
        &mut self,
        response: &mut UpstreamResponse,
        edits: &Edits,
        (is_head, may_keep_alive): (bool, bool),
        buffers: &Buffers,
    ) -> Result<Option<BodyLength>, HeadError> {
        let head = response.head();
        let (status, has_body) = (head.status(), head.has_body());
        match self {
            Self::Http1(client) => {
                let sent = client.send_head(head, edits, (is_head, may_keep_alive), buffers);
                // Without a body the head still has to be flushed.
                return sent.map(Some).map_err(HeadError::Invalid);
            }
            Self::Http2(client) => {
                let sent = client.send_head(status, response.take_fields(edits), !has_body);
                sent.map_err(|_| HeadError::Disconnected)?;
            }
            Self::Memory(client) => {
                let fields = response.take_fields(edits);
                client.response = MemoryResponse::Upstream { status, fields };
            }
        }
        Ok(has_body.then_some(BodyLength::Chunked))
    }

    /// Sends a local response.
    pub(crate) async fn send_local(
        &mut self,
        context: &ExchangeContext<'_>,
        response: &RenderedResponse<'_>,
        scratch: &Scratch,
    ) {
        let counters = &context.worker.counters;
        counters.local_responses.add(1);
        counters.response(response.status);
        match self {
            Self::Http1(client) => client.send_local(context, response, scratch).await,
            Self::Http2(client) => client.send_local(context.worker, response, scratch),
            Self::Memory(client) => client.take_local(response, &scratch.edits),
        }
    }

    /// Ends an exchange whose response was sent to its end.
    pub(super) fn finish(&mut self) {
        match self {
            Self::Http1(client) => client.finish(),
            Self::Http2(_) | Self::Memory(_) => {}
        }
    }

    /// Ends an exchange whose response is incomplete.
    pub(super) fn interrupt(&mut self, interruption: Interruption) {
        match self {
            Self::Http1(client) => match interruption {
                Interruption::Backend(_) => client.cut_off(),
                Interruption::Request
                | Interruption::Disconnected
                | Interruption::Timeout
                | Interruption::Draining => client.persistence = Persistence::Reset,
            },
            Self::Http2(client) => client.reset(interruption.reason()),
            Self::Memory(client) => {
                let cause = match interruption {
                    Interruption::Backend(_) => UpstreamError::Incomplete.into(),
                    Interruption::Timeout => UpstreamError::Timeout.into(),
                    // It never disconnects, but it has a limit.
                    Interruption::Disconnected => UpstreamError::BodyTooLarge {
                        limit_bytes: client.collected.max_bytes(),
                    }
                    .into(),
                    Interruption::Request | Interruption::Draining => GatewayError::Internal.into(),
                };
                client.response = MemoryResponse::of_cause(&cause);
            }
        }
    }

    /// Ends an exchange whose client has disconnected.
    pub(super) fn abandon(&mut self) {
        match self {
            Self::Http1(client) => client.persistence = Persistence::Reset,
            Self::Http2(client) => client.reset(h2::Reason::CANCEL),
            Self::Memory(client) => {
                client.response = MemoryResponse::of_cause(&GatewayError::Internal.into());
            }
        }
    }
}
