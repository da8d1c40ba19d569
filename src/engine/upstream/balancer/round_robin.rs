//! Round robin: one lock-free cursor per route.

use std::num::NonZeroU64;

use crate::engine::sync::{AtomicU64, Ordering};

/// The cursor of one route: lock-free, and carried over from snapshot to snapshot. It fills a cache
/// line, because two threads that increment on the same line take four times as long.
#[derive(Debug)]
#[repr(align(64))]
pub struct Cursor(AtomicU64);

impl Cursor {
    /// A cursor whose next value is `first`.
    #[must_use]
    pub fn new(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }

    /// Advances the cursor and returns its previous value; after `u64::MAX` comes 0.
    #[inline]
    pub fn next(&self) -> u64 {
        // Relaxed: no other memory depends on the value; each caller only needs a distinct one.
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// Advances the cursor and returns its previous value modulo `of`; `None`, without advancing,
    /// if `of` is 0.
    #[inline]
    pub(crate) fn advance(&self, of: u32) -> Option<usize> {
        if of == 0 {
            None
        } else {
            modulo(self.next(), of)
        }
    }

    /// Reads the cursor to prefetch its cache line. Does nothing under loom, which would only have
    /// to explore one more step.
    #[inline]
    pub(crate) fn prefetch(&self) {
        #[cfg(not(tollgate_loom))]
        let _ = self.peek();
    }

    /// The value that [`Cursor::next`] would return, modulo `of`, without advancing; `None` if `of`
    /// is 0.
    pub(crate) fn peek_modulo(&self, of: u32) -> Option<usize> {
        modulo(self.peek(), of)
    }

    /// The value that [`Cursor::next`] would return, without advancing.
    #[must_use]
    pub fn peek(&self) -> u64 {
        // Relaxed: no other memory depends on the value, which may be stale.
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Cursor {
    fn default() -> Self {
        Self::new(0)
    }
}

#[inline]
fn modulo(value: u64, of: u32) -> Option<usize> {
    usize::try_from(value % NonZeroU64::new(of.into())?).ok()
}

#[cfg(test)]
#[cfg(not(tollgate_loom))]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_fills_a_cache_line() {
        assert_eq!((align_of::<Cursor>(), size_of::<Cursor>()), (64, 64));
    }
}
