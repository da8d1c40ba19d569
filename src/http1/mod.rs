//! The HTTP/1.1 codec (RFC 9112): bytes to heads and bodies, and back. It does no I/O, reads no
//! clock and knows no routes.
//!
//! Request smuggling needs two readers that disagree about where a message ends. This codec
//! therefore accepts one reading only: it rejects what the grammar does not allow and repairs
//! nothing. No edit can change the fields that frame a message (`Content-Length`,
//! `Transfer-Encoding`) or select a host (`Host`): the encoder decides which of them a head has, and
//! writes each at most once.
//! Each reader consumes bytes from left to right, so the result and the error do not depend on how
//! the bytes are cut into reads.
//!
//! Readers do not copy. [`RequestHead`] and [`ResponseHead`] store positions in the caller's buffer
//! and are reusable, [`BodyReader`] returns ranges, and [`write_request`] and [`write_response`]
//! copy runs of unchanged field lines.

mod body;
mod chunked;
mod connection;
mod encode;
mod encode_request;
mod encode_response;
mod error;
mod field_kind;
mod fields;
mod framing;
mod grammar;
mod head;
mod limits;
mod request_head;
mod response_head;

pub use body::{BodyPiece, BodyReader};
pub use chunked::{CHUNK_END, write_chunk, write_chunk_start, write_last_chunk};
pub use encode::{FieldEdits, FieldValue, may_be_edited};
pub use encode_request::{OutgoingRequest, write_request, write_request_from_fields};
pub use encode_response::{
    OutgoingLocalResponse, OutgoingResponse, SentFraming, write_local_response, write_response,
    write_response_from_fields,
};
pub use error::{
    BodyError, EncodeError, FieldError, FieldValueError, FramingError, RequestHeadError,
    ResponseHeadError,
};
pub(crate) use field_kind::{FieldKind, is_forbidden_trailer, is_protected_field};
pub use framing::BodyLength;
pub(crate) use framing::has_no_body;
pub use grammar::Version;
pub use head::{Head, HeadView};
pub use limits::HeadLimits;
pub use request_head::{RequestHead, RequestKind, RequestView};
pub use response_head::{ResponseContext, ResponseHead, ResponseKind, ResponseView};

#[cfg(test)]
mod tests;
