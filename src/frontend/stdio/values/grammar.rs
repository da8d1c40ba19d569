//! Where a JSON value ends or becomes invalid, to the byte.
//!
//! The grammar is that of `serde_json`, which reads one byte at a time and stops at the last byte
//! of a value. [`Guard`] sits between it and the bytes: it counts them and stops at those that
//! exceed a limit. It neither reads ahead nor buffers.

use std::io::{self, Read};
use std::str;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// The result of parsing text that starts with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// A complete value of this many bytes, at least one, which has been processed.
    Complete(usize),
    /// The text ends before the value does; nothing has been processed.
    Incomplete,
    /// The text is not JSON.
    Invalid {
        /// The offset of the first invalid byte.
        offset: usize,
        /// What is wrong there.
        message: String,
    },
}

/// Limits on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest value, in bytes, at least 1. Default: 8 MiB.
    pub max_value_bytes: usize,
    /// How many `{` and `[` may be open at once. Default: 128.
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

/// Parses the value at the start of `text` without interpreting it.
///
/// [`Values`](super::Values) itself relies on this result. A `take` whose own parse fails returns
/// it unless it is `Complete`: then the text is JSON, only not what `take` expects. It rejects
/// invalid UTF-8, but neither unpaired surrogates nor numbers out of range.
#[must_use]
pub fn parse_ignored(text: &[u8]) -> Parsed {
    let mut values = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(IgnoredAny)) => complete(text, values.byte_offset()),
        None => Parsed::Incomplete,
        Some(Err(error)) if error.is_eof() => Parsed::Incomplete,
        // Slices parse faster, but their errors do not have the exact offset.
        Some(Err(error)) => match scan(&mut Guard::new(text, usize::MAX, usize::MAX)) {
            Ok(Scan::Value(length)) => complete(text, length),
            Ok(Scan::Invalid { offset, message }) => Parsed::Invalid { offset, message },
            Ok(Scan::Incomplete | Scan::TooLong | Scan::TooDeep { .. }) => Parsed::Incomplete,
            Err(_) => Parsed::Invalid {
                offset: 0,
                message: describe(&error),
            },
        },
    }
}

/// What the grammar finds at the start of a stream.
#[derive(Debug)]
pub(super) enum Scan {
    /// A complete value of this many bytes.
    Value(usize),
    /// The byte at `offset` is invalid.
    Invalid { offset: usize, message: String },
    /// The bracket at `offset` nests too deep.
    TooDeep { offset: usize },
    /// The value is longer than the guard permits.
    TooLong,
    /// The input ends before the value does.
    Incomplete,
}

/// Reads one value from its first byte, and no byte after it except the one that ends a number or
/// a literal.
pub(super) fn scan<S: Read>(guard: &mut Guard<S>) -> io::Result<Scan> {
    let mut values = Deserializer::from_reader(&mut *guard).into_iter::<IgnoredAny>();
    let value = values.next();
    let length = values.byte_offset();
    drop(values);
    let error = match value {
        Some(Ok(IgnoredAny)) => return Ok(Scan::Value(length)),
        Some(Err(error)) => error,
        None => return Ok(Scan::Incomplete),
    };
    let last = guard.pulled.saturating_sub(1);
    match guard.stop.take() {
        Some(Stop::TooLong) => Ok(Scan::TooLong),
        Some(Stop::TooDeep) => Ok(Scan::TooDeep { offset: last }),
        Some(Stop::NoHexDigit) => Ok(Scan::Invalid {
            offset: last,
            message: BAD_ESCAPE.to_owned(),
        }),
        None if error.is_io() => Err(error.into()),
        // At the end of input `serde_json` calls `-` an invalid number.
        None if guard.source_ended => Ok(Scan::Incomplete),
        None => Ok(Scan::Invalid {
            offset: last,
            message: describe(&error),
        }),
    }
}

/// A value that `serde_json` has skipped, which does not check that strings are UTF-8.
fn complete(text: &[u8], length: usize) -> Parsed {
    match str::from_utf8(text.get(..length).unwrap_or(text)) {
        Ok(_) => Parsed::Complete(length),
        Err(error) => Parsed::Invalid {
            offset: error.valid_up_to(),
            message: BAD_UTF_8.to_owned(),
        },
    }
}

/// The offset of the first bracket that nests deeper than `max_depth`, in text that starts at the
/// first byte of a value and is valid up to there.
pub(super) fn too_deep_at(text: &[u8], max_depth: usize) -> Option<usize> {
    if !more_opening_brackets_than(text, max_depth) {
        return None;
    }
    let mut nesting = Nesting::default();
    text.iter()
        .position(|&byte| nesting.step(byte, max_depth) == Some(Stop::TooDeep))
}

/// Describes an error for users: the messages of `serde_json` mention its internals.
fn describe(error: &serde_json::Error) -> String {
    let theirs = error.to_string();
    let theirs = theirs
        .rsplit_once(" at line ")
        .map_or(&*theirs, |(message, _)| message);
    let known = MESSAGES.iter().find(|(known, _)| *known == theirs);
    known.map_or(theirs, |(_, ours)| ours).to_owned()
}

/// The messages of `serde_json` that are replaced, and by which.
const MESSAGES: [(&str, &str); 6] = [
    ("expected ident", BAD_LITERAL),
    ("expected value", "expected a value"),
    ("key must be a string", "expected a key in double quotes"),
    ("invalid unicode code point", BAD_UTF_8),
    (
        "control character (\\u0000-\\u001F) found while parsing a string",
        "control character in a string; escape it",
    ),
    ("trailing characters", "expected white space"),
];
const BAD_LITERAL: &str = "expected `true`, `false` or `null`";
const BAD_ESCAPE: &str = "invalid escape";
const BAD_UTF_8: &str = "invalid UTF-8";

/// A reader of one value that stops at the limits on bytes and depth.
pub(super) struct Guard<S> {
    source: S,
    max_pulled: usize,
    max_depth: usize,
    nesting: Nesting,
    /// How many bytes were read from the source, including a rejected one.
    pulled: usize,
    source_ended: bool,
    stop: Option<Stop>,
}

impl<S: Read> Guard<S> {
    pub(super) fn new(source: S, max_pulled: usize, max_depth: usize) -> Self {
        Self {
            source,
            max_pulled,
            max_depth,
            nesting: Nesting::default(),
            pulled: 0,
            source_ended: false,
            stop: None,
        }
    }

    #[cold]
    fn stop_at(&mut self, stop: Stop) -> io::Result<usize> {
        self.stop = Some(stop);
        Err(io::ErrorKind::InvalidData.into())
    }
}

impl<S: Read> Read for Guard<S> {
    #[inline]
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.pulled == self.max_pulled {
            return self.stop_at(Stop::TooLong);
        }
        let Some(slot) = out.first_mut() else {
            return Ok(0);
        };
        if self.source.read(std::slice::from_mut(slot))? == 0 {
            self.source_ended = true;
            return Ok(0);
        }
        self.pulled += 1;
        match self.nesting.step(*slot, self.max_depth) {
            Some(stop) => self.stop_at(stop),
            None => Ok(1),
        }
    }
}

/// Why the guard stopped at a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    TooLong,
    TooDeep,
    /// `serde_json` reads the four digits of `\u` before it checks them, and so would consume the
    /// newline after a message that was cut off there.
    NoHexDigit,
}

/// The number of open brackets, and whether a byte is inside a string.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    within: Within,
}

#[derive(Debug, Default, Clone, Copy)]
enum Within {
    #[default]
    Structure,
    Text,
    Escape,
    /// This many digits of `\u` are still missing.
    HexDigits(u8),
}

impl Nesting {
    #[inline]
    fn step(&mut self, byte: u8, max_depth: usize) -> Option<Stop> {
        let mut stop = None;
        self.within = match (self.within, byte) {
            (Within::Structure, b'{' | b'[') => {
                self.depth += 1;
                if self.depth > max_depth {
                    stop = Some(Stop::TooDeep);
                }
                Within::Structure
            }
            (Within::Structure, b'}' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                Within::Structure
            }
            (Within::Structure, b'"') => Within::Text,
            (Within::Structure, _) | (Within::Text, b'"') => Within::Structure,
            (Within::Text, b'\\') => Within::Escape,
            (Within::Escape, b'u') => Within::HexDigits(4),
            (Within::HexDigits(left), _) if byte.is_ascii_hexdigit() && left > 1 => {
                Within::HexDigits(left - 1)
            }
            (Within::HexDigits(_), _) if !byte.is_ascii_hexdigit() => {
                stop = Some(Stop::NoHexDigit);
                Within::Text
            }
            (Within::HexDigits(_) | Within::Escape | Within::Text, _) => Within::Text,
        };
        stop
    }
}

/// Whether there are more than `limit` of `{` and `[`, inside strings or not.
pub(super) fn more_opening_brackets_than(text: &[u8], limit: usize) -> bool {
    memchr::memchr2_iter(b'{', b'[', text).nth(limit).is_some()
}
