//! Values that a worker reuses, so that the next user finds what the last one allocated.

use std::cell::RefCell;
use std::fmt;

/// Unused values. They are boxed because they change hands often and are large.
#[derive(Default)]
pub(crate) struct FreeList<T> {
    free: RefCell<Vec<Box<T>>>,
}

impl<T: Default> FreeList<T> {
    /// A value in the state in which the last user returned it, or a new one.
    pub(crate) fn take(&self) -> Box<T> {
        self.free.borrow_mut().pop().unwrap_or_default()
    }

    /// Returns a value. Beyond [`MAX_FREE`] unused ones it is dropped.
    pub(crate) fn give(&self, value: Box<T>) {
        let mut free = self.free.borrow_mut();
        if free.len() < MAX_FREE {
            free.push(value);
        }
    }
}

/// Bounds what a burst of clients leaves behind.
const MAX_FREE: usize = 1024;

impl<T> fmt::Debug for FreeList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeList")
            .field("free", &self.free.borrow().len())
            .finish()
    }
}
