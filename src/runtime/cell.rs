//! The cell that holds the published snapshot: any number of readers, exactly one writer.
//!
//! `arc-swap` does the swap, so that no reader ever waits. Under `cfg(tollgate_loom)` a loom lock
//! stands in for it: loom then sees each load and each store as one step and explores every order.

use std::sync::Arc;

use crate::engine::Snapshot;

/// Loads the published snapshot. Cloning it is cheap; all clones read the same cell.
#[derive(Clone, Debug)]
pub struct SnapshotReader(Arc<Cell>);

/// Publishes snapshots. It is the only writer of its cell and cannot be cloned.
#[derive(Debug)]
pub struct SnapshotWriter(Arc<Cell>);

/// A loaded snapshot. It stays valid while the guard lives, whatever is published meanwhile.
#[cfg(not(tollgate_loom))]
pub type SnapshotGuard = arc_swap::Guard<Arc<Snapshot>>;
/// A loaded snapshot. It stays valid while the guard lives, whatever is published meanwhile.
#[cfg(tollgate_loom)]
pub type SnapshotGuard = Arc<Snapshot>;

#[cfg(not(tollgate_loom))]
type Cell = arc_swap::ArcSwap<Snapshot>;
#[cfg(tollgate_loom)]
type Cell = loom::sync::RwLock<Arc<Snapshot>>;

impl SnapshotReader {
    /// Loads the published snapshot, once a request: two loads may return different snapshots.
    #[cfg(not(tollgate_loom))]
    #[inline]
    pub fn load(&self) -> SnapshotGuard {
        self.0.load()
    }

    /// Loads the published snapshot, once a request: two loads may return different snapshots.
    #[cfg(tollgate_loom)]
    pub fn load(&self) -> SnapshotGuard {
        Arc::clone(
            &self
                .0
                .read()
                .expect("no thread panics while it holds the lock"),
        )
    }

    /// Loads the published snapshot to hold it for longer than a request.
    #[must_use]
    pub fn load_full(&self) -> Arc<Snapshot> {
        Arc::clone(&self.load())
    }
}

impl SnapshotWriter {
    /// Creates a cell that holds this snapshot.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        Self(Arc::new(Cell::new(snapshot)))
    }

    /// Returns a reader of this cell.
    #[must_use]
    pub fn reader(&self) -> SnapshotReader {
        SnapshotReader(Arc::clone(&self.0))
    }

    /// Publishes a snapshot with a single swap.
    #[cfg(not(tollgate_loom))]
    pub fn store(&mut self, snapshot: Arc<Snapshot>) {
        self.0.store(snapshot);
    }

    /// Publishes a snapshot with a single swap.
    #[cfg(tollgate_loom)]
    pub fn store(&mut self, snapshot: Arc<Snapshot>) {
        *self
            .0
            .write()
            .expect("no thread panics while it holds the lock") = snapshot;
    }
}
