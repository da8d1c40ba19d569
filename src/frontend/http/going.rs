//! What goes to a backend, whatever the request came over.

use crate::engine::plan::Plan;
use crate::engine::request::Headers;
use crate::engine::semantics::edit::Edits;
use crate::engine::semantics::error::{Cause, GatewayError, RequestError};
use crate::engine::semantics::{Random, RequestId};
use crate::engine::semantics::{Request, grpc};
use crate::engine::upstream::backend::{Address, Backend};
use crate::frontend::http::admission::no_backend;
use crate::frontend::http::stream_head::StreamHead;
use crate::http1::edit::FieldValue;
use crate::http1::length::BodyLength;
use crate::http1::response::ResponseTo;
use crate::http1::send_error::SendError;
use crate::http1::send_request::OutgoingRequest;
use crate::runtime::forward::body::ReadError;
use crate::runtime::forward::exchange::{Failure, MakeRequest, Outgoing, WriteHead};
use crate::runtime::upstream::error::UpstreamError;
use crate::runtime::worker::Worker;

/// An admitted request on its way.
pub(in crate::frontend) struct Going<'g, H: ?Sized> {
    pub(in crate::frontend) worker: &'g Worker,
    pub(in crate::frontend) request: &'g Request<'g, H>,
    pub(in crate::frontend) id: &'g RequestId<'g>,
    pub(in crate::frontend) plan: &'g Plan<'g>,
    pub(in crate::frontend) random: &'g Random,
    pub(in crate::frontend) body: BodyLength,
    pub(in crate::frontend) te_trailers: bool,
    pub(in crate::frontend) upgrade: Option<FieldValue<'g>>,
    /// Whether a `Host` that stays is copied with the other fields.
    pub(in crate::frontend) copies_host: bool,
}

impl<H: Headers + ?Sized> Going<'_, H> {
    /// Writes the head for a backend that speaks HTTP/1.1, by this codec.
    pub(in crate::frontend) fn write(
        &self,
        backend: &Backend,
        write: impl FnOnce(&OutgoingRequest<'_>) -> Result<(), SendError>,
    ) -> Result<(), UpstreamError> {
        let mut buffer = String::new();
        let host = self.host(&backend.address, &mut buffer);
        let host = host.or(self.request.arrival.host.filter(|_| !self.copies_host));
        let upstream_path = self.plan.upstream_path();
        let (mut target, mut pieces) = ([""; MAX_PIECES], 0);
        for (place, piece) in target.iter_mut().zip(upstream_path.pieces()) {
            *place = piece;
            pieces += 1;
        }
        let written = self.with_edits(|edits| {
            write(&OutgoingRequest {
                method: self.request.method,
                target: target.get(..pieces).unwrap_or_default(),
                host: host.and_then(|host| FieldValue::new(host.as_bytes()).ok()),
                body: self.body,
                edits: Some(edits),
                te_trailers: self.te_trailers,
                upgrade: self.upgrade,
                close: false,
            })
        });
        written.map_err(|fault| UpstreamError::BadResponse(fault.to_string()))
    }

    /// The head for a backend that speaks HTTP/2, with the fields that came and are passed on.
    pub(in crate::frontend) fn make(
        &self,
        backend: &Backend,
        fields: http::HeaderMap,
    ) -> Result<http::Request<()>, UpstreamError> {
        let mut buffer = String::new();
        let host = self.host(&backend.address, &mut buffer);
        let upstream_path = self.plan.upstream_path();
        let target: Vec<&str> = upstream_path.pieces().collect();
        self.with_edits(|edits| {
            let head = StreamHead {
                method: self.request.method,
                target: &target,
                host: host.or(self.request.arrival.host).unwrap_or_default(),
                te_trailers: self.te_trailers,
                edits,
            };
            head.request(&backend.address, fields)
        })
    }

    /// Says what is changed in the head: anew for each try, so that nothing of it is held while an
    /// answer is waited for.
    fn with_edits<T>(&self, write: impl FnOnce(&Edits) -> T) -> T {
        let mut scratch = self.worker.take_scratch();
        scratch.edits.clear();
        self.request.edits(&mut scratch.edits, self.id, self.random);
        self.plan.chain().on_forward(&mut scratch.edits);
        let written = write(&scratch.edits);
        self.worker.give_scratch(scratch);
        written
    }

    /// All that the forwarding wants to know.
    pub(in crate::frontend) fn outgoing<'o>(
        &'o self,
        write_head: &'o WriteHead<'o>,
        make_request: &'o MakeRequest<'o>,
    ) -> Outgoing<'o> {
        let fields = &self.request.fields;
        let is_grpc = grpc::response_type(fields.content_type.only()).is_some();
        let patience = fields.grpc_timeout.only().filter(|_| is_grpc);
        Outgoing {
            write_head,
            make_request,
            length: self.body,
            to: ResponseTo {
                is_head: self.request.method == "HEAD",
                asks_upgrade: self.upgrade.is_some(),
            },
            method: self.request.method,
            patience: patience.and_then(grpc::parse_timeout),
        }
    }

    fn host<'b>(&'b self, backend: &'b Address, buffer: &'b mut String) -> Option<&'b str> {
        let rule = &self.plan.forwarding().host;
        self.request.upstream_host(rule, backend, buffer)
    }
}

/// What the client is told of a failure; nothing if it has left.
pub(in crate::frontend) fn cause_of(failure: &Failure, plan: &Plan<'_>) -> Option<Cause<'static>> {
    Some(match failure {
        Failure::NoBackend => no_backend(plan),
        Failure::Upstream(fault) => Cause::from(fault.told()),
        Failure::BodyTimeout => Cause::from(RequestError::Timeout),
        Failure::Stopped => Cause::from(GatewayError::Draining),
        Failure::Body(ReadError::TooLarge(fault)) => Cause::from(*fault),
        Failure::Body(ReadError::Body(fault)) => Cause::Codec {
            code: fault.code(),
            status: fault.status(),
            message: fault.to_string(),
        },
        Failure::Body(_) | Failure::ClientLeft => return None,
    })
}

/// As many pieces as a path that goes upstream has at most, with its query.
const MAX_PIECES: usize = 8;
