//! HTTP/1.1 on the wire (RFC 9112): bytes to heads and bodies, and back. It opens no socket, reads
//! no clock and knows nothing of routes.
//!
//! A proxy is attacked where two readers of the same bytes disagree about where a message ends. So
//! this codec reads one way only: what the grammar does not allow is refused, not repaired; what
//! frames a message (`Content-Length`, `Transfer-Encoding`) or says who is meant (`Host`) is never
//! copied through, nor left to an edit, but written anew, once. Every reader is a fold over the
//! bytes, from left to right: how they were cut into reads changes neither what is found nor which
//! fault is told.
//!
//! Nothing is copied either: a [`request::RequestHead`] and a [`response::ResponseHead`] hold
//! positions in the caller's buffer and are parsed into again and again; a [`body::BodyReader`]
//! tells ranges; and [`send_request`] and [`send_response`] copy the lines that stay in runs.

pub mod body;
pub mod body_error;
mod chunk;
pub mod chunked;
pub mod edit;
mod emit;
pub mod error;
mod extension;
mod field_section;
mod framing;
mod grammar;
pub(crate) mod kind;
pub mod length;
pub mod limits;
mod options;
pub mod own_response;
pub mod reason;
pub mod request;
pub mod request_error;
mod request_line;
pub mod response;
pub mod response_error;
mod section;
pub mod send_error;
pub mod send_request;
pub mod send_response;
mod span;
mod status_line;
mod target;
mod trailers;
pub mod version;
