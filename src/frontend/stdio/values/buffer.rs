//! The bytes that have been read and not yet dealt with, and where they are in the input.
//!
//! Bytes are moved only when more are read, and then only the one value that is not whole yet;
//! what has been found out about them (`Known`) is kept, so that a line with many values is
//! looked through once. It does not know the grammar.

use std::io::{self, Read};

use super::Limits;
use super::grammar;

/// Bytes of an input from the value at hand on.
pub(super) struct Buffer<R> {
    input: R,
    limits: Limits,
    /// All of it is initialised; `start..filled` is waiting to be dealt with.
    bytes: Vec<u8>,
    start: usize,
    filled: usize,
    input_ended: bool,
    /// Line and column of `start`, from 1.
    line: usize,
    column: usize,
    known: Known,
}

/// What follows the text that [`Buffer::line`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// A newline or the end of input: the line is whole.
    Line,
    /// Bytes of the same line that exceed a limit.
    Cut,
    /// What the next read brings.
    Open,
}

impl<R: Read> Buffer<R> {
    pub(super) fn new(input: R, limits: Limits) -> Self {
        Self {
            input,
            limits,
            bytes: Vec::new(),
            start: 0,
            filled: 0,
            input_ended: false,
            line: 1,
            column: 1,
            known: Known::default(),
        }
    }

    /// Line and column of the first byte that is waiting.
    pub(super) fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }

    /// The waiting bytes, at most `length` of them.
    pub(super) fn text(&self, length: usize) -> &[u8] {
        let end = self.start.saturating_add(length).min(self.filled);
        self.bytes.get(self.start..end).unwrap_or_default()
    }

    /// What is there of the current line, without its newline and within the limits.
    pub(super) fn line(&mut self) -> (&[u8], Edge) {
        let waiting = self.filled - self.start;
        let (length, whole) = match self.newline() {
            Some(length) => (length, Edge::Line),
            None if self.input_ended => (waiting, Edge::Line),
            None => (waiting, Edge::Open),
        };
        let allowed = self.shallow(length).min(self.limits.max_value_bytes);
        if allowed < length {
            (self.text(allowed), Edge::Cut)
        } else {
            (self.text(length), whole)
        }
    }

    /// What is there of the next few lines, within the limits; `None` when that is no more than the
    /// current line or may nest too deep.
    pub(super) fn lines(&mut self) -> Option<&[u8]> {
        let line = self.newline()?;
        let lines = self.text(LINES_BYTES.min(self.limits.max_value_bytes));
        let shallow = !grammar::more_opening_brackets_than(lines, self.limits.max_depth);
        (shallow && lines.len() > line + 1).then_some(lines)
    }

    /// Reads once, after `flush`; `false` is the end of input.
    pub(super) fn fill(&mut self, flush: &mut impl FnMut() -> io::Result<()>) -> io::Result<bool> {
        if self.input_ended {
            return Ok(false);
        }
        flush()?;
        self.make_room();
        loop {
            let room = self.bytes.get_mut(self.filled..).unwrap_or_default();
            match self.input.read(room) {
                Ok(0) => {
                    self.input_ended = true;
                    return Ok(false);
                }
                Ok(count) => {
                    self.filled = (self.filled + count).min(self.bytes.len());
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The waiting bytes and, after them, the input, without giving up any of them.
    pub(super) fn pull<'a, F>(&'a mut self, flush: &'a mut F) -> Pull<'a, R, F> {
        Pull {
            buffer: self,
            flush,
            next: 0,
        }
    }

    /// Gives up `length` bytes that hold no newline.
    pub(super) fn advance_in_line(&mut self, length: usize) {
        let length = length.min(self.filled - self.start);
        self.start += length;
        self.column += length;
    }

    /// Gives up `length` bytes.
    pub(super) fn advance(&mut self, length: usize) {
        let passed = self.text(length);
        let (length, newlines) = (passed.len(), memchr::memchr_iter(b'\n', passed).count());
        match memchr::memrchr(b'\n', passed) {
            Some(last) => {
                self.start += length;
                self.line += newlines;
                self.column = length - last;
            }
            None => self.advance_in_line(length),
        }
    }

    /// Gives up white space, newlines too, and returns the byte after it if it is there.
    pub(super) fn skip_whitespace(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.start..self.filled)?.first()? {
                b'\n' => {
                    self.start += 1;
                    self.line += 1;
                    self.column = 1;
                }
                b' ' | b'\t' | b'\r' => self.advance_in_line(1),
                other => return Some(other),
            }
        }
    }

    /// Gives up a byte-order mark, and tells whether there was one; `None` while there are too few
    /// bytes to tell.
    pub(super) fn skip_byte_order_mark(&mut self) -> Option<bool> {
        let waiting = self.text(BYTE_ORDER_MARK.len());
        let is_one = waiting == BYTE_ORDER_MARK;
        if !is_one && BYTE_ORDER_MARK.starts_with(waiting) {
            return None;
        }
        if is_one {
            self.start += BYTE_ORDER_MARK.len();
        }
        Some(is_one)
    }

    /// Gives up the rest of the line; `false` while its newline is not there.
    pub(super) fn skip_line(&mut self) -> bool {
        let newline = self.newline();
        self.advance(newline.map_or(usize::MAX, |length| length + 1));
        newline.is_some()
    }

    /// Gives up everything before a line whose first byte is `{`, be it after a byte-order mark;
    /// `false` while there is none.
    pub(super) fn skip_to_brace(&mut self) -> bool {
        loop {
            if self.column == 1 {
                match (self.text(1), self.text(BRACE_AFTER_MARK.len())) {
                    ([b'{'], _) | (_, BRACE_AFTER_MARK) => return true,
                    (_, begun) if BRACE_AFTER_MARK.starts_with(begun) => return false,
                    _ => {}
                }
            }
            if !self.skip_line() {
                return false;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// How many waiting bytes are before the next newline.
    fn newline(&mut self) -> Option<usize> {
        if let Some(newline) = self.known.newline
            && let Some(length) = newline.checked_sub(self.start)
        {
            return Some(length);
        }
        let from = self.known.searched.max(self.start);
        let rest = self.bytes.get(from..self.filled).unwrap_or_default();
        self.known.newline = memchr::memchr(b'\n', rest).map(|found| from + found);
        self.known.searched = self.known.newline.unwrap_or(self.filled);
        self.known.newline.map(|newline| newline - self.start)
    }

    /// How many of the `length` bytes before the end of the line are before a bracket that nests
    /// too deep.
    fn shallow(&mut self, length: usize) -> usize {
        // Fewer bytes than that cannot hold so many brackets.
        if length <= self.limits.max_depth {
            return length;
        }
        let end = self.start + length;
        if self.known.too_deep.is_some_and(|deep| deep < self.start) {
            self.known.too_deep = None;
            self.known.measured = self.start;
        }
        if self.known.too_deep.is_none() && self.known.measured < end {
            let found = grammar::too_deep_at(self.text(length), self.limits.max_depth);
            self.known.too_deep = found.map(|offset| self.start + offset);
            self.known.measured = end;
        }
        self.known
            .too_deep
            .map_or(length, |deep| length.min(deep - self.start))
    }

    /// Moves the waiting bytes to the front and makes room for a read. The caller lets at most
    /// `max_value_bytes` wait, so that the buffer is never larger than these and one read.
    fn make_room(&mut self) {
        self.bytes.copy_within(self.start..self.filled, 0);
        self.known = self.known.moved_down(self.start);
        self.filled -= self.start;
        self.start = 0;

        let needed = self.filled + READ_BYTES;
        if self.bytes.len() < needed {
            let most = self.limits.max_value_bytes.saturating_add(READ_BYTES);
            let length = self.bytes.len().saturating_mul(2).min(most).max(needed);
            self.bytes.reserve_exact(length - self.bytes.len());
            self.bytes.resize(length, 0);
        } else if self.bytes.len() > KEPT_BYTES && needed <= KEPT_BYTES {
            self.bytes.truncate(KEPT_BYTES);
            self.bytes.shrink_to_fit();
        }
    }
}

/// What has been found out about the bytes from `start` on, as places in `bytes`.
#[derive(Debug, Default, Clone, Copy)]
struct Known {
    /// The next newline; stale once `start` has passed it.
    newline: Option<usize>,
    /// There is no newline before this but those that `start` has passed.
    searched: usize,
    /// The bracket that nests too deep; stale once `start` has passed it.
    too_deep: Option<usize>,
    /// Up to here `too_deep` has been looked for.
    measured: usize,
}

impl Known {
    /// The same when the bytes have moved `by` places towards the front.
    fn moved_down(self, by: usize) -> Self {
        Self {
            newline: self.newline.and_then(|place| place.checked_sub(by)),
            searched: self.searched.saturating_sub(by),
            too_deep: self.too_deep.and_then(|place| place.checked_sub(by)),
            measured: self.measured.saturating_sub(by),
        }
    }
}

/// A reader that hands out the bytes of a [`Buffer`] and leaves them there.
pub(super) struct Pull<'a, R, F> {
    buffer: &'a mut Buffer<R>,
    flush: &'a mut F,
    next: usize,
}

impl<R: Read, F: FnMut() -> io::Result<()>> Read for Pull<'_, R, F> {
    #[inline]
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let place = self.buffer.start + self.next;
        if place == self.buffer.filled && !self.buffer.fill(self.flush)? {
            return Ok(0);
        }
        // Filling may have moved the bytes.
        let place = self.buffer.start + self.next;
        let waiting = self
            .buffer
            .bytes
            .get(place..self.buffer.filled)
            .unwrap_or_default();
        let (Some(slot), Some(byte)) = (out.first_mut(), waiting.first()) else {
            return Ok(0);
        };
        *slot = *byte;
        self.next += 1;
        Ok(1)
    }
}

/// The least room that a read is given; also what a pipe holds on Linux.
const READ_BYTES: usize = 64 << 10;

/// How much of a value over several lines is tried before it is measured; bounded, as the same
/// bytes may be looked at again for each value among them.
const LINES_BYTES: usize = 2 << 10;

/// How large the buffer may stay when a large value has been dealt with.
const KEPT_BYTES: usize = 4 * READ_BYTES;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const BRACE_AFTER_MARK: &[u8] = b"\xef\xbb\xbf{";

/// No value begins with this byte.
pub(super) const BYTE_ORDER_MARK_BEGINS: u8 = 0xef;
