//! Bounds on what a peer may send: those that the configuration sets, and those that are fixed.

/// The bounds of a message head and of the trailer section of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the whole head including the empty line that ends it, or of the whole trailer
    /// section. Default 32 KiB; values above 256 MiB act as 256 MiB.
    pub max_head_bytes: usize,
    /// Field lines in a head or in a trailer section. Default 100.
    pub max_fields: usize,
    /// Bytes of the request target. Default 8 KiB (RFC 9112 section 3 recommends at least 8000).
    pub max_target_bytes: usize,
}

impl HeadLimits {
    /// The bytes within which a head must end, and whether `bytes` fill them.
    pub(super) fn window<'b>(&self, bytes: &'b [u8]) -> (&'b [u8], bool) {
        match bytes.get(..self.max_head()) {
            Some(window) => (window, true),
            None => (bytes, false),
        }
    }

    /// The effective bound of a head, in bytes. It always fits a `u32`.
    pub(super) fn max_head(&self) -> usize {
        self.max_head_bytes.min(1 << 28)
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            max_head_bytes: 32 << 10,
            max_fields: 100,
            max_target_bytes: 8 << 10,
        }
    }
}

/// Empty lines accepted before a request line (RFC 9112 section 2.2 requires at least one).
pub(super) const MAX_EMPTY_LINES: usize = 2;
/// Bytes of a method. The longest registered one has 17.
pub(super) const MAX_METHOD_BYTES: usize = 32;
/// Field names that `Connection` may list, besides `close`, `keep-alive` and `upgrade`. Each is
/// compared with every field.
pub(super) const MAX_CONNECTION_OPTIONS: usize = 32;
/// Hexadecimal digits of a chunk size: those of a `u64`.
pub(super) const MAX_CHUNK_SIZE_DIGITS: u8 = 16;
/// Bytes of chunk extensions accepted in excess of the bytes of data. Extensions are dropped, so a
/// body that consists mostly of extensions only costs CPU time.
pub(super) const MAX_CHUNK_EXTENSION_BYTES: u64 = 16 << 10;
