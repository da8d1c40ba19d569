//! Normalisation of a path that is not normal yet, or that the scan cannot decide.

use std::borrow::Cow;

use crate::engine::routing::path::error::PathError;
use crate::engine::routing::path::scan::is_plain;

/// Whether a normal path has an encoded `/` or `\` (`%2F`, `%5C`). Some servers treat these as
/// separators, although RFC 3986 (section 2.2) does not consider them equivalent to the raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodedSlash {
    /// No `%2F` and no `%5C`.
    Absent,
    /// At least one; as separators, they would yield only ordinary segments.
    Plain,
    /// At least one; as separators, they would yield a segment `.` or `..`, perhaps with a `;`
    /// parameter.
    HidesDotSegment,
}

/// The normal form of a path that begins with `/`; borrowed if it is a prefix of that path.
#[cold]
pub(super) fn rewrite(path: &str) -> Result<Cow<'_, str>, PathError> {
    let mut output = Output::Same { path, len: 0 };
    let mut ends_in_slash = false;
    let mut at = 1;
    for segment in path.split('/').skip(1) {
        let before = output.text().len();
        output.push(b'/');
        write_segment(segment, at, &mut output)?;
        let (parents, written) = output.text().split_at(before);
        let kind = SegmentKind::of(written.trim_start_matches('/'));
        match kind {
            SegmentKind::Ordinary => {}
            SegmentKind::Empty | SegmentKind::Dot => output.truncate(before),
            SegmentKind::DotDot => {
                let parent = parents.rfind('/').ok_or(PathError::AboveRoot { at })?;
                output.truncate(parent);
            }
            SegmentKind::DotWithParameter => return Err(PathError::DotParameter { at }),
        }
        ends_in_slash = kind != SegmentKind::Ordinary;
        at += segment.len() + 1;
    }
    if ends_in_slash {
        output.push(b'/');
    }
    Ok(output.into_text())
}

/// Classifies the encoded slashes of a normal path.
pub(super) fn encoded_slash(normal: &str) -> EncodedSlash {
    if !normal.contains("%2F") && !normal.contains("%5C") {
        return EncodedSlash::Absent;
    }
    let pieces = normal.split('/').flat_map(|it| it.split("%2F"));
    let hides = |piece| match SegmentKind::of(piece) {
        SegmentKind::Ordinary | SegmentKind::Empty => false,
        SegmentKind::Dot | SegmentKind::DotDot | SegmentKind::DotWithParameter => true,
    };
    if pieces.flat_map(|it| it.split("%5C")).any(hides) {
        EncodedSlash::HidesDotSegment
    } else {
        EncodedSlash::Plain
    }
}

/// The kind of a segment whose unreserved bytes are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SegmentKind {
    Ordinary,
    Empty,
    Dot,
    DotDot,
    DotWithParameter,
}

impl SegmentKind {
    fn of(segment: &str) -> Self {
        match segment.as_bytes() {
            [] => Self::Empty,
            b"." => Self::Dot,
            b".." => Self::DotDot,
            [b'.', b';', ..] | [b'.', b'.', b';', ..] => Self::DotWithParameter,
            _ => Self::Ordinary,
        }
    }
}

/// Writes a segment by rules 1 and 2 of the module. `at` is its offset in the path.
fn write_segment(segment: &str, mut at: usize, output: &mut Output<'_>) -> Result<(), PathError> {
    let mut rest = segment;
    loop {
        let plain = rest
            .bytes()
            .position(|byte| !is_plain(byte))
            .unwrap_or(rest.len());
        let (run, special) = rest.split_at(plain);
        output.push_str(run);
        at += plain;
        let consumed = match special.as_bytes() {
            [] => return Ok(()),
            [b'%', digits @ ..] => {
                match escaped_byte(digits).ok_or(PathError::BadEscape { at })? {
                    byte if byte.is_ascii_control() => {
                        return Err(PathError::EscapedControl { byte, at });
                    }
                    byte if is_unreserved(byte) => output.push(byte),
                    byte => output.push_escaped(byte),
                }
                3
            }
            [byte @ (b'|' | b'^'), ..] => {
                output.push_escaped(*byte);
                1
            }
            [byte, ..] if byte.is_ascii_control() => {
                return Err(PathError::RawControl { byte: *byte, at });
            }
            [byte, ..] => return Err(PathError::RawByte { byte: *byte, at }),
        };
        rest = special
            .get(consumed..)
            .expect("one or three ASCII bytes were matched");
        at += consumed;
    }
}

/// The output so far: a prefix of the input for as long as the two are equal, then a copy.
enum Output<'a> {
    Same { path: &'a str, len: usize },
    Copied(String),
}

impl<'a> Output<'a> {
    fn text(&self) -> &str {
        match self {
            Self::Same { path, len } => same(path, *len),
            Self::Copied(text) => text,
        }
    }

    fn push(&mut self, byte: u8) {
        self.push_str(char::from(byte).encode_utf8(&mut [0; 2]));
    }

    /// Appends `more`, which is ASCII.
    fn push_str(&mut self, more: &str) {
        match self {
            Self::Same { path, len } if path.get(*len..*len + more.len()) == Some(more) => {
                *len += more.len();
            }
            Self::Same { path, len } => {
                // Only `|` and `^` lengthen a path, by two bytes each.
                let mut text = String::with_capacity(path.len() + 2);
                text.push_str(same(path, *len));
                text.push_str(more);
                *self = Self::Copied(text);
            }
            Self::Copied(text) => text.push_str(more),
        }
    }

    fn push_escaped(&mut self, byte: u8) {
        self.push(b'%');
        self.push(hex_digit(byte >> 4));
        self.push(hex_digit(byte & 0xF));
    }

    fn truncate(&mut self, to: usize) {
        match self {
            Self::Same { len, .. } => *len = to,
            Self::Copied(text) => text.truncate(to),
        }
    }

    fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Same { path, len } => Cow::Borrowed(same(path, len)),
            Self::Copied(text) => Cow::Owned(text),
        }
    }
}

fn same(path: &str, len: usize) -> &str {
    path.get(..len)
        .expect("`len` counts only ASCII bytes of the path")
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The value of the first two hexadecimal digits.
fn escaped_byte(digits: &[u8]) -> Option<u8> {
    let [high, low, ..] = digits else { return None };
    Some(hex_value(*high)? << 4 | hex_value(*low)?)
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 {
        b'0' + value
    } else {
        b'A' + (value - 10)
    }
}
