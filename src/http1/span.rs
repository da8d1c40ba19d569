//! Where something stands in the bytes of a message, in eight bytes.

/// From one position to another. It says nothing of which bytes: the caller keeps those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        // Heads are bounded far below four gigabytes, see `HeadLimits::max_head`.
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: short(start),
            end: short(end),
        }
    }

    #[expect(
        clippy::as_conversions,
        reason = "u32 to usize never truncates on a 32 or 64-bit target"
    )]
    pub(crate) const fn start(self) -> usize {
        self.start as usize
    }

    #[expect(
        clippy::as_conversions,
        reason = "u32 to usize never truncates on a 32 or 64-bit target"
    )]
    pub(crate) const fn end(self) -> usize {
        self.end as usize
    }

    /// What stands there; nothing if these are other bytes than those it was made for.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start()..self.end()).unwrap_or_default()
    }

    /// What stands there, where the reader let only ASCII through.
    pub(crate) fn text(self, bytes: &[u8]) -> &str {
        str::from_utf8(self.of(bytes)).unwrap_or_default()
    }
}
