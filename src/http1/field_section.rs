//! Field lines, read from left to right and never twice, however the bytes arrive.

use crate::http1::error::{FieldError, excerpt};
use crate::http1::grammar::{end_of_token, find_control};
use crate::http1::kind::FieldKind;
use crate::http1::span::Span;

/// One field line. It begins where its name does, and the lines of a section follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldLine {
    pub(crate) name: Span,
    /// Without the white space round it.
    pub(crate) value: Span,
    pub(crate) kind: FieldKind,
}

impl FieldLine {
    pub(crate) fn pair(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        (self.name.of(bytes), self.value.of(bytes))
    }
}

/// How far a field section has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FieldReader {
    /// Where the current line begins.
    line: usize,
    /// What is before this has been looked at, and was right.
    at: usize,
    /// Where the colon of the current line is, once it is known.
    colon: Option<usize>,
    count: usize,
    last: Span,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Step {
    Line(FieldLine),
    /// The blank line; the section ends before this position.
    End(usize),
    /// Nothing wrong so far, but more bytes are needed.
    More,
}

impl FieldReader {
    pub(crate) fn starting_at(at: usize) -> Self {
        Self {
            line: at,
            at,
            ..Self::default()
        }
    }

    /// Reads one line. `bytes` must begin with those given before.
    #[inline]
    pub(crate) fn next(&mut self, bytes: &[u8], max: usize) -> Result<Step, FieldError> {
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
                    return Err(self.name_fault(bytes, end));
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
            _ => Err(self.value_fault(bytes, colon, end)),
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
        self.last = name;
        FieldLine {
            name,
            value: Span::new(start, start + rest.len()),
            kind: FieldKind::of(name.of(bytes)),
        }
    }

    /// What can be said of the first byte of a line; nothing if it may begin a name.
    #[inline]
    fn line_start(&self, bytes: &[u8], max: usize) -> Result<Option<Step>, FieldError> {
        match bytes.get(self.line..).unwrap_or_default() {
            [] | [b'\r'] => Ok(Some(Step::More)),
            [b'\r', b'\n', ..] => Ok(Some(Step::End(self.line + 2))),
            [b'\r', ..] => Err(FieldError::BareCr { at: self.line }),
            [b' ' | b'\t', ..] if self.count == 0 => Err(FieldError::LeadingSpace),
            [b' ' | b'\t', ..] => Err(FieldError::ObsFold {
                name: excerpt(self.last.of(bytes)),
            }),
            _ if self.count == max => Err(FieldError::TooMany { max }),
            _ => Ok(None),
        }
    }

    #[cold]
    fn name_fault(&self, bytes: &[u8], end: usize) -> FieldError {
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
    fn value_fault(&self, bytes: &[u8], colon: usize, end: usize) -> FieldError {
        let name = excerpt(bytes.get(self.line..colon).unwrap_or_default());
        match bytes.get(end).copied().unwrap_or_default() {
            b'\n' => FieldError::BareLf { at: end },
            b'\r' => FieldError::BareCr { at: end },
            byte => FieldError::ValueByte { name, byte },
        }
    }
}
