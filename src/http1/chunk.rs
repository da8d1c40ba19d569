//! The framing of a chunked body, byte by byte (RFC 9112 section 7.1).

use crate::http1::body_error::BodyError;
use crate::http1::extension::Extension;

/// How many bytes of extensions are let through beyond those of the data. They are dropped, so a
/// sender that hides much behind little data only wastes our time.
const MAX_EXTENSION_BYTES: u64 = 16 << 10;
/// As many as a `u64` holds.
const MAX_SIZE_DIGITS: u8 = 16;

/// Where in a chunked body we are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunks {
    place: Place,
    /// Of the current chunk: its size while that is read, then what is to come of its data.
    remaining: u64,
    data_bytes: u64,
    extension_bytes: u64,
}

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

impl Chunks {
    pub(crate) const START: Self = Self {
        place: Place::Size { digits: 0 },
        remaining: 0,
        data_bytes: 0,
        extension_bytes: 0,
    };

    /// The bytes of data that come next; none where framing comes next.
    pub(crate) const fn data(&self) -> u64 {
        if matches!(self.place, Place::Data) {
            self.remaining
        } else {
            0
        }
    }

    /// Counts `bytes` of data.
    pub(crate) const fn take(&mut self, bytes: u64) {
        self.remaining = self.remaining.saturating_sub(bytes);
        self.data_bytes = self.data_bytes.saturating_add(bytes);
        if self.remaining == 0 {
            self.place = Place::DataCr;
        }
    }

    /// Whether the last chunk is over, and the trailers come next.
    pub(crate) const fn at_trailers(&self) -> bool {
        matches!(self.place, Place::Trailers)
    }

    /// Reads framing up to data, the trailers, or the end of `bytes`; gives how much of it.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<usize, BodyError> {
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
            (Place::Extension(place), b'\r') if place.may_end() => Ok(Place::SizeLf),
            (Place::Extension(place), _) => {
                let next = place.next(byte).ok_or(BodyError::ChunkExtension)?;
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
        if digits == MAX_SIZE_DIGITS {
            return Err(BodyError::ChunkSize);
        }
        self.remaining = self.remaining << 4 | u64::from(digit);
        let digits = digits + 1;
        Ok(Place::Size { digits })
    }

    fn extension(&mut self, next: Extension) -> Result<Place, BodyError> {
        let max = MAX_EXTENSION_BYTES;
        self.extension_bytes += 1;
        if self.extension_bytes > self.data_bytes.saturating_add(max) {
            return Err(BodyError::ChunkExtensions { max });
        }
        Ok(Place::Extension(next))
    }
}
