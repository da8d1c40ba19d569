//! Read buffers, shared by all connections of a worker: one that waits for its peer owns none.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// The buffers of one worker that nobody uses just now.
#[derive(Default)]
pub struct Buffers {
    small: RefCell<Vec<Box<[u8]>>>,
    large: RefCell<Vec<Box<[u8]>>>,
    /// How many large ones are in use.
    lent: Rc<Cell<usize>>,
    outputs: RefCell<Vec<Vec<u8>>>,
}

/// Bytes that were read and not yet used up.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    /// There for a large one, as long as it is in use.
    _loan: Option<Loan>,
}

/// Counts one large buffer as in use, until this is dropped.
#[derive(Debug)]
struct Loan(Rc<Cell<usize>>);

/// Enough for nearly every head, and for a small body behind it.
const SMALL_BYTES: usize = 16 << 10;
/// For bodies that fill a small one: a read of 64 KiB costs more than twice as much a byte.
const LARGE_BYTES: usize = 512 << 10;
/// How many of each kind are kept for later.
const MAX_SMALL: usize = 256;
const MAX_LARGE: usize = 8;
/// How many large ones may be in use, 32 MiB in all: who sends or reads slowly shall not make the
/// gateway hold much for it.
const MAX_LENT: usize = 64;

impl Buffers {
    /// A buffer for heads.
    pub fn take(&self) -> Buffer {
        let bytes = self.small.borrow_mut().pop();
        Buffer::new(bytes.unwrap_or_else(|| vec![0; SMALL_BYTES].into()))
    }

    /// A buffer for large bodies; a small one if too many are in use.
    pub fn take_large(&self) -> Buffer {
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

    /// Takes a buffer back, whatever is in it.
    pub fn give(&self, buffer: Buffer) {
        let (kept, most) = match buffer.bytes.len() {
            SMALL_BYTES => (&self.small, MAX_SMALL),
            LARGE_BYTES => (&self.large, MAX_LARGE),
            _ => return,
        };
        let mut kept = kept.borrow_mut();
        if kept.len() < most {
            kept.push(buffer.bytes);
        }
    }

    /// An empty list of bytes to write heads to.
    pub fn take_output(&self) -> Vec<u8> {
        self.outputs.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes a list of bytes back, whatever is in it.
    pub fn give_output(&self, mut output: Vec<u8>) {
        let mut kept = self.outputs.borrow_mut();
        let is_usual = output.capacity() > 0 && output.capacity() <= SMALL_BYTES;
        if is_usual && kept.len() < MAX_SMALL {
            output.clear();
            kept.push(output);
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

    /// What was read and is not used up.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The same, to be worked on in place.
    pub fn data_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// Uses up bytes of the data.
    pub const fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        if self.start >= self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Where more can be read to, moved together if there is none left; empty if it is full.
    pub fn space(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Counts bytes that were read into the space.
    pub const fn filled(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Whether nothing can be read before something is used up.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.start == 0 && self.end == self.bytes.len()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether reads that filled it would do better in a larger one.
    #[must_use]
    pub const fn is_small(&self) -> bool {
        self.bytes.len() < LARGE_BYTES
    }

    /// Makes room for a head that is longer than most: twice as much as there was.
    pub fn grow(&mut self) {
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

    /// Puts bytes behind the data; gives how many there was space for.
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
        // Whether it is given back or dropped.
        lent.pop();
        lent.pop()
            .into_iter()
            .for_each(|buffer| buffers.give(buffer));
        assert!(!buffers.take_large().is_small());
        drop(lent);
        assert_eq!(buffers.lent.get(), 0);
    }
}
