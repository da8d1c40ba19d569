//! The bytes that were read and not yet consumed, and their position in the input.
//!
//! Bytes move only when more are read, and then only those of the one incomplete value. What was
//! found out about them (`Known`) moves along, so that a line with many values is searched once.
//! The buffer does not know the grammar.

use std::io::{self, Read};

use crate::frontend::stdio::values::grammar::{self, Limits};

/// Bytes of an input, from the current value on.
pub(super) struct Buffer<R> {
    input: R,
    limits: Limits,
    /// All of it is initialised; `start..filled` is not yet consumed.
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
    /// A newline or the end of input: the line is complete.
    Line,
    /// Bytes of the same line that exceed a limit.
    Cut,
    /// Whatever the next read returns.
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

    /// Line and column of the first byte that is not yet consumed.
    pub(super) fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }

    /// The bytes that are not yet consumed, at most `length` of them.
    pub(super) fn text(&self, length: usize) -> &[u8] {
        let end = self.start.saturating_add(length).min(self.filled);
        self.bytes.get(self.start..end).unwrap_or_default()
    }

    /// The buffered part of the current line, without its newline and within the limits.
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

    /// The buffered part of the next few lines, within the limits; `None` if that is only the
    /// current line, or may nest too deep.
    pub(super) fn lines(&mut self) -> Option<&[u8]> {
        let line = self.newline()?;
        let lines = self.text(LINES_BYTES.min(self.limits.max_value_bytes));
        let shallow = !grammar::more_opening_brackets_than(lines, self.limits.max_depth);
        (shallow && lines.len() > line + 1).then_some(lines)
    }

    /// Calls `flush` and reads once; `false` is the end of input.
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

    /// Reads the buffered bytes and then the input, without consuming any of them.
    pub(super) fn pull<'a, F>(&'a mut self, flush: &'a mut F) -> Pull<'a, R, F> {
        Pull {
            buffer: self,
            flush,
            next: 0,
        }
    }

    /// Consumes `length` bytes without a newline.
    pub(super) fn advance_in_line(&mut self, length: usize) {
        let length = length.min(self.filled - self.start);
        self.start += length;
        self.column += length;
    }

    /// Consumes `length` bytes.
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

    /// Consumes white space, including newlines, and returns the byte after it if it is buffered.
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

    /// Consumes a byte-order mark and returns whether there was one; `None` if too few bytes are
    /// buffered.
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

    /// Consumes the rest of the line; `false` if its newline is not buffered.
    pub(super) fn skip_line(&mut self) -> bool {
        let newline = self.newline();
        self.advance(newline.map_or(usize::MAX, |length| length + 1));
        newline.is_some()
    }

    /// Consumes everything before a line that starts with `{`, or with a byte-order mark and `{`;
    /// `false` if no such line is buffered.
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

    /// The number of bytes before the next newline.
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

    /// The number of bytes, at most `length`, before a bracket that nests too deep.
    fn shallow(&mut self, length: usize) -> usize {
        // So few bytes cannot contain too many brackets.
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

    /// Moves the bytes to the front and makes room for a read. The caller buffers at most
    /// `max_value_bytes`, so the buffer is never larger than that and one read.
    fn make_room(&mut self) {
        self.bytes.copy_within(self.start..self.filled, 0);
        self.known = self.known.moved_down(self.start);
        self.filled -= self.start;
        self.start = 0;

        let needed = self.filled + READ_BYTES;
        if self.bytes.len() < needed {
            let max = self.limits.max_value_bytes.saturating_add(READ_BYTES);
            let length = self.bytes.len().saturating_mul(2).min(max).max(needed);
            self.bytes.reserve_exact(length - self.bytes.len());
            self.bytes.resize(length, 0);
        } else if self.bytes.len() > RETAINED_BYTES && needed <= RETAINED_BYTES {
            self.bytes.truncate(RETAINED_BYTES);
            self.bytes.shrink_to_fit();
        }
    }
}

/// What is known about the bytes from `start` on, as offsets into `bytes`.
#[derive(Debug, Default, Clone, Copy)]
struct Known {
    /// The next newline; stale once `start` has passed it.
    newline: Option<usize>,
    /// There is no newline between `start` and this.
    searched: usize,
    /// The bracket that nests too deep; stale once `start` has passed it.
    too_deep: Option<usize>,
    /// The bytes before this were searched for `too_deep`.
    measured: usize,
}

impl Known {
    /// Adjusts the offsets after the bytes have moved `by` places to the front.
    fn moved_down(self, by: usize) -> Self {
        Self {
            newline: self.newline.and_then(|place| place.checked_sub(by)),
            searched: self.searched.saturating_sub(by),
            too_deep: self.too_deep.and_then(|place| place.checked_sub(by)),
            measured: self.measured.saturating_sub(by),
        }
    }
}

/// Reads the bytes of a [`Buffer`] without consuming them.
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

/// The minimum size of a read; also the capacity of a pipe on Linux.
const READ_BYTES: usize = 64 << 10;

/// How much of a value over several lines is parsed before it is measured. It is bounded because
/// the same bytes may be parsed again for each value among them.
const LINES_BYTES: usize = 2 << 10;

/// The buffer shrinks to this size after a large value.
const RETAINED_BYTES: usize = 4 * READ_BYTES;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const BRACE_AFTER_MARK: &[u8] = b"\xef\xbb\xbf{";

/// The first byte of a byte-order mark. No value starts with it.
pub(super) const BYTE_ORDER_MARK_BEGINS: u8 = 0xef;
