//! Read buffers, shared by all connections of a worker: an idle connection owns none.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// The unused buffers of one worker.
#[derive(Default)]
pub(crate) struct Buffers {
    small: RefCell<Vec<Box<[u8]>>>,
    large: RefCell<Vec<Box<[u8]>>>,
    /// How many large buffers are in use.
    lent: Rc<Cell<usize>>,
    outputs: RefCell<Vec<Vec<u8>>>,
}

/// Bytes that were read and not yet consumed.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    /// Set for a large buffer.
    _loan: Option<Loan>,
}

/// Counts one large buffer as in use until it is dropped.
#[derive(Debug)]
struct Loan(Rc<Cell<usize>>);

/// Enough for nearly every head, and for a small body behind it.
const SMALL_BYTES: usize = 16 << 10;
/// For bodies that fill a small buffer: reads of 64 KiB cost more than twice as much per byte.
const LARGE_BYTES: usize = 512 << 10;
/// How many unused buffers of each kind are held.
const MAX_SMALL: usize = 256;
const MAX_LARGE: usize = 8;
/// How many large buffers may be in use, 32 MiB in all, so that slow peers cannot make the gateway
/// hold much memory.
const MAX_LENT: usize = 64;

impl Buffers {
    /// A buffer for heads.
    pub(crate) fn take(&self) -> Buffer {
        let bytes = self.small.borrow_mut().pop();
        Buffer::new(bytes.unwrap_or_else(|| vec![0; SMALL_BYTES].into()))
    }

    /// A buffer for large bodies, or a small one if too many are in use.
    pub(crate) fn take_large(&self) -> Buffer {
        let lent = self.lent.get();
        if lent >= MAX_LENT {
            return self.take();
        }
        self.lent.set(lent + 1);
        let bytes = self.large.borrow_mut().pop();
        let bytes = bytes.unwrap_or_else(|| vec![0; LARGE_BYTES].into());
        Buffer {
            _loan: Some(Loan(Rc::clone(&self.lent))),
            ..Buffer::new(bytes)
        }
    }

    /// Returns a buffer, with whatever it contains.
    pub(crate) fn give(&self, buffer: Buffer) {
        let (unused, max) = match buffer.bytes.len() {
            SMALL_BYTES => (&self.small, MAX_SMALL),
            LARGE_BYTES => (&self.large, MAX_LARGE),
            _ => return,
        };
        let mut unused = unused.borrow_mut();
        if unused.len() < max {
            unused.push(buffer.bytes);
        }
    }

    /// An empty byte vector for heads.
    pub(crate) fn take_output(&self) -> Vec<u8> {
        self.outputs.borrow_mut().pop().unwrap_or_default()
    }

    /// Returns a byte vector, with whatever it contains.
    pub(crate) fn give_output(&self, mut output: Vec<u8>) {
        let mut unused = self.outputs.borrow_mut();
        let is_usual = output.capacity() > 0 && output.capacity() <= SMALL_BYTES;
        if is_usual && unused.len() < MAX_SMALL {
            output.clear();
            unused.push(output);
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers")
            .field("small", &self.small.borrow().len())
            .field("large", &self.large.borrow().len())
            .finish_non_exhaustive()
    }
}

impl Buffer {
    fn new(bytes: Box<[u8]>) -> Self {
        Self {
            bytes,
            start: 0,
            end: 0,
            _loan: None,
        }
    }

    /// The bytes that are not consumed.
    #[must_use]
    pub(crate) fn data(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The bytes that are not consumed, to be rewritten in place.
    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// Consumes `bytes` bytes.
    pub(crate) const fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        if self.start >= self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// The space behind the data. Without such space, the data moves to the front first. Empty
    /// if the buffer is full.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Adds `bytes` bytes of the space to the data.
    pub(crate) const fn filled(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Whether it has no space until some data is consumed.
    #[must_use]
    pub(crate) const fn is_full(&self) -> bool {
        self.start == 0 && self.end == self.bytes.len()
    }

    /// Whether it has no data.
    #[must_use]
    pub(crate) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether a larger buffer exists.
    #[must_use]
    pub(crate) const fn is_small(&self) -> bool {
        self.bytes.len() < LARGE_BYTES
    }

    /// Doubles its size, for an unusually long head.
    pub(crate) fn grow(&mut self) {
        let mut bytes = vec![0; (self.bytes.len() * 2).max(SMALL_BYTES)].into_boxed_slice();
        let length = self.data().len();
        if let Some(to) = bytes.get_mut(..length) {
            to.copy_from_slice(self.data());
        }
        self.bytes = bytes;
        self.start = 0;
        self.end = length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts bytes behind the data; returns how many there was space for.
    fn append(buffer: &mut Buffer, bytes: &[u8]) -> usize {
        let space = buffer.space();
        let length = bytes.len().min(space.len());
        space[..length].copy_from_slice(&bytes[..length]);
        buffer.filled(length);
        length
    }

    #[test]
    fn bytes_go_through_in_order() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        assert!(buffer.is_empty() && !buffer.is_full());
        assert_eq!(append(&mut buffer, b"abcdef"), 6);
        buffer.consume(2);
        assert_eq!(buffer.data(), b"cdef");
        let rest = buffer.space().len();
        assert_eq!(append(&mut buffer, &vec![b'x'; rest + 100]), rest);
        assert!(!buffer.is_full(), "two bytes were used up");
        assert_eq!(append(&mut buffer, b"yz!"), 2);
        assert!(buffer.is_full());
        buffer.grow();
        assert!(!buffer.is_full());
        assert!(buffer.data().starts_with(b"cdefx") && buffer.data().ends_with(b"xyz"));
        buffer.consume(buffer.data().len());
        assert!(buffer.is_empty());
    }

    #[test]
    fn buffers_are_used_again() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        append(&mut buffer, b"secret");
        buffers.give(buffer);
        let again = buffers.take();
        assert_eq!((again.data(), buffers.small.borrow().len()), (&b""[..], 0));
        buffers.give(again);
        assert_eq!(buffers.small.borrow().len(), 1);
    }

    #[test]
    fn not_all_are_large() {
        let buffers = Buffers::default();
        let mut lent: Vec<_> = (0..MAX_LENT).map(|_| buffers.take_large()).collect();
        assert!(lent.iter().all(|buffer| !buffer.is_small()));
        assert!(buffers.take_large().is_small());
        // Whether the buffer is returned or dropped.
        lent.pop();
        lent.pop()
            .into_iter()
            .for_each(|buffer| buffers.give(buffer));
        assert!(!buffers.take_large().is_small());
        drop(lent);
        assert_eq!(buffers.lent.get(), 0);
    }
}
