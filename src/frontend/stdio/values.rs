//! Finds the JSON values in standard input: one a line, several a line, or one over many lines.
//!
//! The common case is a value that lies whole on one line which is already in the buffer: it is
//! found with one `memchr` and parsed once, in place, by the caller's `take`. Everything else (a
//! value over several lines, a huge one, a writer that sends byte by byte) is measured first by
//! the `grammar`, one pass whatever the sizes of the reads, and handed to `take` when it is whole.
//!
//! This module knows where a value begins and ends and how to go on after text that is not JSON.
//! It refuses to know what a value means, and holds neither more than one value and one read nor
//! anything of the text that it skips.

mod buffer;
mod grammar;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Read};

use self::buffer::{BYTE_ORDER_MARK_BEGINS, Buffer, Edge};
use self::grammar::{Guard, Scan};

/// What `take` made of the text that begins with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// A whole value of this many bytes, at least one, was there and has been dealt with.
    Done(usize),
    /// The text ends before the value does; nothing has been dealt with.
    Incomplete,
    /// The text is not JSON.
    Broken {
        /// The place in the text of the first byte that cannot be.
        offset: usize,
        /// What is wrong there.
        message: String,
    },
}

/// Tells a whole value, the beginning of one, and text that is not JSON apart.
///
/// This is the judgement that [`Values`] itself goes by. A `take` whose own parse failed returns
/// this when it is not `Done`; when it is, the text was JSON and only not what `take` wanted.
/// Surrogates are not paired and numbers are not bounded here, invalid UTF-8 is refused.
#[must_use]
pub fn attempt_ignored(text: &[u8]) -> Attempt {
    grammar::attempt(text)
}

/// How much one value may demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest value, in bytes, at least 1; 8 MiB by default.
    pub max_value_bytes: usize,
    /// How many `{` and `[` may be open at once; 128 by default.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_value_bytes: 8 << 20,
            max_depth: 128,
        }
    }
}

/// What came next in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One value, and `take` has dealt with it.
    Taken,
    /// Text that is not JSON, or exceeds a limit, or is cut off by the end of input.
    Broken(BrokenText),
    /// The end of input.
    End,
}

/// Where and why some text was no value. Lines and columns count from 1, columns in bytes; a
/// byte-order mark is not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenText {
    /// The line of the first byte that cannot be.
    pub line: usize,
    /// The column of the first byte that cannot be.
    pub column: usize,
    /// What is wrong there, or which limit is exceeded.
    pub message: String,
    /// The line on which the value began.
    pub started_line: usize,
}

impl fmt::Display for BrokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            message,
            started_line,
        } = self;
        write!(
            f,
            "this is not JSON: {message} (line {line}, column {column}"
        )?;
        if started_line != line {
            write!(f, ", in a value that began on line {started_line}")?;
        }
        f.write_str(")")
    }
}

/// The values of an input, one after the other.
pub struct Values<R> {
    buffer: Buffer<R>,
    limits: Limits,
    resume: Resume,
}

impl<R: Read> Values<R> {
    /// Reads `input` in large pieces; it needs no buffer of its own.
    pub fn new(input: R, limits: Limits) -> Self {
        Self {
            buffer: Buffer::new(input, limits),
            limits,
            resume: Resume::Here,
        }
    }

    /// Goes to the next value and has `take` deal with it, exactly once.
    ///
    /// `take` is given text that starts with the first byte of a value, never nested deeper and
    /// never longer than the limits; it may go on after the value, and may be given again, longer,
    /// after `Incomplete`. It is called a bounded number of times a value. A value is handed over
    /// as soon as its last byte is there, without awaiting a newline; only a number, `true`,
    /// `false` and `null` need a byte (or the end of input) after them.
    ///
    /// `flush` is called before every read that may block.
    ///
    /// # Errors
    ///
    /// What `flush` and the input's `read` report; interrupted reads are retried. Nothing is lost:
    /// a further call goes on at the same value.
    pub fn next(
        &mut self,
        take: &mut impl FnMut(&[u8]) -> Attempt,
        flush: &mut impl FnMut() -> io::Result<()>,
    ) -> io::Result<Step> {
        let Some(first) = self.seek(flush)? else {
            return Ok(Step::End);
        };
        for _ in 0..ATTEMPTS {
            let (text, edge) = self.buffer.line();
            if edge != Edge::Line && !ends_itself(first) {
                break;
            }
            match take(text) {
                Attempt::Done(length) => {
                    let length = length.clamp(1, text.len().max(1));
                    self.buffer.advance_in_line(length);
                    return Ok(Step::Taken);
                }
                Attempt::Broken { offset, message } => {
                    return Ok(Step::Broken(self.fail(offset, message)));
                }
                Attempt::Incomplete => match edge {
                    Edge::Open => {
                        // At the end of input the line is whole and the next attempt tells.
                        self.buffer.fill(flush)?;
                    }
                    Edge::Line => return self.attempt_lines(first, take, flush),
                    Edge::Cut => break,
                },
            }
        }
        self.measure(first, take, flush)
    }

    /// Goes to the first byte of the next value and returns it; `None` is the end of input.
    fn seek(&mut self, flush: &mut impl FnMut() -> io::Result<()>) -> io::Result<Option<u8>> {
        loop {
            let arrived = match self.resume {
                Resume::Here => match self.buffer.skip_whitespace() {
                    Some(BYTE_ORDER_MARK_BEGINS) => match self.buffer.skip_byte_order_mark() {
                        Some(true) => continue,
                        Some(false) => return Ok(Some(BYTE_ORDER_MARK_BEGINS)),
                        None => false,
                    },
                    Some(first) => return Ok(Some(first)),
                    None => false,
                },
                Resume::NextLine => self.buffer.skip_line(),
                Resume::LineWithBrace => self.buffer.skip_to_brace(),
            };
            if arrived {
                self.resume = Resume::Here;
            } else if !self.buffer.fill(flush)? {
                // What is left, if anything is, begins like a byte-order mark and is none.
                let is_here = self.resume == Resume::Here;
                return Ok(self.buffer.text(1).first().copied().filter(|_| is_here));
            }
        }
    }

    /// Tries a value that is longer than its first line: most are short and in the buffer.
    fn attempt_lines(
        &mut self,
        first: u8,
        take: &mut impl FnMut(&[u8]) -> Attempt,
        flush: &mut impl FnMut() -> io::Result<()>,
    ) -> io::Result<Step> {
        match self.buffer.lines().map(&mut *take) {
            Some(Attempt::Done(length)) => {
                self.buffer.advance(length);
                Ok(Step::Taken)
            }
            Some(Attempt::Broken { offset, message }) => {
                Ok(Step::Broken(self.fail(offset, message)))
            }
            Some(Attempt::Incomplete) | None => self.measure(first, take, flush),
        }
    }

    /// Finds the end of the value by the grammar, reading on as needed, then has it taken.
    fn measure(
        &mut self,
        first: u8,
        take: &mut impl FnMut(&[u8]) -> Attempt,
        flush: &mut impl FnMut() -> io::Result<()>,
    ) -> io::Result<Step> {
        // What does not end itself is measured with the byte after it.
        let max_bytes = self.limits.max_value_bytes;
        let max_pulled = max_bytes.saturating_add(usize::from(!ends_itself(first)));
        let mut guard = Guard::new(self.buffer.pull(flush), max_pulled, self.limits.max_depth);
        let broken = match grammar::scan(&mut guard)? {
            Scan::Value(length) if length > max_bytes => (max_bytes, self.too_long()),
            Scan::Value(length) => match take(self.buffer.text(length)) {
                Attempt::Done(_) => {
                    self.buffer.advance(length);
                    return Ok(Step::Taken);
                }
                Attempt::Broken { offset, message } => (offset.min(length), message),
                Attempt::Incomplete => (length, CUT_OFF.to_owned()),
            },
            Scan::Broken { offset, message } => (offset, message),
            Scan::TooLong => (max_bytes, self.too_long()),
            Scan::TooDeep { offset } => (
                offset,
                format!("nested deeper than {}", self.limits.max_depth),
            ),
            Scan::Ends => (self.buffer.text(usize::MAX).len(), CUT_OFF.to_owned()),
        };
        Ok(Step::Broken(self.fail(broken.0, broken.1)))
    }

    /// Gives up the value at hand at its byte `offset`. What is to be skipped is skipped by the
    /// next call, so that the failure can be answered before anything blocks.
    fn fail(&mut self, offset: usize, message: String) -> BrokenText {
        let (started_line, _) = self.buffer.place();
        self.buffer.advance(offset);
        let (line, column) = self.buffer.place();
        self.resume = if line == started_line {
            Resume::NextLine
        } else {
            Resume::LineWithBrace
        };
        BrokenText {
            line,
            column,
            message,
            started_line,
        }
    }

    fn too_long(&self) -> String {
        const MIB: usize = 1 << 20;
        match self.limits.max_value_bytes {
            bytes if bytes >= MIB && bytes.is_multiple_of(MIB) => {
                format!("a value longer than {} MiB", bytes / MIB)
            }
            bytes => format!("a value longer than {bytes} bytes"),
        }
    }
}

impl<R> fmt::Debug for Values<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values")
            .field("limits", &self.limits)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}

/// Where the search for the next value goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resume {
    /// Right here. A byte-order mark may be there too: files that begin with one are joined.
    Here,
    /// After the next newline: a value failed on the line on which it began.
    NextLine,
    /// At the first line, from here on, that begins with `{`, or a byte-order mark and `{`: a value
    /// failed on a later line.
    LineWithBrace,
}

/// Whether a value with this first byte shows by its own last byte that it has ended; `12` may
/// go on as `1234`.
fn ends_itself(first: u8) -> bool {
    matches!(first, b'{' | b'[' | b'"')
}

/// How often a value is tried as it lies in the buffer. Two, because a read often ends inside a
/// value that the next read completes; no more, or a slow writer would make the work quadratic.
const ATTEMPTS: usize = 2;

const CUT_OFF: &str = "the input ends inside a value";
