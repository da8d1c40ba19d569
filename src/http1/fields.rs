//! Field lines: a reader that goes from left to right and reads no byte twice, however the bytes
//! arrive.

use crate::http1::error::{FieldError, excerpt};
use crate::http1::field_kind::FieldKind;
use crate::http1::grammar::{end_of_token, find_control};

/// A range of positions in the bytes of a message, in eight bytes. The caller keeps the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// One field line. It begins with the name; the lines of a section follow each other without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldLine {
    pub(super) name: Span,
    /// Without the white space around it.
    pub(super) value: Span,
    pub(super) kind: FieldKind,
}

/// The state of a reader of field lines.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FieldReader {
    /// Where the current line begins.
    line: usize,
    /// The bytes before this position are valid and are not read again.
    at: usize,
    /// The position of the colon of the current line, once it has been read.
    colon: Option<usize>,
    count: usize,
    /// The name of the previous line.
    previous: Span,
}

/// The result of one step of a [`FieldReader`].
#[derive(Debug)]
pub(super) enum Step {
    /// A complete line.
    Line(FieldLine),
    /// The empty line; the section ends before this position.
    End(usize),
    /// More bytes are needed.
    More,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        // `HeadLimits::max_head` keeps positions far below `u32::MAX`.
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: short(start),
            end: short(end),
        }
    }

    #[expect(
        clippy::as_conversions,
        reason = "u32 to usize never truncates on a 32 or 64-bit target"
    )]
    pub(super) const fn start(self) -> usize {
        self.start as usize
    }

    #[expect(
        clippy::as_conversions,
        reason = "u32 to usize never truncates on a 32 or 64-bit target"
    )]
    pub(super) const fn end(self) -> usize {
        self.end as usize
    }

    /// The bytes at this range; empty if `bytes` are shorter than those that were read.
    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start()..self.end()).unwrap_or_default()
    }

    /// The text at this range, for ranges in which the reader accepts only ASCII.
    pub(super) fn text(self, bytes: &[u8]) -> &str {
        str::from_utf8(self.of(bytes)).unwrap_or_default()
    }
}

impl FieldLine {
    /// Name and value.
    pub(super) fn pair(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        (self.name.of(bytes), self.value.of(bytes))
    }
}

impl FieldReader {
    /// A reader of a section that begins at `at`.
    pub(super) fn starting_at(at: usize) -> Self {
        Self {
            line: at,
            at,
            ..Self::default()
        }
    }

    /// Reads one line. `bytes` must begin with the bytes of the previous calls; `max` bounds the
    /// number of lines.
    #[inline]
    pub(super) fn next(&mut self, bytes: &[u8], max: usize) -> Result<Step, FieldError> {
        let colon = match self.colon {
            Some(colon) => colon,
            None => {
                if self.at == self.line
                    && let Some(step) = self.line_start(bytes, max)?
                {
                    return Ok(step);
                }
                let Some(end) = end_of_token(bytes, self.at) else {
                    self.at = bytes.len();
                    return Ok(Step::More);
                };
                if bytes.get(end) != Some(&b':') || end == self.line {
                    return Err(self.name_error(bytes, end));
                }
                self.colon = Some(end);
                self.at = end + 1;
                end
            }
        };
        let Some(end) = find_control(bytes, self.at) else {
            self.at = bytes.len();
            return Ok(Step::More);
        };
        self.at = end;
        match bytes.get(end..) {
            Some([b'\r', b'\n', ..]) => Ok(Step::Line(self.line(bytes, colon, end))),
            Some([b'\r']) => Ok(Step::More),
            _ => Err(self.value_error(bytes, colon, end)),
        }
    }

    #[inline]
    fn line(&mut self, bytes: &[u8], colon: usize, end: usize) -> FieldLine {
        let name = Span::new(self.line, colon);
        let (mut start, mut rest) = (colon + 1, bytes.get(colon + 1..end).unwrap_or_default());
        while let [b' ' | b'\t', after @ ..] = rest {
            rest = after;
            start += 1;
        }
        while let [before @ .., b' ' | b'\t'] = rest {
            rest = before;
        }
        self.line = end + 2;
        self.at = self.line;
        self.colon = None;
        self.count += 1;
        self.previous = name;
        FieldLine {
            name,
            value: Span::new(start, start + rest.len()),
            kind: FieldKind::of(name.of(bytes)),
        }
    }

    /// The step that the first byte of a line decides; `None` if it may begin a name.
    #[inline]
    fn line_start(&self, bytes: &[u8], max: usize) -> Result<Option<Step>, FieldError> {
        match bytes.get(self.line..).unwrap_or_default() {
            [] | [b'\r'] => Ok(Some(Step::More)),
            [b'\r', b'\n', ..] => Ok(Some(Step::End(self.line + 2))),
            [b'\r', ..] => Err(FieldError::BareCr { at: self.line }),
            [b' ' | b'\t', ..] if self.count == 0 => Err(FieldError::LeadingSpace),
            [b' ' | b'\t', ..] => Err(FieldError::ObsFold {
                name: excerpt(self.previous.of(bytes)),
            }),
            _ if self.count == max => Err(FieldError::TooMany { max }),
            _ => Ok(None),
        }
    }

    #[cold]
    fn name_error(&self, bytes: &[u8], end: usize) -> FieldError {
        let name = excerpt(bytes.get(self.line..end).unwrap_or_default());
        match bytes.get(end).copied().unwrap_or_default() {
            b':' => FieldError::EmptyName { at: self.line },
            b' ' | b'\t' => FieldError::SpaceAfterName { name },
            b'\r' => FieldError::NoColon { name },
            b'\n' => FieldError::BareLf { at: end },
            byte => FieldError::NameByte { name, byte },
        }
    }

    #[cold]
    fn value_error(&self, bytes: &[u8], colon: usize, end: usize) -> FieldError {
        let name = excerpt(bytes.get(self.line..colon).unwrap_or_default());
        match bytes.get(end).copied().unwrap_or_default() {
            b'\n' => FieldError::BareLf { at: end },
            b'\r' => FieldError::BareCr { at: end },
            byte => FieldError::ValueByte { name, byte },
        }
    }
}
