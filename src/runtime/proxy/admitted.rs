//! An admitted request, and the request that goes to one backend.

use http::{HeaderValue, Method, Request as Http2Request, Uri, Version, header};

use crate::engine::Plan;
use crate::engine::routing::UpstreamPath;
use crate::engine::semantics::{Edits, Random, Request, RequestId};
use crate::engine::upstream::{Backend, Scheme};
use crate::http1::{BodyLength, FieldValue, OutgoingRequest};
use crate::runtime::edits::apply_edits;
use crate::runtime::proxy::inbound::{ExchangeContext, RequestHead};
use crate::runtime::upstream::UpstreamError;

/// An admitted request.
#[derive(Debug)]
pub(super) struct AdmittedRequest<'x, 's> {
    pub(super) context: &'x ExchangeContext<'x>,
    /// The request as the engine reads it.
    pub(super) request: &'x Request<'x, RequestHead<'x>>,
    pub(super) id: &'x RequestId<'x>,
    pub(super) plan: &'x Plan<'s>,
    /// As it was given to [`RequestId::of`].
    pub(super) random: &'x Random,
    /// The framing of the body.
    pub(super) body: BodyLength,
    /// The protocols to which the client asks to switch.
    pub(super) upgrade: Option<FieldValue<'x>>,
}

/// What goes to one backend, before a codec renders it.
#[derive(Clone, Copy, Debug)]
struct OutboundRequest<'o> {
    /// The original head.
    head: RequestHead<'o>,
    method: &'o str,
    target: Target<'o>,
    /// Replaces the original host.
    host: Option<&'o str>,
    original_host: Option<&'o str>,
    body: BodyLength,
    upgrade: Option<FieldValue<'o>>,
    edits: &'o Edits,
}

/// Path and query in pieces.
#[derive(Clone, Copy, Debug)]
struct Target<'o> {
    pieces: [&'o str; MAX_PIECES],
    count: usize,
}

/// The pieces of the longest upstream path, with its query.
const MAX_PIECES: usize = 8;

impl<'x, 's> AdmittedRequest<'x, 's> {
    /// A request that `plan` admits.
    pub(super) fn new(
        context: &'x ExchangeContext<'x>,
        request: &'x Request<'x, RequestHead<'x>>,
        id: &'x RequestId<'x>,
        plan: &'x Plan<'s>,
        random: &'x Random,
    ) -> Self {
        Self {
            context,
            request,
            id,
            plan,
            random,
            body: request.headers.body(),
            upgrade: request.headers.upgrade(),
        }
    }

    /// Whether the method is HEAD.
    pub(super) fn is_head(&self) -> bool {
        self.request.method == "HEAD"
    }

    /// Appends the head for an HTTP/1.1 backend.
    ///
    /// # Errors
    /// If it cannot be written as a valid head.
    pub(super) fn write_http1(
        &self,
        out: &mut Vec<u8>,
        backend: &Backend,
    ) -> Result<(), UpstreamError> {
        let worker = self.context.worker;
        let (path, mut host, mut scratch) = (
            self.plan.upstream_path(),
            String::new(),
            worker.take_scratch(),
        );
        let outbound = self.outbound(backend, &path, &mut host, &mut scratch.edits);
        let written = outbound.write_http1(out);
        worker.give_scratch(scratch);
        written
    }

    /// The head for an HTTP/2 backend.
    ///
    /// # Errors
    /// If it cannot be expressed in HTTP/2.
    pub(super) fn http2_head(&self, backend: &Backend) -> Result<Http2Request<()>, UpstreamError> {
        let worker = self.context.worker;
        let (path, mut host, mut scratch) = (
            self.plan.upstream_path(),
            String::new(),
            worker.take_scratch(),
        );
        let outbound = self.outbound(backend, &path, &mut host, &mut scratch.edits);
        let request = outbound.http2_head(backend.address.scheme());
        worker.give_scratch(scratch);
        request
    }

    /// The request for one backend. It is computed again for each attempt, so that an exchange that
    /// waits for a response does not hold it.
    fn outbound<'o>(
        &'o self,
        backend: &'o Backend,
        path: &UpstreamPath<'o>,
        host: &'o mut String,
        edits: &'o mut Edits,
    ) -> OutboundRequest<'o> {
        let (request, host_rule) = (self.request, &self.plan.forwarding().host);
        edits.clear();
        request.edits(edits, self.id, self.random);
        self.plan.chain().on_forward(edits);
        OutboundRequest {
            head: *request.headers,
            body: self.body,
            upgrade: self.upgrade,
            method: request.method,
            target: Target::of(path),
            host: request.upstream_host(host_rule, &backend.address, host),
            original_host: request.arrival.host,
            edits,
        }
    }
}

impl OutboundRequest<'_> {
    fn write_http1(&self, out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        let host = match self.head {
            // The codec copies the original.
            RequestHead::Http1(_) => self.host,
            RequestHead::Http2(_) | RequestHead::Memory(_) => self.host.or(self.original_host),
        };
        let outgoing = OutgoingRequest {
            method: self.method,
            target: self.target.pieces(),
            host: host.and_then(|host| FieldValue::new(host.as_bytes()).ok()),
            body: self.body,
            edits: Some(self.edits),
            te_trailers: self.head.te_trailers(),
            upgrade: self.upgrade,
            close: false,
        };
        let written = self.head.write_http1(out, &outgoing);
        written.map_err(|error| UpstreamError::BadResponse(error.to_string()))
    }

    /// RFC 9113, section 8.3.1.
    fn http2_head(&self, scheme: Scheme) -> Result<Http2Request<()>, UpstreamError> {
        let bad = |what: &str| UpstreamError::BadResponse(format!("the request has {what}"));
        let scheme = match scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(self.host.or(self.original_host).unwrap_or_default())
            .path_and_query(self.target.pieces().concat())
            .build();
        let method = Method::from_bytes(self.method.as_bytes());
        let mut request = Http2Request::new(());
        *request.uri_mut() = uri.map_err(|_| bad("a target that HTTP/2 cannot express"))?;
        *request.method_mut() = method.map_err(|_| bad("a method that HTTP/2 cannot express"))?;
        *request.version_mut() = Version::HTTP_2;
        let mut fields = self.head.http2_fields();
        apply_edits(&mut fields, self.edits);
        if self.head.te_trailers() {
            // gRPC requires it.
            fields.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        *request.headers_mut() = fields;
        Ok(request)
    }
}

impl<'o> Target<'o> {
    fn of(path: &UpstreamPath<'o>) -> Self {
        let (mut pieces, mut count) = ([""; MAX_PIECES], 0);
        for (place, piece) in pieces.iter_mut().zip(path.pieces()) {
            *place = piece;
            count += 1;
        }
        Self { pieces, count }
    }

    fn pieces(&self) -> &[&'o str] {
        self.pieces.get(..self.count).unwrap_or_default()
    }
}
