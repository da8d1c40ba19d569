//! Four-byte positions in the compiled tables: half the memory of a `usize`, with a niche for "none".

/// A position in one of the compiled tables; at most 4,294,967,294 entries each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Index(u32);

impl Index {
    /// Stands where there is no entry.
    pub(crate) const NONE: Self = Self(u32::MAX);
    /// The first entry.
    pub(crate) const ZERO: Self = Self(0);

    /// # Panics
    /// If a table has more entries than four bytes count, which its memory forbids long before.
    pub(crate) fn new(position: usize) -> Self {
        let position = u32::try_from(position).expect("a table of four billion entries");
        assert!(position != u32::MAX, "a table of four billion entries");
        Self(position)
    }

    #[expect(
        clippy::as_conversions,
        reason = "u32 to usize never truncates on a 32 or 64-bit target"
    )]
    pub(crate) const fn get(self) -> usize {
        self.0 as usize
    }

    /// The position, unless it is [`Index::NONE`].
    pub(crate) fn some(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}
