//! The cell that the snapshot in force lies in: readers wait for nobody.
//!
//! The swap itself is `arc-swap`'s. Under `cfg(tollgate_loom)` a lock of loom's stands in for it, so that
//! loom sees each load and store as one step and tries every order of them.

use std::sync::Arc;

use crate::engine::Snapshot;

/// A snapshot that another may take the place of at any time.
#[derive(Debug)]
pub struct SnapshotCell(Cell);

/// A snapshot, loaded; it stays whole while it is held.
#[cfg(not(tollgate_loom))]
pub type Held = arc_swap::Guard<Arc<Snapshot>>;
/// A snapshot, loaded; it stays whole while it is held.
#[cfg(tollgate_loom)]
pub type Held = Arc<Snapshot>;

#[cfg(not(tollgate_loom))]
type Cell = arc_swap::ArcSwap<Snapshot>;
#[cfg(tollgate_loom)]
type Cell = loom::sync::RwLock<Arc<Snapshot>>;

impl SnapshotCell {
    /// A cell with this snapshot in it.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self(Cell::new(Arc::new(snapshot)))
    }

    /// The snapshot in force.
    #[cfg(not(tollgate_loom))]
    #[inline]
    pub fn load(&self) -> Held {
        self.0.load()
    }

    /// The snapshot in force.
    #[cfg(tollgate_loom)]
    pub fn load(&self) -> Held {
        Arc::clone(&self.0.read().expect("no one panics with the lock held"))
    }

    /// Puts another in force, whole.
    #[cfg(not(tollgate_loom))]
    pub fn store(&self, snapshot: Snapshot) {
        self.0.store(Arc::new(snapshot));
    }

    /// Puts another in force, whole.
    #[cfg(tollgate_loom)]
    pub fn store(&self, snapshot: Snapshot) {
        *self.0.write().expect("no one panics with the lock held") = Arc::new(snapshot);
    }
}
