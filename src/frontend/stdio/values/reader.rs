//! The values of a stream, one after the other, and where reading resumes after invalid text.

use std::fmt;
use std::io::{self, Read};

use crate::frontend::stdio::values::buffer::{BYTE_ORDER_MARK_BEGINS, Buffer, Edge};
use crate::frontend::stdio::values::grammar::{self, Guard, Limits, Parsed, Scan};

/// The next thing in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A value, which `take` has processed.
    Value,
    /// Text that is not JSON, exceeds a limit, or is cut off by the end of input.
    Invalid(InvalidText),
    /// The end of input.
    End,
}

/// Where and why some text is not a value. Lines and columns count from 1, columns in bytes; a
/// byte-order mark does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidText {
    /// The line of the first invalid byte.
    pub line: usize,
    /// The column of the first invalid byte.
    pub column: usize,
    /// The error there, or the limit that is exceeded.
    pub message: String,
    /// The line on which the value starts.
    pub started_line: usize,
}

impl fmt::Display for InvalidText {
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
            write!(f, ", in a value that starts on line {started_line}")?;
        }
        f.write_str(")")
    }
}

/// Reads the values of a stream one by one.
pub struct Values<R> {
    buffer: Buffer<R>,
    limits: Limits,
    resume: Resume,
}

impl<R: Read> Values<R> {
    /// Reads from `input` in large blocks; it needs no buffer of its own.
    pub fn new(input: R, limits: Limits) -> Self {
        Self {
            buffer: Buffer::new(input, limits),
            limits,
            resume: Resume::Here,
        }
    }

    /// Finds the next value and passes it to `take`, which processes it exactly once.
    ///
    /// `take` gets text that starts with the first byte of a value and that neither nests deeper
    /// nor is longer than the limits. The text may continue after the value; after `Incomplete`,
    /// `take` may get it again, longer, a bounded number of times. It gets a value as soon as the
    /// last byte has arrived, without waiting for a newline; only numbers, `true`, `false` and
    /// `null` need one more byte, or the end of input.
    ///
    /// `flush` is called before every read that may block.
    ///
    /// # Errors
    ///
    /// Errors of `flush` and of reading the input; interrupted reads are retried. No input is lost:
    /// the next call continues at the same value.
    pub fn next(
        &mut self,
        take: &mut impl FnMut(&[u8]) -> Parsed,
        flush: &mut impl FnMut() -> io::Result<()>,
    ) -> io::Result<Step> {
        let Some(first) = self.seek(flush)? else {
            return Ok(Step::End);
        };
        for _ in 0..MAX_TRIES {
            let (text, edge) = self.buffer.line();
            if edge != Edge::Line && !has_closing_byte(first) {
                break;
            }
            match take(text) {
                Parsed::Complete(length) => {
                    let length = length.clamp(1, text.len().max(1));
                    self.buffer.advance_in_line(length);
                    return Ok(Step::Value);
                }
                Parsed::Invalid { offset, message } => {
                    return Ok(Step::Invalid(self.fail(offset, message)));
                }
                Parsed::Incomplete => match edge {
                    Edge::Open => {
                        // At the end of input the line is complete, and the next attempt decides.
                        self.buffer.fill(flush)?;
                    }
                    Edge::Line => return self.try_lines(first, take, flush),
                    Edge::Cut => break,
                },
            }
        }
        self.measure(first, take, flush)
    }

    /// Skips to the first byte of the next value and returns it; `None` is the end of input.
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
                // Any rest starts like a byte-order mark but is too short for one.
                let is_here = self.resume == Resume::Here;
                return Ok(self.buffer.text(1).first().copied().filter(|_| is_here));
            }
        }
    }

    /// Parses a value that continues after its first line: most are short and in the buffer.
    fn try_lines(
        &mut self,
        first: u8,
        take: &mut impl FnMut(&[u8]) -> Parsed,
        flush: &mut impl FnMut() -> io::Result<()>,
    ) -> io::Result<Step> {
        match self.buffer.lines().map(&mut *take) {
            Some(Parsed::Complete(length)) => {
                self.buffer.advance(length);
                Ok(Step::Value)
            }
            Some(Parsed::Invalid { offset, message }) => {
                Ok(Step::Invalid(self.fail(offset, message)))
            }
            Some(Parsed::Incomplete) | None => self.measure(first, take, flush),
        }
    }

    /// Finds the end of the value by the grammar, reads more as needed, then passes it to `take`.
    fn measure(
        &mut self,
        first: u8,
        take: &mut impl FnMut(&[u8]) -> Parsed,
        flush: &mut impl FnMut() -> io::Result<()>,
    ) -> io::Result<Step> {
        // A value without a closing byte is measured together with the byte after it.
        let max_bytes = self.limits.max_value_bytes;
        let max_pulled = max_bytes.saturating_add(usize::from(!has_closing_byte(first)));
        let mut guard = Guard::new(self.buffer.pull(flush), max_pulled, self.limits.max_depth);
        let (offset, message) = match grammar::scan(&mut guard)? {
            Scan::Value(length) if length > max_bytes => (max_bytes, self.too_long()),
            Scan::Value(length) => match take(self.buffer.text(length)) {
                Parsed::Complete(_) => {
                    self.buffer.advance(length);
                    return Ok(Step::Value);
                }
                Parsed::Invalid { offset, message } => (offset.min(length), message),
                Parsed::Incomplete => (length, CUT_OFF.to_owned()),
            },
            Scan::Invalid { offset, message } => (offset, message),
            Scan::TooLong => (max_bytes, self.too_long()),
            Scan::TooDeep { offset } => (
                offset,
                format!("nested deeper than {}", self.limits.max_depth),
            ),
            Scan::Incomplete => (self.buffer.text(usize::MAX).len(), CUT_OFF.to_owned()),
        };
        Ok(Step::Invalid(self.fail(offset, message)))
    }

    /// Abandons the current value at its byte `offset`. The next call skips the rest, so that the
    /// caller can respond before anything blocks.
    fn fail(&mut self, offset: usize, message: String) -> InvalidText {
        let (started_line, _) = self.buffer.place();
        self.buffer.advance(offset);
        let (line, column) = self.buffer.place();
        self.resume = if line == started_line {
            Resume::NextLine
        } else {
            Resume::LineWithBrace
        };
        InvalidText {
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

/// Where the search for the next value resumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resume {
    /// At the next byte, or after a byte-order mark: concatenated files may each start with one.
    Here,
    /// After the next newline: a value was invalid on the line on which it starts.
    NextLine,
    /// At the next line that starts with `{`, or with a byte-order mark and `{`: a value was invalid
    /// on a later line than its first.
    LineWithBrace,
}

/// Whether a value with this first byte has a closing byte; `12` may continue as `1234`.
fn has_closing_byte(first: u8) -> bool {
    matches!(first, b'{' | b'[' | b'"')
}

/// How often a value on one line is parsed before it is measured. Two, because a read often ends
/// inside a value that the next read completes; more, and a slow writer causes quadratic work.
const MAX_TRIES: usize = 2;

const CUT_OFF: &str = "the input ends inside a value";

#[cfg(test)]
mod tests;
