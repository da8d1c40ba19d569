//! Four-byte indexes into the compiled arrays: half the size of a `usize`.

/// An index into a compiled array, below 4,294,967,295, or [`Index::NONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Index(u32);

impl Index {
    /// No index.
    pub(crate) const NONE: Self = Self(u32::MAX);
    /// The index of the first element.
    pub(crate) const ZERO: Self = Self(0);

    /// Converts a position.
    ///
    /// # Panics
    /// If `position` is 4,294,967,295 or more, which needs more memory than a configuration has.
    pub(crate) fn new(position: usize) -> Self {
        let position = u32::try_from(position).expect("fewer than four billion elements");
        assert!(position != u32::MAX, "fewer than four billion elements");
        Self(position)
    }

    #[expect(
        clippy::as_conversions,
        reason = "u32 to usize never truncates on a 32 or 64-bit target"
    )]
    pub(crate) const fn get(self) -> usize {
        self.0 as usize
    }

    /// The index; `None` if it is [`Index::NONE`].
    pub(crate) fn some(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}
