//! The careful way, for a path with anything in it that the first look does not know.

use std::borrow::Cow;

use crate::engine::routing::path::error::PathError;
use crate::engine::routing::path::sight::is_plain;

/// Whether a normal path has an escaped `/` or `\` (`%2F`, `%5C`), which some servers take for a
/// separator (RFC 3986 section 2.2: the escaped and the raw reserved byte are not equivalent).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodedSlash {
    /// No `%2F` and no `%5C`.
    Absent,
    /// At least one, and splitting there gives only ordinary segments.
    Plain,
    /// Splitting there would give a segment `.` or `..`, with or without a `;` parameter.
    HidesDotSegment,
}

/// Gives the normal form of a path that starts with `/`; borrowed, if that path begins with it.
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

/// What the escaped slashes of a normal path hide.
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

/// What a segment means for the path around it; its unreserved bytes must be decoded.
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

/// Writes one segment that starts at byte `at` of the path: rules 1 and 2 of the module.
fn write_segment(segment: &str, mut at: usize, output: &mut Output<'_>) -> Result<(), PathError> {
    let mut rest = segment;
    loop {
        let plain = rest
            .bytes()
            .position(|byte| !is_plain(byte))
            .unwrap_or(rest.len());
        let (run, odd) = rest.split_at(plain);
        output.push_str(run);
        at += plain;
        let taken = match odd.as_bytes() {
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
        rest = odd
            .get(taken..)
            .expect("one or three ASCII bytes were matched");
        at += taken;
    }
}

/// The path as written so far: the first bytes of the one that came, for as long as they are equal.
enum Output<'a> {
    Same { path: &'a str, len: usize },
    Own(String),
}

impl<'a> Output<'a> {
    fn text(&self) -> &str {
        match self {
            Self::Same { path, len } => same(path, *len),
            Self::Own(text) => text,
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
                // Only `|` and `^` make a path longer, by two bytes each.
                let mut text = String::with_capacity(path.len() + 2);
                text.push_str(same(path, *len));
                text.push_str(more);
                *self = Self::Own(text);
            }
            Self::Own(text) => text.push_str(more),
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
            Self::Own(text) => text.truncate(to),
        }
    }

    fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Same { path, len } => Cow::Borrowed(same(path, len)),
            Self::Own(text) => Cow::Owned(text),
        }
    }
}

fn same(path: &str, len: usize) -> &str {
    path.get(..len)
        .expect("only ASCII bytes that stand in the path were counted")
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The byte that the first two of `digits` stand for.
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
