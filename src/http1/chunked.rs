//! The chunked transfer coding (RFC 9112 section 7.1): decoding its framing byte by byte, and
//! encoding it.

use crate::http1::error::BodyError;
use crate::http1::field_kind::is_forbidden_trailer;
use crate::http1::grammar::{find_control, is_control, is_token, is_token_byte, push_number};
use crate::http1::limits::{MAX_CHUNK_EXTENSION_BYTES, MAX_CHUNK_SIZE_DIGITS};

/// The bytes that follow the data of a chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// Appends the bytes that precede `length` bytes of data; nothing for 0, as an empty chunk would end
/// the body. [`CHUNK_END`] must follow the data. This lets a caller send start, data and end in one
/// vectored write.
pub fn write_chunk_start(out: &mut Vec<u8>, length: usize) {
    if length > 0 {
        push_number(out, u64::try_from(length).unwrap_or(u64::MAX), 16);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends a chunk; nothing if `data` is empty.
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if !data.is_empty() {
        write_chunk_start(out, data.len());
        out.extend_from_slice(data);
        out.extend_from_slice(CHUNK_END);
    }
}

/// Appends the last chunk and the trailer section. Drops trailers with a forbidden name (RFC 9110
/// section 6.5.1), an invalid name or a value that contains a control character.
pub fn write_last_chunk<'t>(
    out: &mut Vec<u8>,
    trailers: impl IntoIterator<Item = (&'t [u8], &'t [u8])>,
) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers {
        let is_valid = is_token(name) && find_control(value, 0).is_none();
        if is_valid && !is_forbidden_trailer(name) {
            for part in [name, b": ", value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// The decoder of the framing: sizes, extensions and line ends. Its caller takes the data.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkDecoder {
    place: Place,
    /// The size of the current chunk while it is read, then the data that remains of it.
    remaining: u64,
    data_bytes: u64,
    extension_bytes: u64,
}

/// The element of a chunked body that the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum Place {
    Size { digits: u8 },
    Extension(Extension),
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailers,
}

/// The element of `*( BWS ";" BWS name [ BWS "=" BWS value ] )` (RFC 9112 section 7.1.1) that the
/// previous byte belongs to. Extensions are validated and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    /// White space before a `;`.
    BeforeSemicolon,
    /// A `;`, or white space after it.
    BeforeName,
    Name,
    /// White space after a name.
    AfterName,
    /// A `=`, or white space after it.
    BeforeValue,
    Value,
    Quoted,
    /// A backslash in a quoted string.
    Escaped,
    /// The closing quotation mark.
    AfterQuoted,
}

impl ChunkDecoder {
    /// The start of a body.
    pub(super) const START: Self = Self {
        place: Place::Size { digits: 0 },
        remaining: 0,
        data_bytes: 0,
        extension_bytes: 0,
    };

    /// The bytes of data that come next; 0 if framing comes next.
    pub(super) const fn data(&self) -> u64 {
        if matches!(self.place, Place::Data) {
            self.remaining
        } else {
            0
        }
    }

    /// Counts `bytes` of data as taken.
    pub(super) const fn take(&mut self, bytes: u64) {
        self.remaining = self.remaining.saturating_sub(bytes);
        self.data_bytes = self.data_bytes.saturating_add(bytes);
        if self.remaining == 0 {
            self.place = Place::DataCr;
        }
    }

    /// Whether the last chunk has been read and the trailer section comes next.
    pub(super) const fn at_trailers(&self) -> bool {
        matches!(self.place, Place::Trailers)
    }

    /// Reads framing up to data, the trailer section or the end of `bytes`; returns its length.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<usize, BodyError> {
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(self.place, Place::Data | Place::Trailers) {
                return Ok(at);
            }
            self.place = self.next(*byte)?;
        }
        Ok(bytes.len())
    }

    fn next(&mut self, byte: u8) -> Result<Place, BodyError> {
        match (self.place, byte) {
            (Place::Size { digits }, _) => self.size(digits, byte),
            (Place::Extension(extension), b'\r') if extension.may_end() => Ok(Place::SizeLf),
            (Place::Extension(extension), _) => {
                let next = extension.next(byte).ok_or(BodyError::ChunkExtension)?;
                self.extension(next)
            }
            (Place::SizeLf, b'\n') if self.remaining == 0 => Ok(Place::Trailers),
            (Place::SizeLf, b'\n') => Ok(Place::Data),
            (Place::SizeLf, _) => Err(BodyError::ChunkSize),
            (Place::DataCr, b'\r') => Ok(Place::DataLf),
            (Place::DataLf, b'\n') => {
                self.remaining = 0;
                Ok(Place::Size { digits: 0 })
            }
            (Place::DataCr | Place::DataLf, _) => Err(BodyError::ChunkEnd),
            (Place::Data | Place::Trailers, _) => Ok(self.place),
        }
    }

    fn size(&mut self, digits: u8, byte: u8) -> Result<Place, BodyError> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ if digits == 0 => return Err(BodyError::ChunkSize),
            b'\r' => return Ok(Place::SizeLf),
            _ => return self.extension(Extension::begin(byte).ok_or(BodyError::ChunkSize)?),
        };
        if digits == MAX_CHUNK_SIZE_DIGITS {
            return Err(BodyError::ChunkSize);
        }
        self.remaining = self.remaining << 4 | u64::from(digit);
        let digits = digits + 1;
        Ok(Place::Size { digits })
    }

    fn extension(&mut self, next: Extension) -> Result<Place, BodyError> {
        let max = MAX_CHUNK_EXTENSION_BYTES;
        self.extension_bytes += 1;
        if self.extension_bytes > self.data_bytes.saturating_add(max) {
            return Err(BodyError::ChunkExtensions { max });
        }
        Ok(Place::Extension(next))
    }
}

impl Extension {
    /// The element that the first byte after the size begins; `None` if it begins no extension.
    const fn begin(byte: u8) -> Option<Self> {
        match byte {
            b';' => Some(Self::BeforeName),
            b' ' | b'\t' => Some(Self::BeforeSemicolon),
            _ => None,
        }
    }

    /// Whether the line may end after this element.
    const fn may_end(self) -> bool {
        matches!(self, Self::Name | Self::Value | Self::AfterQuoted)
    }

    /// The element that `byte` belongs to; `None` if it is invalid here.
    const fn next(self, byte: u8) -> Option<Self> {
        let is_space = matches!(byte, b' ' | b'\t');
        Some(match (self, byte) {
            (Self::Quoted, b'"') => Self::AfterQuoted,
            (Self::Quoted, b'\\') => Self::Escaped,
            (Self::Quoted | Self::Escaped, _) if !is_control(byte) => Self::Quoted,
            (Self::Quoted | Self::Escaped, _) => return None,
            (Self::BeforeSemicolon | Self::BeforeName | Self::AfterName | Self::BeforeValue, _)
                if is_space =>
            {
                self
            }
            (Self::BeforeName | Self::Name, _) if is_token_byte(byte) => Self::Name,
            (Self::BeforeValue | Self::Value, _) if is_token_byte(byte) => Self::Value,
            (Self::BeforeValue, b'"') => Self::Quoted,
            (Self::Name | Self::AfterName, b'=') => Self::BeforeValue,
            (
                Self::BeforeSemicolon
                | Self::Name
                | Self::AfterName
                | Self::Value
                | Self::AfterQuoted,
                b';',
            ) => Self::BeforeName,
            (Self::Name, _) if is_space => Self::AfterName,
            (Self::Value | Self::AfterQuoted, _) if is_space => Self::BeforeSemicolon,
            _ => return None,
        })
    }
}
