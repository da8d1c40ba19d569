//! Values that are used again and again: what one of them allocated is there for the next user.

use std::cell::RefCell;
use std::fmt;

/// Values that nobody uses just now. They are boxed, for they go from hand to hand, and are too large
/// to be moved each time.
#[derive(Default)]
pub struct Spares<T> {
    free: RefCell<Vec<Box<T>>>,
}

impl<T: Default> Spares<T> {
    /// A value, as it was given back by whoever had it before.
    pub fn take(&self) -> Box<T> {
        self.free.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes it back.
    pub fn give(&self, value: Box<T>) {
        let mut free = self.free.borrow_mut();
        if free.len() < MOST {
            free.push(value);
        }
    }
}

/// How many are kept, so that a rush of clients leaves no more than that behind.
const MOST: usize = 1024;

impl<T> fmt::Debug for Spares<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spares")
            .field("free", &self.free.borrow().len())
            .finish()
    }
}
