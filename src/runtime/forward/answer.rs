//! The head of an answer, whatever it came over, and what its body comes from.

use http::HeaderMap;
use http::response::Parts;

use crate::engine::policy::BodyAllowance;
use crate::engine::semantics::edit::Edits;
use crate::http1::{
    BodyLength, EncodeError, OutgoingResponse, ResponseHead, ResponseView, SentFraming,
    has_no_body, write_response, write_response_from_fields,
};
use crate::runtime::edits::apply;
use crate::runtime::forward::body::IncomingBody;
use crate::runtime::forward::pipe::{Pipe, Sink, Source};
use crate::runtime::http2::fields::{content_length, fields_of, pairs, retain_end_to_end};
use crate::runtime::http2::stream::{IncomingStream, OutgoingStream};
use crate::runtime::upstream::multiplexed::Slot;
use crate::runtime::upstream::pool::Lease;
use crate::runtime::wire::Wire;
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
    Wire(WireAnswer),
    /// HTTP/2.
    Stream(Box<StreamAnswer>),
}

/// An answer over HTTP/1.1.
#[derive(Debug)]
pub struct WireAnswer {
    /// The connection; what was read begins with the head.
    pub wire: Box<Wire>,
    /// The head.
    pub head: Box<ResponseHead>,
    /// Its length in bytes.
    pub head_bytes: usize,
}

/// An answer over HTTP/2.
#[derive(Debug)]
pub struct StreamAnswer {
    /// The head.
    pub parts: Parts,
    /// Whether the request was HEAD.
    pub is_head: bool,
    /// The body.
    pub body: IncomingStream,
    /// Where the rest of the request goes.
    pub upload: OutgoingStream,
    /// The place on the connection.
    pub slot: Slot,
}

/// The head of an answer, to be looked at.
#[derive(Clone, Copy, Debug)]
pub enum AnswerHead<'a> {
    /// Over HTTP/1.1.
    Wire(ResponseView<'a>),
    /// Over HTTP/2.
    Stream {
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
    Wire(IncomingBody, Box<Wire>),
    /// HTTP/2.
    Stream(IncomingStream, OutgoingStream, Slot),
}

impl Answer {
    /// The fields as HTTP/2 has them; those that came over HTTP/2 are not copied.
    #[must_use]
    pub fn take_fields(&mut self, edits: &Edits) -> HeaderMap {
        match &mut self.came {
            Came::Wire(_) => self.head().fields(edits),
            Came::Stream(answer) => {
                let mut fields = std::mem::take(&mut answer.parts.headers);
                retain_end_to_end(&mut fields);
                apply(&mut fields, edits);
                fields
            }
        }
    }

    /// The head.
    #[must_use]
    pub fn head(&self) -> AnswerHead<'_> {
        match &self.came {
            Came::Wire(answer) => AnswerHead::Wire(answer.head.view(answer.wire.data())),
            Came::Stream(answer) => AnswerHead::Stream {
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
            Self::Wire(answer) => {
                let framing = answer.head.view(answer.wire.data()).framing();
                let limits = worker.settings.head_limits;
                let body = IncomingBody::new(framing, limits, BodyAllowance::up_to(None));
                BackendBody::Wire(body, answer.into_wire(worker))
            }
            Self::Stream(answer) => {
                let StreamAnswer {
                    body, upload, slot, ..
                } = *answer;
                BackendBody::Stream(body, upload, slot)
            }
        }
    }
}

impl WireAnswer {
    /// The connection behind the head, which is used up.
    #[must_use]
    pub fn into_wire(mut self, worker: &Worker) -> Box<Wire> {
        self.wire.consume(self.head_bytes);
        worker.give_response_head(self.head);
        self.wire
    }
}

impl<'a> AnswerHead<'a> {
    /// From 100 to 599.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Wire(view) => view.status(),
            Self::Stream { parts, .. } => parts.status.as_u16(),
        }
    }

    /// Whether it says when it was made.
    #[must_use]
    pub fn has_date(&self) -> bool {
        match self {
            Self::Wire(view) => view
                .fields()
                .any(|(name, _)| name.eq_ignore_ascii_case(b"date")),
            Self::Stream { parts, .. } => parts.headers.contains_key(http::header::DATE),
        }
    }

    /// Whether another request may follow on the connection.
    #[must_use]
    pub const fn keeps_alive(&self) -> bool {
        match self {
            Self::Wire(view) => view.keeps_alive(),
            Self::Stream { .. } => true,
        }
    }

    /// The protocol changed to.
    #[must_use]
    pub fn upgrade(&self) -> Option<&'a [u8]> {
        match self {
            Self::Wire(view) => view.upgrade(),
            Self::Stream { .. } => None,
        }
    }

    /// The length to be passed on: of the body that follows, or, to HEAD and in a 304, the length
    /// that is declared.
    #[must_use]
    pub fn length(&self) -> BodyLength {
        match self {
            Self::Wire(view) => match view.framing() {
                BodyLength::None => view.declared(),
                framing
                @ (BodyLength::Length(_) | BodyLength::Chunked | BodyLength::UntilClose) => framing,
            },
            Self::Stream {
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
            Self::Wire(view) => !view.framing().is_empty(),
            Self::Stream { is_whole, .. } => !is_whole,
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
    ) -> Result<SentFraming, EncodeError> {
        match self {
            Self::Wire(view) => Ok(write_response(out, *view, outgoing)),
            Self::Stream { parts, .. } => {
                let fields = pairs(&parts.headers);
                write_response_from_fields(
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
            Self::Wire(view) => {
                let may_declare = !matches!(self.status(), 100..200 | 204);
                let length = if may_declare {
                    self.length()
                } else {
                    BodyLength::None
                };
                fields_of(view.end_to_end(), length)
            }
            Self::Stream { parts, .. } => {
                let mut fields = parts.headers.clone();
                retain_end_to_end(&mut fields);
                fields
            }
        };
        apply(&mut fields, edits);
        fields
    }
}

impl BackendBody {
    /// Where the body of the answer comes from.
    pub fn source(&mut self) -> Source<'_> {
        match self {
            Self::Wire(body, wire) => Source::Wire(body, wire),
            Self::Stream(body, ..) => Source::Stream(body),
        }
    }

    /// Where the rest of the request goes.
    pub const fn sink(&mut self) -> Sink<'_> {
        match self {
            Self::Wire(_, wire) => Sink::Wire(wire),
            Self::Stream(_, upload, _) => Sink::Stream(upload),
        }
    }

    /// Keeps the connection for the next request, if it speaks HTTP/1.1 and nothing is left on it.
    pub fn keep(self, lease: &Lease, worker: &Worker) {
        if let Self::Wire(body, wire) = self
            && body.is_complete()
            && wire.data().is_empty()
        {
            lease.keep(wire, worker.sweep.now(), &worker.buffers);
        }
    }
}
