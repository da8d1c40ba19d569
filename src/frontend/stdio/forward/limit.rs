//! The limit of requests in flight.

use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Counts requests in flight, up to a maximum.
#[derive(Debug)]
pub(super) struct Limit {
    in_flight: Mutex<usize>,
    freed: Condvar,
    max: usize,
}

/// Counts one request as in flight until it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<Limit>);

impl Limit {
    pub(super) const fn new(max: NonZeroUsize) -> Self {
        Self {
            in_flight: Mutex::new(0),
            freed: Condvar::new(),
            max: max.get(),
        }
    }

    /// Counts a request. The caller has checked that there is room.
    pub(super) fn acquire(limit: &Arc<Self>) -> Permit {
        *limit.in_flight() += 1;
        Permit(Arc::clone(limit))
    }

    /// Whether another request may be in flight.
    pub(super) fn has_capacity(&self) -> bool {
        *self.in_flight() < self.max
    }

    /// Waits until another request may be in flight.
    pub(super) fn wait_for_capacity(&self) {
        let is_full = |in_flight: &mut usize| *in_flight >= self.max;
        let waited = self.freed.wait_while(self.in_flight(), is_full);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn in_flight(&self) -> MutexGuard<'_, usize> {
        // A number is valid whatever panicked.
        self.in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.0.in_flight() -= 1;
        self.0.freed.notify_one();
    }
}
