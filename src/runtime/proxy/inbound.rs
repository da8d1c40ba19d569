//! A request as it arrives: its head in the form of its codec, and the connection it came on.

use std::borrow::Cow;
use std::net::IpAddr;

use http::HeaderMap;

use crate::engine::request::Headers;
use crate::engine::semantics::{Arrival, Protocol};
use crate::http1::{
    BodyLength, EncodeError, FieldValue, OutgoingRequest, RequestView, Version, write_request,
    write_request_from_fields,
};
use crate::runtime::deadline::Deadline;
use crate::runtime::http2::{Http2RequestHead, fields_of, pairs, retain_end_to_end};
use crate::runtime::proxy::memory_request::MemoryRequest;
use crate::runtime::worker::Worker;

/// What the exchanges of one connection share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExchangeContext<'c> {
    /// The worker that runs them.
    pub(crate) worker: &'c Worker,
    /// The deadline of the task.
    pub(crate) deadline: &'c Deadline,
    /// The address of the client.
    pub(crate) peer: IpAddr,
    /// Whether the connection is encrypted.
    pub(crate) is_tls: bool,
    /// The https port to which the listener redirects every request; `None` if it serves them.
    pub(crate) https_port: Option<u16>,
}

/// The head of a request, as its codec holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RequestHead<'h> {
    /// Over HTTP/1.1.
    Http1(RequestView<'h>),
    /// Over HTTP/2.
    Http2(&'h Http2RequestHead),
    /// From within this process.
    Memory(&'h MemoryRequest),
}

/// The fields of a head, as the engine reads them.
enum Fields<A, B, C> {
    Http1(A),
    Http2(B),
    Memory(C),
}

impl<T, A, B, C> Iterator for Fields<A, B, C>
where
    A: Iterator<Item = T>,
    B: Iterator<Item = T>,
    C: Iterator<Item = T>,
{
    type Item = T;

    // Not inlined otherwise, and called for each field in each pass over a head.
    #[inline(always)]
    fn next(&mut self) -> Option<T> {
        match self {
            Self::Http1(fields) => fields.next(),
            Self::Http2(fields) => fields.next(),
            Self::Memory(fields) => fields.next(),
        }
    }
}

impl Headers for RequestHead<'_> {
    #[inline]
    fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        match self {
            Self::Http1(view) => Fields::Http1(view.fields()),
            Self::Http2(head) => Fields::Http2(head.field_pairs()),
            Self::Memory(request) => Fields::Memory(request.fields()),
        }
    }
}

impl<'c> ExchangeContext<'c> {
    /// How a request arrived, for the engine.
    pub(super) fn arrival<'a>(&self, head: RequestHead<'a>) -> Arrival<'a>
    where
        'c: 'a,
    {
        let settings = &self.worker.settings;
        Arrival {
            peer: self.peer,
            is_trusted: settings.is_trusted(self.peer),
            is_tls: self.is_tls,
            protocol: head.protocol(),
            host: head.host(),
            pseudonym: &settings.via,
            https_port: self.https_port,
        }
    }
}

impl<'h> RequestHead<'h> {
    /// The method as it was received.
    pub(super) fn method(self) -> &'h str {
        match self {
            Self::Http1(view) => view.method(),
            Self::Http2(head) => head.method(),
            Self::Memory(request) => &request.method,
        }
    }

    /// Path and query, or `*`.
    pub(super) fn target(self) -> Cow<'h, str> {
        match self {
            Self::Http1(view) => view.origin_target(),
            Self::Http2(head) => head.target().into(),
            Self::Memory(request) => request.target.as_str().into(),
        }
    }

    /// The host that the request names, if it names one.
    pub(super) fn host(self) -> Option<&'h str> {
        let host = match self {
            Self::Http1(view) => view.host(),
            Self::Http2(head) => Some(head.host()),
            Self::Memory(request) => request.host.as_deref(),
        };
        host.filter(|host| !host.is_empty())
    }

    /// The protocol that `Via` and the access log state.
    pub(super) const fn protocol(self) -> Protocol {
        match self {
            Self::Http1(view) => match view.version() {
                Version::Http10 => Protocol::Http10,
                Version::Http11 => Protocol::Http11,
            },
            Self::Http2(_) => Protocol::Http2,
            Self::Memory(_) => Protocol::Http11,
        }
    }

    /// The framing of the body.
    pub(super) fn body(self) -> BodyLength {
        match self {
            Self::Http1(view) => view.framing(),
            Self::Http2(head) => head.body(),
            Self::Memory(request) => request.body_length(),
        }
    }

    /// The declared length of the body.
    pub(super) fn content_length(self) -> Option<u64> {
        match self.body() {
            BodyLength::Length(length) => Some(length),
            BodyLength::None | BodyLength::Chunked | BodyLength::UntilClose => None,
        }
    }

    /// Whether the client accepts trailers.
    pub(super) fn te_trailers(self) -> bool {
        match self {
            Self::Http1(view) => view.te_trailers(),
            Self::Http2(head) => head.te_trailers(),
            Self::Memory(request) => request.te_trailers(),
        }
    }

    /// The protocols to which the client asks to switch.
    ///
    /// Not with a body, because the switch would take place in the middle of it. Nor to HTTP/2, which
    /// is obsolete (RFC 9113, section 3.1): the requests that follow would bypass the routes.
    pub(super) fn upgrade(self) -> Option<FieldValue<'h>> {
        match self {
            Self::Http1(view) if view.framing().is_empty() => view
                .upgrade()
                .filter(|protocols| !names_http2(protocols))
                .and_then(|protocols| FieldValue::new(protocols).ok()),
            Self::Http1(_) | Self::Http2(_) | Self::Memory(_) => None,
        }
    }

    /// Appends the head as HTTP/1.1. The original `Host` of an HTTP/1.1 head is copied with the other
    /// fields unless `outgoing` has one; otherwise `outgoing` must have it.
    pub(super) fn write_http1(
        self,
        out: &mut Vec<u8>,
        outgoing: &OutgoingRequest<'_>,
    ) -> Result<(), EncodeError> {
        match self {
            Self::Http1(view) => write_request(out, view, outgoing),
            Self::Http2(head) => {
                let fields = pairs(head.fields());
                write_request_from_fields(out, fields.iter().copied(), outgoing)
            }
            Self::Memory(request) => {
                write_request_from_fields(out, request.end_to_end_fields(), outgoing)
            }
        }
    }

    /// The end-to-end fields as HTTP/2.
    pub(super) fn http2_fields(self) -> HeaderMap {
        match self {
            Self::Http1(view) => fields_of(view.end_to_end(), view.framing()),
            Self::Http2(head) => {
                let mut fields = head.fields().clone();
                retain_end_to_end(&mut fields);
                fields
            }
            Self::Memory(request) => fields_of(request.end_to_end_fields(), request.body_length()),
        }
    }
}

fn names_http2(protocols: &[u8]) -> bool {
    let mut protocols = protocols.split(|byte| *byte == b',');
    protocols.any(|name| {
        let name = name.trim_ascii();
        name.eq_ignore_ascii_case(b"h2c") || name.eq_ignore_ascii_case(b"h2")
    })
}
