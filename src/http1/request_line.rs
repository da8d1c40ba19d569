//! The first line of a request, read from left to right: a byte that can never be right is told at
//! once, whatever is to follow.

use crate::http1::grammar::{end_of_token, find_target_end};
use crate::http1::limits::HeadLimits;
use crate::http1::request_error::RequestError;
use crate::http1::span::Span;
use crate::http1::target::{Target, read_target};
use crate::http1::version::Version;

/// Empty lines that may stand before a request (RFC 9112 section 2.2: at least one).
const MAX_EMPTY_LINES: usize = 2;
/// No method in use is longer than half of this.
const MAX_METHOD_BYTES: usize = 32;

/// How far the request line has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestLine {
    stage: Stage,
    empty_lines: usize,
    /// Where the current stage begins.
    start: usize,
    /// What is before this has been looked at, and was right.
    at: usize,
    pub(crate) method: Span,
    pub(crate) target: Target,
    pub(crate) version: Version,
}

#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    #[default]
    Empty,
    Method,
    Target,
    Version,
}

impl RequestLine {
    /// Where the fields begin; nothing if more bytes are needed. `bytes` must begin with those given
    /// before.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, RequestError> {
        loop {
            let end = match self.stage {
                Stage::Empty => self.empty_lines(bytes)?,
                Stage::Method => self.method(bytes)?,
                Stage::Target => self.target(bytes, limits.max_target_bytes)?,
                Stage::Version => {
                    let end = self.start + 10;
                    let version = version(bytes.get(self.start..).unwrap_or_default())?;
                    return Ok(version.map(|version| {
                        self.version = version;
                        end
                    }));
                }
            };
            let Some(next) = end else { return Ok(None) };
            self.start = next;
            self.at = next;
        }
    }

    /// Whether anything but empty lines was seen.
    pub(crate) const fn is_begun(&self) -> bool {
        !matches!(self.stage, Stage::Empty)
    }

    fn empty_lines(&mut self, bytes: &[u8]) -> Result<Option<usize>, RequestError> {
        loop {
            match bytes.get(self.at..).unwrap_or_default() {
                [] | [b'\r'] => return Ok(None),
                [b'\r', b'\n', ..] if self.empty_lines < MAX_EMPTY_LINES => {
                    self.empty_lines += 1;
                    self.at += 2;
                }
                [b'\r' | b'\n', ..] => return Err(line_fault("it begins with a line end")),
                _ => {
                    self.stage = Stage::Method;
                    return Ok(Some(self.at));
                }
            }
        }
    }

    fn method(&mut self, bytes: &[u8]) -> Result<Option<usize>, RequestError> {
        let end = end_of_token(bytes, self.at);
        self.at = end.unwrap_or(bytes.len());
        if self.at - self.start > MAX_METHOD_BYTES {
            let max = MAX_METHOD_BYTES;
            return Err(RequestError::MethodTooLong { max });
        }
        let Some(end) = end else { return Ok(None) };
        match bytes.get(end) {
            Some(b' ') if end > self.start => {}
            Some(b' ') => return Err(line_fault("it begins with a space")),
            Some(b'\r' | b'\n') => return Err(line_fault("it has no target")),
            _ => return Err(line_fault("the method has a byte that no method has")),
        }
        self.method = Span::new(self.start, end);
        self.stage = Stage::Target;
        Ok(Some(end + 1))
    }

    fn target(&mut self, bytes: &[u8], max: usize) -> Result<Option<usize>, RequestError> {
        // One byte more, in which a target that is as long as it may be ends.
        let most = self.start.saturating_add(max).saturating_add(1);
        let window = bytes.get(..most).unwrap_or(bytes);
        let Some(end) = find_target_end(window, self.at) else {
            self.at = window.len();
            if window.len() == most {
                return Err(RequestError::TargetTooLong { max });
            }
            return Ok(None);
        };
        match bytes.get(end) {
            _ if end == self.start => return Err(line_fault("it has no target after the method")),
            Some(b' ') => {}
            Some(b'\r' | b'\n') => return Err(line_fault("it has no version")),
            _ => {
                let what = "it has a control or a byte above 0x7E, which must be escaped";
                return Err(RequestError::Target { what });
            }
        }
        self.target = read_target(self.method.of(bytes), bytes, self.start, end)?;
        self.stage = Stage::Version;
        Ok(Some(end + 1))
    }
}

/// `HTTP/1.1` or `HTTP/1.0` and the end of the line.
fn version(rest: &[u8]) -> Result<Option<Version>, RequestError> {
    match rest {
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            b'1',
            b'\r',
            b'\n',
            ..,
        ] => {
            return Ok(Some(Version::Http11));
        }
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            b'0',
            b'\r',
            b'\n',
            ..,
        ] => {
            return Ok(Some(Version::Http10));
        }
        _ => {}
    }
    for (at, byte) in rest.iter().take(10).enumerate() {
        let right = match at {
            0..=4 => b"HTTP/".get(at) == Some(byte),
            5 | 7 => byte.is_ascii_digit(),
            6 => *byte == b'.',
            8 => *byte == b'\r',
            _ => *byte == b'\n',
        };
        if !right && at < 8 {
            return Err(line_fault("what follows the target is no version"));
        }
        if !right {
            return Err(line_fault(
                "it does not end in CR LF right after the version",
            ));
        }
        if let (7, Some([major, _, minor])) = (at, rest.get(5..8))
            && (*major, !matches!(minor, b'0' | b'1')) != (b'1', false)
        {
            return Err(RequestError::Version {
                major: char::from(*major),
                minor: char::from(*minor),
            });
        }
    }
    Ok(None)
}

fn line_fault(what: &'static str) -> RequestError {
    RequestError::RequestLine { what }
}
