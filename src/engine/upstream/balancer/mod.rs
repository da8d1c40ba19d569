//! How the next backend of a cluster is chosen: one file per algorithm.

mod round_robin;

pub use round_robin::Cursor;

/// A load-balancing algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Balancer {
    /// Each healthy backend in turn, by the cursor of the route.
    #[default]
    RoundRobin,
}

impl Balancer {
    /// The index of the next of `healthy` backends; `None` if there are none. Advances the cursor.
    #[inline]
    pub(crate) fn next(self, cursor: &Cursor, healthy: u32) -> Option<usize> {
        match self {
            Self::RoundRobin => {
                // In a large table both miss the cache. Without the prefetch, the locked add would
                // fetch the cursor only after all earlier loads have finished.
                cursor.prefetch();
                cursor.advance(healthy)
            }
        }
    }

    /// The index that [`Balancer::next`] would return now, without advancing the cursor.
    pub(crate) fn peek(self, cursor: &Cursor, healthy: u32) -> Option<usize> {
        match self {
            Self::RoundRobin => cursor.peek_modulo(healthy),
        }
    }
}
