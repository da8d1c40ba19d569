//! The response of a backend, whatever the protocol.

use http::HeaderMap;
use http::response::Parts;

use crate::engine::policy::BodyAllowance;
use crate::engine::semantics::Edits;
use crate::http1::{
    BodyLength, EncodeError, OutgoingResponse, ResponseHead as Http1Head, ResponseView,
    SentFraming, has_no_body, write_response, write_response_from_fields,
};
use crate::runtime::body::{Http1BodyReader, Http2BodyReader, Http2BodyWriter, Pipe, Sink, Source};
use crate::runtime::connection::Http1Connection;
use crate::runtime::edits::apply_edits;
use crate::runtime::http2::{content_length, fields_of, pairs, retain_end_to_end};
use crate::runtime::upstream::{Lease, StreamPermit};
use crate::runtime::worker::Worker;

/// A response whose head has arrived.
#[derive(Debug)]
pub(super) struct UpstreamResponse {
    /// The head, and where the body comes from.
    pub(super) source: ResponseSource,
    /// The lease of the backend.
    pub(super) lease: Lease,
    /// The rest of the request body, if the response arrived before all of it was sent.
    pub(super) upload: Option<Pipe>,
    /// When the exchange times out, in milliseconds of the worker.
    pub(super) ends_at: u64,
}

/// What a response arrives on.
#[derive(Debug)]
pub(super) enum ResponseSource {
    /// An HTTP/1.1 connection.
    Http1(Http1Response),
    /// An HTTP/2 stream.
    Http2(Box<Http2Response>),
}

/// A response over HTTP/1.1.
#[derive(Debug)]
pub(super) struct Http1Response {
    /// The connection, whose input begins with the head.
    pub(super) connection: Box<Http1Connection>,
    /// The head.
    pub(super) head: Box<Http1Head>,
    /// Its length in bytes.
    pub(super) head_bytes: usize,
}

/// A response over HTTP/2.
#[derive(Debug)]
pub(super) struct Http2Response {
    /// The head.
    pub(super) parts: Parts,
    /// Whether the request was HEAD.
    pub(super) is_head: bool,
    /// The body.
    pub(super) body: Http2BodyReader,
    /// Where the rest of the request body goes.
    pub(super) upload: Http2BodyWriter,
    /// The permit of the stream.
    pub(super) permit: StreamPermit,
}

/// The head of a response, interim or final.
#[derive(Clone, Copy, Debug)]
pub(super) enum ResponseHead<'a> {
    /// Over HTTP/1.1.
    Http1(ResponseView<'a>),
    /// Over HTTP/2.
    Http2 {
        /// Status and fields.
        parts: &'a Parts,
        /// Whether the request was HEAD.
        is_head: bool,
        /// Whether the response ends with its head.
        is_complete: bool,
    },
}

/// The body of a response, and the backend that it comes from.
#[derive(Debug)]
pub(super) enum UpstreamBody {
    /// Over HTTP/1.1.
    Http1(Http1BodyReader, Box<Http1Connection>),
    /// Over HTTP/2.
    Http2 {
        /// The body.
        body: Http2BodyReader,
        /// Where the rest of the request body goes.
        upload: Http2BodyWriter,
        /// Counts the stream until it ends.
        _permit: StreamPermit,
    },
}

impl UpstreamResponse {
    /// The head.
    #[must_use]
    pub(super) fn head(&self) -> ResponseHead<'_> {
        match &self.source {
            ResponseSource::Http1(response) => ResponseHead::Http1(response.view()),
            ResponseSource::Http2(response) => ResponseHead::Http2 {
                parts: &response.parts,
                is_head: response.is_head,
                is_complete: response.body.is_complete(),
            },
        }
    }

    /// The end-to-end fields as HTTP/2, with these edits. Fields that arrived over HTTP/2 are moved.
    #[must_use]
    pub(super) fn take_fields(&mut self, edits: &Edits) -> HeaderMap {
        match &mut self.source {
            ResponseSource::Http1(_) => self.head().fields(edits),
            ResponseSource::Http2(response) => {
                let mut fields = std::mem::take(&mut response.parts.headers);
                retain_end_to_end(&mut fields);
                apply_edits(&mut fields, edits);
                fields
            }
        }
    }
}

impl ResponseSource {
    /// The body behind the head. The head is consumed.
    #[must_use]
    pub(super) fn into_body(self, worker: &Worker) -> UpstreamBody {
        match self {
            Self::Http1(response) => {
                let framing = response.view().framing();
                let limits = worker.settings.head_limits;
                let body = Http1BodyReader::new(framing, limits, BodyAllowance::up_to(None));
                UpstreamBody::Http1(body, response.into_connection(worker))
            }
            Self::Http2(response) => {
                let Http2Response {
                    body,
                    upload,
                    permit,
                    ..
                } = *response;
                UpstreamBody::Http2 {
                    body,
                    upload,
                    _permit: permit,
                }
            }
        }
    }
}

impl Http1Response {
    fn view(&self) -> ResponseView<'_> {
        self.head.view(self.connection.data())
    }

    /// The connection behind the head. The head is consumed.
    #[must_use]
    pub(super) fn into_connection(mut self, worker: &Worker) -> Box<Http1Connection> {
        self.connection.consume(self.head_bytes);
        worker.give_response_head(self.head);
        self.connection
    }
}

impl<'a> ResponseHead<'a> {
    /// From 100 to 599.
    #[must_use]
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Http1(view) => view.status(),
            Self::Http2 { parts, .. } => parts.status.as_u16(),
        }
    }

    /// Whether it has a `Date`.
    #[must_use]
    pub(super) fn has_date(&self) -> bool {
        match self {
            Self::Http1(view) => view
                .fields()
                .any(|(name, _)| name.eq_ignore_ascii_case(b"date")),
            Self::Http2 { parts, .. } => parts.headers.contains_key(http::header::DATE),
        }
    }

    /// Whether another request may follow on the connection.
    #[must_use]
    pub(super) const fn keeps_alive(&self) -> bool {
        match self {
            Self::Http1(view) => view.keeps_alive(),
            Self::Http2 { .. } => true,
        }
    }

    /// The protocol to which the backend switches.
    #[must_use]
    pub(super) fn upgrade(&self) -> Option<&'a [u8]> {
        match self {
            Self::Http1(view) => view.upgrade(),
            Self::Http2 { .. } => None,
        }
    }

    /// The length of the body, or the declared length in a response to HEAD and in a 304.
    #[must_use]
    pub(super) fn length(&self) -> BodyLength {
        match self {
            Self::Http1(view) => match view.framing() {
                BodyLength::None => view.declared(),
                framing
                @ (BodyLength::Length(_) | BodyLength::Chunked | BodyLength::UntilClose) => framing,
            },
            Self::Http2 {
                parts,
                is_head,
                is_complete,
            } => match content_length(&parts.headers) {
                Some(length) => BodyLength::Length(length),
                None if *is_complete || *is_head || has_no_body(self.status()) => BodyLength::None,
                None => BodyLength::Chunked,
            },
        }
    }

    /// Whether a body may follow.
    #[must_use]
    pub(super) fn has_body(&self) -> bool {
        match self {
            Self::Http1(view) => !view.framing().is_empty(),
            Self::Http2 { is_complete, .. } => !is_complete,
        }
    }

    /// Appends the head as HTTP/1.1.
    ///
    /// # Errors
    /// If it cannot be written as a valid head. Nothing is appended then.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        outgoing: &OutgoingResponse<'_>,
    ) -> Result<SentFraming, EncodeError> {
        match self {
            Self::Http1(view) => Ok(write_response(out, *view, outgoing)),
            Self::Http2 { parts, .. } => {
                let fields = pairs(&parts.headers);
                let (status, fields) = (parts.status.as_u16(), fields.iter().copied());
                write_response_from_fields(out, status, fields, outgoing)
            }
        }
    }

    /// The end-to-end fields as HTTP/2, with these edits.
    #[must_use]
    pub(super) fn fields(&self, edits: &Edits) -> HeaderMap {
        let mut fields = match self {
            Self::Http1(view) => {
                let may_declare = !matches!(self.status(), 100..200 | 204);
                let length = if may_declare {
                    self.length()
                } else {
                    BodyLength::None
                };
                fields_of(view.end_to_end(), length)
            }
            Self::Http2 { parts, .. } => {
                let mut fields = parts.headers.clone();
                retain_end_to_end(&mut fields);
                fields
            }
        };
        apply_edits(&mut fields, edits);
        fields
    }
}

impl UpstreamBody {
    /// The response body.
    pub(super) fn source(&mut self) -> Source<'_> {
        match self {
            Self::Http1(body, connection) => Source::Http1(body, connection),
            Self::Http2 { body, .. } => Source::Http2(body),
        }
    }

    /// Where the rest of the request body goes.
    pub(super) const fn sink(&mut self) -> Sink<'_> {
        match self {
            Self::Http1(_, connection) => Sink::Http1(connection),
            Self::Http2 { upload, .. } => Sink::Http2(upload),
        }
    }

    /// Returns an HTTP/1.1 connection to the pool, if nothing is left on it.
    pub(super) fn release(self, lease: &Lease, worker: &Worker) {
        if let Self::Http1(body, connection) = self
            && body.is_complete()
            && connection.data().is_empty()
        {
            lease.release(connection, worker.deadlines.now(), &worker.buffers);
        }
    }
}
