//! Finds the JSON values in a byte stream: one a line, several a line, or one over many lines.
//!
//! The common case is a value on one line that is already in the buffer: [`Values`] finds the end of
//! the line with one `memchr`, and the caller's `take` parses the value once, in place. Everything
//! else (a value over several lines, a huge one, a writer that sends byte by byte) is measured first
//! by the `grammar`, in one pass whatever the sizes of the reads, and given to `take` when complete.
//!
//! This module knows where a value begins and ends and where to resume after text that is not JSON.
//! It does not interpret values. It buffers at most one value and one read, and nothing of the text
//! that it skips.

mod buffer;
mod grammar;
mod reader;

pub use self::grammar::{Limits, Parsed, parse_ignored};
pub use self::reader::{InvalidText, Step, Values};
