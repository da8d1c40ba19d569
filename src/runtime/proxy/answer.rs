//! The head of an answer, whatever it came over, and what its body comes from.

use http::HeaderMap;
use http::response::Parts;

use crate::engine::policy::body_limit::BodyAllowance;
use crate::engine::semantics::edit::Edits;
use crate::http1::length::BodyLength;
use crate::http1::response::{ResponseHead, ResponseView, has_no_body};
use crate::http1::send_error::SendError;
use crate::http1::send_response::{
    OutgoingResponse, Sent, write_response, write_response_of_fields,
};
use crate::runtime::body::Http1BodyReader;
use crate::runtime::body::{Http2BodyReader, Http2BodyWriter};
use crate::runtime::body::{Pipe, Sink, Source};
use crate::runtime::connection::Http1Connection;
use crate::runtime::edits::apply_edits;
use crate::runtime::http2::{content_length, fields_of, pairs, retain_end_to_end};
use crate::runtime::upstream::Lease;
use crate::runtime::upstream::StreamPermit;
use crate::runtime::worker::Worker;

/// The head of an answer, and what it came on.
#[derive(Debug)]
pub struct Answer {
    /// What it came on.
    pub came: Came,
    /// The right to the backend.
    pub lease: Lease,
    /// The request body, if the answer came before all of it had been sent.
    pub upload: Option<Pipe>,
    /// When the exchange must be over, in milliseconds of the worker.
    pub ends: u64,
}

/// What an answer came on.
#[derive(Debug)]
pub enum Came {
    /// HTTP/1.1.
    Http1(Http1Answer),
    /// HTTP/2.
    Http2(Box<Http2Answer>),
}

/// An answer over HTTP/1.1.
#[derive(Debug)]
pub struct Http1Answer {
    /// The connection; what was read begins with the head.
    pub connection: Box<Http1Connection>,
    /// The head.
    pub head: Box<ResponseHead>,
    /// Its length in bytes.
    pub head_bytes: usize,
}

/// An answer over HTTP/2.
#[derive(Debug)]
pub struct Http2Answer {
    /// The head.
    pub parts: Parts,
    /// Whether the request was HEAD.
    pub is_head: bool,
    /// The body.
    pub body: Http2BodyReader,
    /// Where the rest of the request goes.
    pub upload: Http2BodyWriter,
    /// The place on the connection.
    pub permit: StreamPermit,
}

/// The head of an answer, to be looked at.
#[derive(Clone, Copy, Debug)]
pub enum AnswerHead<'a> {
    /// Over HTTP/1.1.
    Http1(ResponseView<'a>),
    /// Over HTTP/2.
    Http2 {
        /// Status and fields.
        parts: &'a Parts,
        /// Whether the request was HEAD.
        is_head: bool,
        /// Whether nothing follows the head.
        is_whole: bool,
    },
}

/// The body of an answer, and the backend that it comes from.
#[derive(Debug)]
pub enum BackendBody {
    /// HTTP/1.1.
    Http1(Http1BodyReader, Box<Http1Connection>),
    /// HTTP/2.
    Http2(Http2BodyReader, Http2BodyWriter, StreamPermit),
}

impl Answer {
    /// The fields as HTTP/2 has them; those that came over HTTP/2 are not copied.
    #[must_use]
    pub fn take_fields(&mut self, edits: &Edits) -> HeaderMap {
        match &mut self.came {
            Came::Http1(_) => self.head().fields(edits),
            Came::Http2(answer) => {
                let mut fields = std::mem::take(&mut answer.parts.headers);
                retain_end_to_end(&mut fields);
                apply_edits(&mut fields, edits);
                fields
            }
        }
    }

    /// The head.
    #[must_use]
    pub fn head(&self) -> AnswerHead<'_> {
        match &self.came {
            Came::Http1(answer) => AnswerHead::Http1(answer.head.view(answer.connection.data())),
            Came::Http2(answer) => AnswerHead::Http2 {
                parts: &answer.parts,
                is_head: answer.is_head,
                is_whole: answer.body.is_complete(),
            },
        }
    }
}

impl Came {
    /// The body that follows the head, which is used up.
    #[must_use]
    pub fn into_body(self, worker: &Worker) -> BackendBody {
        match self {
            Self::Http1(answer) => {
                let framing = answer.head.view(answer.connection.data()).framing();
                let limits = worker.settings.head_limits;
                let body = Http1BodyReader::new(framing, limits, BodyAllowance::up_to(None));
                BackendBody::Http1(body, answer.into_connection(worker))
            }
            Self::Http2(answer) => {
                let Http2Answer {
                    body,
                    upload,
                    permit,
                    ..
                } = *answer;
                BackendBody::Http2(body, upload, permit)
            }
        }
    }
}

impl Http1Answer {
    /// The connection behind the head, which is used up.
    #[must_use]
    pub fn into_connection(mut self, worker: &Worker) -> Box<Http1Connection> {
        self.connection.consume(self.head_bytes);
        worker.give_response_head(self.head);
        self.connection
    }
}

impl<'a> AnswerHead<'a> {
    /// From 100 to 599.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Http1(view) => view.status(),
            Self::Http2 { parts, .. } => parts.status.as_u16(),
        }
    }

    /// Whether it says when it was made.
    #[must_use]
    pub fn has_date(&self) -> bool {
        match self {
            Self::Http1(view) => view
                .fields()
                .any(|(name, _)| name.eq_ignore_ascii_case(b"date")),
            Self::Http2 { parts, .. } => parts.headers.contains_key(http::header::DATE),
        }
    }

    /// Whether another request may follow on the connection.
    #[must_use]
    pub const fn keeps_alive(&self) -> bool {
        match self {
            Self::Http1(view) => view.keeps_alive(),
            Self::Http2 { .. } => true,
        }
    }

    /// The protocol changed to.
    #[must_use]
    pub fn upgrade(&self) -> Option<&'a [u8]> {
        match self {
            Self::Http1(view) => view.upgrade(),
            Self::Http2 { .. } => None,
        }
    }

    /// The length to be passed on: of the body that follows, or, to HEAD and in a 304, the length
    /// that is declared.
    #[must_use]
    pub fn length(&self) -> BodyLength {
        match self {
            Self::Http1(view) => match view.framing() {
                BodyLength::None => view.declared(),
                framing
                @ (BodyLength::Length(_) | BodyLength::Chunked | BodyLength::UntilClose) => framing,
            },
            Self::Http2 {
                parts,
                is_head,
                is_whole,
            } => match content_length(&parts.headers) {
                Some(length) => BodyLength::Length(length),
                None if *is_whole || *is_head || has_no_body(self.status()) => BodyLength::None,
                None => BodyLength::Chunked,
            },
        }
    }

    /// Whether a body can follow at all.
    #[must_use]
    pub fn has_body(&self) -> bool {
        match self {
            Self::Http1(view) => !view.framing().is_empty(),
            Self::Http2 { is_whole, .. } => !is_whole,
        }
    }

    /// Appends the head as HTTP/1.1 has it.
    ///
    /// # Errors
    /// If a field has a line end in it; nothing is appended then.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        outgoing: &OutgoingResponse<'_>,
    ) -> Result<Sent, SendError> {
        match self {
            Self::Http1(view) => Ok(write_response(out, *view, outgoing)),
            Self::Http2 { parts, .. } => {
                let fields = pairs(&parts.headers);
                write_response_of_fields(
                    out,
                    parts.status.as_u16(),
                    fields.iter().copied(),
                    outgoing,
                )
            }
        }
    }

    /// The fields as HTTP/2 has them.
    #[must_use]
    pub fn fields(&self, edits: &Edits) -> HeaderMap {
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

impl BackendBody {
    /// Where the body of the answer comes from.
    pub fn source(&mut self) -> Source<'_> {
        match self {
            Self::Http1(body, connection) => Source::Http1(body, connection),
            Self::Http2(body, ..) => Source::Http2(body),
        }
    }

    /// Where the rest of the request goes.
    pub const fn sink(&mut self) -> Sink<'_> {
        match self {
            Self::Http1(_, connection) => Sink::Http1(connection),
            Self::Http2(_, upload, _) => Sink::Http2(upload),
        }
    }

    /// Keeps the connection for the next request, if it speaks HTTP/1.1 and nothing is left on it.
    pub fn keep(self, lease: &Lease, worker: &Worker) {
        if let Self::Http1(body, connection) = self
            && body.is_complete()
            && connection.data().is_empty()
        {
            lease.keep(connection, worker.deadlines.now(), &worker.buffers);
        }
    }
}
