//! Where a JSON value ends, or fails, to the byte.
//!
//! The grammar is that of `serde_json`, which reads one byte at a time and stops at the last byte
//! of a value. [`Guard`] stands between it and the bytes: it counts them, and refuses those that
//! exceed a limit. It does not read ahead and keeps nothing.

use std::io::{self, Read};
use std::str;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::Attempt;

/// What the grammar says of a value.
#[derive(Debug)]
pub(super) enum Scan {
    /// It is whole and has this many bytes.
    Value(usize),
    /// The byte at `offset` cannot be.
    Broken { offset: usize, message: String },
    /// The bracket at `offset` is one too many.
    TooDeep { offset: usize },
    /// It has not ended after as many bytes as the guard lets through.
    TooLong,
    /// The input ended first.
    Ends,
}

/// Reads one value from its first byte on, and no byte after it but the one that shows the end of
/// a number or a word.
pub(super) fn scan<S: Read>(guard: &mut Guard<S>) -> io::Result<Scan> {
    let mut values = Deserializer::from_reader(&mut *guard).into_iter::<IgnoredAny>();
    let value = values.next();
    let length = values.byte_offset();
    drop(values);
    let error = match value {
        Some(Ok(IgnoredAny)) => return Ok(Scan::Value(length)),
        Some(Err(error)) => error,
        None => return Ok(Scan::Ends),
    };
    let last = guard.pulled.saturating_sub(1);
    match guard.refusal.take() {
        Some(Refusal::TooLong) => Ok(Scan::TooLong),
        Some(Refusal::TooDeep) => Ok(Scan::TooDeep { offset: last }),
        Some(Refusal::NoHexDigit) => Ok(Scan::Broken {
            offset: last,
            message: NO_ESCAPE.to_owned(),
        }),
        None if error.is_io() => Err(error.into()),
        // At the end of input `serde_json` calls `-` an invalid number.
        None if guard.source_ended => Ok(Scan::Ends),
        None => Ok(Scan::Broken {
            offset: last,
            message: words(&error),
        }),
    }
}

/// What [`super::attempt_ignored`] returns.
pub(super) fn attempt(text: &[u8]) -> Attempt {
    let mut values = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(IgnoredAny)) => whole(text, values.byte_offset()),
        None => Attempt::Incomplete,
        Some(Err(error)) if error.is_eof() => Attempt::Incomplete,
        // A slice is read faster but its errors do not tell the place to the byte.
        Some(Err(error)) => match scan(&mut Guard::new(text, usize::MAX, usize::MAX)) {
            Ok(Scan::Value(length)) => whole(text, length),
            Ok(Scan::Broken { offset, message }) => Attempt::Broken { offset, message },
            Ok(Scan::Ends | Scan::TooLong | Scan::TooDeep { .. }) => Attempt::Incomplete,
            Err(_) => Attempt::Broken {
                offset: 0,
                message: words(&error),
            },
        },
    }
}

/// A value that `serde_json` has passed over: it did not look whether strings are UTF-8.
fn whole(text: &[u8], length: usize) -> Attempt {
    match str::from_utf8(text.get(..length).unwrap_or(text)) {
        Ok(_) => Attempt::Done(length),
        Err(error) => Attempt::Broken {
            offset: error.valid_up_to(),
            message: NO_UTF_8.to_owned(),
        },
    }
}

/// The first bracket with more than `max_depth` before it still open, in text that starts at the
/// first byte of a value and holds well-formed values up to there.
pub(super) fn too_deep_at(text: &[u8], max_depth: usize) -> Option<usize> {
    if !more_opening_brackets_than(text, max_depth) {
        return None;
    }
    let mut nesting = Nesting::default();
    text.iter()
        .position(|&byte| nesting.step(byte, max_depth) == Some(Refusal::TooDeep))
}

/// What is wrong, in words of ours: the parser speaks of its own inside.
fn words(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said
        .rsplit_once(" at line ")
        .map_or(&*said, |(said, _)| said);
    let known = OURS.iter().find(|(theirs, _)| *theirs == said);
    known.map_or(said, |(_, ours)| ours).to_owned()
}

/// The words of `serde_json`, and ours.
const OURS: [(&str, &str); 11] = [
    ("expected ident", NO_WORD),
    ("expected value", "a value should stand here"),
    ("expected `:`", "`:` should stand here"),
    ("expected `,` or `]`", "`,` or `]` should stand here"),
    ("expected `,` or `}`", "`,` or `}` should stand here"),
    (
        "key must be a string",
        "a name in double quotes should stand here",
    ),
    ("invalid escape", NO_ESCAPE),
    ("invalid unicode code point", NO_UTF_8),
    ("invalid number", "no number is written so"),
    (
        "control character (\\u0000-\\u001F) found while parsing a string",
        "a control character stands in a text unescaped",
    ),
    ("trailing characters", "a blank should stand here"),
];
const NO_WORD: &str = "a word other than `true`, `false` and `null` stands here";
const NO_ESCAPE: &str = "an escape that is none stands here";
const NO_UTF_8: &str = "a byte that is no UTF-8 stands here";

/// A reader of one value that lets no more bytes and no more depth through than it may.
pub(super) struct Guard<S> {
    source: S,
    max_pulled: usize,
    max_depth: usize,
    nesting: Nesting,
    /// How many bytes came out of the source, the refused one too.
    pulled: usize,
    source_ended: bool,
    refusal: Option<Refusal>,
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
            refusal: None,
        }
    }

    #[cold]
    fn refuse(&mut self, refusal: Refusal) -> io::Result<usize> {
        self.refusal = Some(refusal);
        Err(io::ErrorKind::InvalidData.into())
    }
}

impl<S: Read> Read for Guard<S> {
    #[inline]
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.pulled == self.max_pulled {
            return self.refuse(Refusal::TooLong);
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
            Some(refusal) => self.refuse(refusal),
            None => Ok(1),
        }
    }
}

/// Why a byte was not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    TooLong,
    TooDeep,
    /// `serde_json` reads the four digits of `\u` before it looks at them, and so might swallow
    /// the newline after a message that was cut off there.
    NoHexDigit,
}

/// How many brackets are open, and whether a byte is inside a string.
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
    /// So many digits of `\u` are still to come.
    HexDigits(u8),
}

impl Nesting {
    #[inline]
    fn step(&mut self, byte: u8, max_depth: usize) -> Option<Refusal> {
        let mut refusal = None;
        self.within = match (self.within, byte) {
            (Within::Structure, b'{' | b'[') => {
                self.depth += 1;
                if self.depth > max_depth {
                    refusal = Some(Refusal::TooDeep);
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
                refusal = Some(Refusal::NoHexDigit);
                Within::Text
            }
            (Within::HexDigits(_) | Within::Escape | Within::Text, _) => Within::Text,
        };
        refusal
    }
}

/// Whether there are more than `limit` of `{` and `[`, inside strings or not.
pub(super) fn more_opening_brackets_than(text: &[u8], limit: usize) -> bool {
    memchr::memchr2_iter(b'{', b'[', text).nth(limit).is_some()
}
