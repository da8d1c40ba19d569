//! How much a peer may say before its message begins to cost more than it is worth.

/// The bounds of a head, and of the trailers of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the whole head with its blank line, or of all trailers. 32 KiB by default; what is
    /// above 256 MiB counts as 256 MiB.
    pub max_head_bytes: usize,
    /// Field lines in a head, or in the trailers. 100 by default.
    pub max_fields: usize,
    /// Bytes of the target of a request. 8 KiB by default (RFC 9112 section 3 asks for 8000).
    pub max_target_bytes: usize,
}

impl HeadLimits {
    /// The bytes within which a head must end, and whether `bytes` fill them.
    pub(crate) fn window<'b>(&self, bytes: &'b [u8]) -> (&'b [u8], bool) {
        let most = self.max_head();
        match bytes.get(..most) {
            Some(window) => (window, true),
            None => (bytes, false),
        }
    }

    pub(crate) fn max_head(&self) -> usize {
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
