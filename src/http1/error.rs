//! The errors of the codec, one enum for each thing that can be invalid.
//!
//! A message names the field and the byte, never the value, which may be a secret.
//! Each error has a stable dotted code, the same in responses, logs and metrics.

use thiserror::Error;

/// A request head that is rejected. The connection must close after it: the start of the next
/// request is unknown.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RequestHeadError {
    /// Not `method SP request-target SP HTTP-version CRLF` (RFC 9112 section 3).
    #[error("invalid request line: {what}; send `METHOD target HTTP/1.1` with single spaces")]
    RequestLine {
        /// The problem.
        what: &'static str,
    },
    /// A method that is longer than every registered one (RFC 9112 section 3).
    #[error("the method is longer than {max} bytes")]
    MethodTooLong {
        /// The limit, in bytes.
        max: usize,
    },
    /// CONNECT (RFC 9110 section 9.3.6). Its status is 501 and not 405: 405 is about a resource,
    /// and CONNECT names none.
    #[error("CONNECT is not supported; a gateway is not a forward proxy")]
    Connect,
    /// RFC 9112 section 3.
    #[error("the target is longer than {max} bytes")]
    TargetTooLong {
        /// The limit, in bytes.
        max: usize,
    },
    /// A target in none of the forms of RFC 9112 section 3.2.
    #[error(
        "invalid target: {what}; send `/path?query`, an absolute http or https URI, or `*` with OPTIONS"
    )]
    Target {
        /// The problem.
        what: &'static str,
    },
    /// A version other than HTTP/1.0 and HTTP/1.1 (RFC 9110 section 2.5).
    #[error("unsupported version HTTP/{major}.{minor}; send HTTP/1.1 or HTTP/1.0")]
    Version {
        /// The major version, a digit.
        major: char,
        /// The minor version, a digit.
        minor: char,
    },
    /// An invalid field line, or too many of them.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// No `Host` in an HTTP/1.1 request (RFC 9112 section 3.2).
    #[error("missing Host; an HTTP/1.1 request must have one")]
    MissingHost,
    /// More than one `Host` (RFC 9112 section 3.2).
    #[error("duplicate Host; send it once")]
    DuplicateHost,
    /// A `Host` that is not `uri-host [":" port]` (RFC 9110 section 7.2).
    #[error("invalid Host: {what}")]
    Host {
        /// The problem.
        what: &'static str,
    },
    /// A `Connection` field with too many options.
    #[error("Connection lists more than {max} fields")]
    TooManyOptions {
        /// The limit.
        max: usize,
    },
    /// Fields that do not declare one body length.
    #[error(transparent)]
    Framing(#[from] FramingError),
}

impl RequestHeadError {
    /// The stable code, `http1.*`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RequestLine { .. } => "http1.bad_request_line",
            Self::MethodTooLong { .. } => "http1.method_too_long",
            Self::Connect => "http1.connect",
            Self::TargetTooLong { .. } => "http1.target_too_long",
            Self::Target { .. } => "http1.bad_target",
            Self::Version { .. } => "http1.version_not_supported",
            Self::Field(error) => error.code(),
            Self::MissingHost => "http1.host_missing",
            Self::DuplicateHost => "http1.host_twice",
            Self::Host { .. } => "http1.bad_host",
            Self::TooManyOptions { .. } => "http1.too_many_options",
            Self::Framing(error) => error.code(),
        }
    }

    /// The status of the local response: 400, 414, 431, 501 or 505.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::RequestLine { .. }
            | Self::Target { .. }
            | Self::MissingHost
            | Self::DuplicateHost
            | Self::Host { .. } => 400,
            Self::MethodTooLong { .. } | Self::Connect => 501,
            Self::TargetTooLong { .. } => 414,
            Self::TooManyOptions { .. } => 431,
            Self::Version { .. } => 505,
            Self::Field(error) => error.status(),
            Self::Framing(error) => error.status(),
        }
    }
}

/// A response head that must not be forwarded; the client gets a 502. The upstream connection must
/// close after it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ResponseHeadError {
    /// Not `HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 section 4).
    #[error("invalid status line: {what}; send `HTTP/1.1 200 OK`")]
    StatusLine {
        /// The problem.
        what: &'static str,
    },
    /// Below 100 or above 599 (RFC 9110 section 15).
    #[error("invalid status {status:03}; send one from 100 to 599")]
    Status {
        /// The status code.
        status: u16,
    },
    /// A 101 to a request without `Upgrade` (RFC 9110 section 15.2.2). It would turn a connection
    /// that requests share into a tunnel.
    #[error("the status is 101, but the request asked for no upgrade")]
    UnexpectedUpgrade,
    /// An invalid field line, or too many of them.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A `Connection` field with too many options.
    #[error("Connection lists more than {max} fields")]
    TooManyOptions {
        /// The limit.
        max: usize,
    },
    /// Fields that do not declare one body length.
    #[error(transparent)]
    Framing(#[from] FramingError),
}

impl ResponseHeadError {
    /// The stable code, `http1.*`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::StatusLine { .. } => "http1.bad_status_line",
            Self::Status { .. } => "http1.bad_status",
            Self::UnexpectedUpgrade => "http1.upgrade_unasked",
            Self::Field(error) => error.code(),
            Self::TooManyOptions { .. } => "http1.too_many_options",
            Self::Framing(error) => error.code(),
        }
    }
}

/// A field section of a head or of trailers that is not
/// `*( field-name ":" OWS field-value OWS CRLF ) CRLF` (RFC 9112 section 5), or too large.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FieldError {
    /// A line that ends in LF alone. RFC 9112 section 2.2 lets a recipient accept it; recipients
    /// that differ in this enable request smuggling.
    #[error("byte {at} is a bare LF; end lines with CR LF")]
    BareLf {
        /// The offset from the start of the head.
        at: usize,
    },
    /// A CR without LF (RFC 9112 section 2.2).
    #[error("byte {at} is a CR without LF; end lines with CR LF")]
    BareCr {
        /// The offset from the start of the head.
        at: usize,
    },
    /// A value that continues on the next line (RFC 9112 section 5.2).
    #[error("field `{name}` continues on a second line; send its value on one line")]
    ObsFold {
        /// The name of the field.
        name: Box<str>,
    },
    /// White space before the first field (RFC 9112 section 2.2).
    #[error("white space before the first field; begin each line with a field name")]
    LeadingSpace,
    /// White space between name and colon (RFC 9112 section 5.1).
    #[error("white space between field name `{name}` and its colon; remove it")]
    SpaceAfterName {
        /// The text before the white space.
        name: Box<str>,
    },
    /// A line that begins with a colon.
    #[error("byte {at} is a colon without a field name; send `name: value`")]
    EmptyName {
        /// The offset from the start of the head.
        at: usize,
    },
    /// A line without a colon.
    #[error("field line `{name}` has no colon; send `name: value`")]
    NoColon {
        /// The line.
        name: Box<str>,
    },
    /// A byte in a field name that is not a token byte (RFC 9110 section 5.6.2).
    #[error(
        "the field name that begins with `{name}` contains byte 0x{byte:02x}; use letters, digits and !#$%&'*+-.^_`|~"
    )]
    NameByte {
        /// The text before the byte.
        name: Box<str>,
        /// The byte.
        byte: u8,
    },
    /// A control character in a value (RFC 9110 section 5.5).
    #[error(
        "the value of field `{name}` contains byte 0x{byte:02x}; remove control characters other than tab"
    )]
    ValueByte {
        /// The name of the field.
        name: Box<str>,
        /// The byte.
        byte: u8,
    },
    /// More field lines than [`max_fields`](crate::http1::HeadLimits::max_fields).
    #[error("more than {max} field lines")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// More bytes than [`max_head_bytes`](crate::http1::HeadLimits::max_head_bytes).
    #[error("the section does not end within {max} bytes")]
    TooLarge {
        /// The limit, in bytes.
        max: usize,
    },
}

impl FieldError {
    /// The stable code, `http1.*`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BareLf { .. } => "http1.bare_lf",
            Self::BareCr { .. } => "http1.bare_cr",
            Self::ObsFold { .. } => "http1.obs_fold",
            Self::LeadingSpace => "http1.leading_space",
            Self::SpaceAfterName { .. } => "http1.space_after_name",
            Self::EmptyName { .. } | Self::NameByte { .. } => "http1.bad_field_name",
            Self::NoColon { .. } => "http1.no_colon",
            Self::ValueByte { .. } => "http1.bad_field_value",
            Self::TooMany { .. } => "http1.too_many_fields",
            Self::TooLarge { .. } => "http1.head_too_large",
        }
    }

    /// The status of the local response: 400, or 431 if a limit is exceeded (RFC 6585 section 5).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooMany { .. } | Self::TooLarge { .. } => 431,
            Self::BareLf { .. }
            | Self::BareCr { .. }
            | Self::ObsFold { .. }
            | Self::LeadingSpace
            | Self::SpaceAfterName { .. }
            | Self::EmptyName { .. }
            | Self::NameByte { .. }
            | Self::NoColon { .. }
            | Self::ValueByte { .. } => 400,
        }
    }
}

/// `Content-Length` and `Transfer-Encoding` fields that do not declare exactly one body length
/// (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FramingError {
    /// RFC 9110 section 8.6.
    #[error("invalid Content-Length; send one to eighteen decimal digits")]
    ContentLength,
    /// Two `Content-Length` fields, even if they are equal: RFC 9110 section 8.6 lets a recipient
    /// accept that, and no sender needs it.
    #[error("duplicate Content-Length; send it once")]
    DuplicateContentLength,
    /// Both fields, the oldest vector of request smuggling (RFC 9112 section 6.1).
    #[error("both Transfer-Encoding and Content-Length are present; send one of them")]
    LengthAndTransferEncoding,
    /// `Transfer-Encoding` in HTTP/1.0, whose framing is faulty by RFC 9112 section 6.1.
    #[error("Transfer-Encoding is not part of HTTP/1.0; send HTTP/1.1 or Content-Length")]
    TransferEncodingInHttp10,
    /// RFC 9112 section 6.1.
    #[error("duplicate Transfer-Encoding; send `chunked` once")]
    DuplicateTransferEncoding,
    /// `identity`, `chunked` twice or not last, or not a list of tokens (RFC 9112 sections 6.1
    /// and 7).
    #[error("invalid Transfer-Encoding; send `chunked` once")]
    TransferEncoding,
    /// A coding that the gateway cannot decode (RFC 9112 section 6.1 asks for 501).
    #[error("unsupported transfer coding; the only supported one is `chunked`")]
    UnknownCoding,
}

impl FramingError {
    /// The stable code, `http1.*`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ContentLength => "http1.bad_content_length",
            Self::DuplicateContentLength => "http1.content_length_twice",
            Self::LengthAndTransferEncoding => "http1.length_and_chunked",
            Self::TransferEncodingInHttp10 => "http1.chunked_in_http10",
            Self::DuplicateTransferEncoding => "http1.transfer_encoding_twice",
            Self::TransferEncoding => "http1.bad_transfer_encoding",
            Self::UnknownCoding => "http1.unknown_coding",
        }
    }

    /// The status of the local response: 400, or 501 for an unsupported coding.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownCoding => 501,
            Self::ContentLength
            | Self::DuplicateContentLength
            | Self::LengthAndTransferEncoding
            | Self::TransferEncodingInHttp10
            | Self::DuplicateTransferEncoding
            | Self::TransferEncoding => 400,
        }
    }
}

/// A body that is invalid or incomplete. Its recipient must see the connection close before the
/// message ends, so that it cannot take the body for a complete one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BodyError {
    /// Not 1 to 16 hexadecimal digits (RFC 9112 section 7.1).
    #[error("invalid chunk size; send 1 to 16 hexadecimal digits, then CR LF")]
    ChunkSize,
    /// Not `*( BWS ";" BWS name [ BWS "=" BWS value ] )` (RFC 9112 section 7.1.1).
    #[error("invalid chunk extension; send `;name` or `;name=value`")]
    ChunkExtension,
    /// Chunk extensions that outweigh the data.
    #[error("the chunk extensions are more than {max} bytes larger than the data")]
    ChunkExtensions {
        /// The allowed excess, in bytes.
        max: u64,
    },
    /// Chunk data that is longer than the chunk size (RFC 9112 section 7.1).
    #[error("the chunk data is not followed by CR LF; send as many bytes as the chunk size says")]
    ChunkEnd,
    /// An invalid trailer section.
    #[error("invalid trailers: {0}")]
    Trailers(#[source] FieldError),
    /// The connection closed before the end of the body (RFC 9112 section 8).
    #[error("the connection closed before the end of the body")]
    Incomplete,
}

impl BodyError {
    /// The stable code, `http1.*`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChunkSize => "http1.bad_chunk_size",
            Self::ChunkExtension => "http1.bad_chunk_extension",
            Self::ChunkExtensions { .. } => "http1.chunk_extensions_too_large",
            Self::ChunkEnd => "http1.bad_chunk_end",
            Self::Trailers(_) => "http1.bad_trailers",
            Self::Incomplete => "http1.body_cut_off",
        }
    }

    /// The status of the local response to a request with this body: 400, or 431 if its trailers
    /// exceed a limit.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Trailers(error) => error.status(),
            Self::ChunkSize
            | Self::ChunkExtension
            | Self::ChunkExtensions { .. }
            | Self::ChunkEnd
            | Self::Incomplete => 400,
        }
    }
}

/// A head that is not encoded, because its recipient would read something else. Nothing has been
/// written.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EncodeError {
    /// The method is not a token.
    #[error("the outgoing method is not a token")]
    Method,
    /// The target is empty, or contains a space, a control character or a byte that is not ASCII.
    #[error("the outgoing target is empty or contains bytes that are not graphic ASCII")]
    Target,
    /// The body of a request would end when the connection closes; no response could follow.
    #[error("the outgoing request has a body that is neither chunked nor of a known length")]
    UntilClose,
    /// The status is below 100 or above 599.
    #[error("the outgoing status is not from 100 to 599")]
    Status,
    /// A field name is not a token, or a value contains a control character.
    #[error("an outgoing field has an invalid name or value")]
    Field,
}

impl EncodeError {
    /// The stable code, `http1.*`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Method => "http1.send_method",
            Self::Target => "http1.send_target",
            Self::UntilClose => "http1.send_until_close",
            Self::Status => "http1.send_status",
            Self::Field => "http1.send_field",
        }
    }
}

/// A field value that contains a control character, such as a line end.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a field value must not contain control characters other than tab")]
pub struct FieldValueError;

/// The start of `bytes`, at most forty of them, for an error message.
pub(super) fn excerpt(bytes: &[u8]) -> Box<str> {
    let shown = bytes.get(..40).unwrap_or(bytes);
    String::from_utf8_lossy(shown).into()
}
