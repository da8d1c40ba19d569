//! Path patterns: `/a/{id}/*`.
//!
//! A pattern is `/`-separated segments, each a literal or a whole `{name}`, and perhaps a final
//! `*` for the subtree. `P/*` matches `P`, `P/` and everything below; without `*` the match is
//! exact and a trailing slash counts. Prefix and suffix parameters (`/{x}.png`) are not offered:
//! in the trie their outcome would depend on the order of insertion.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

use crate::engine::routing::path::{NormalPath, PathError};
use crate::engine::routing::version::ApiVersion;

/// What a route says of paths. Its text is valid and in the form that normal paths have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPattern {
    text: Box<str>,
}

/// One segment of a pattern. The last segment of `/a/` is the empty literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Equal to the segment of the path.
    Literal(&'a str),
    /// Any segment of the path that is not empty, under this name.
    Param(&'a str),
}

/// A pattern that cannot be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    /// It begins with something else than `/`.
    #[error("a pattern begins with `/`")]
    NoLeadingSlash,
    /// A `*` that is not the whole last segment.
    #[error("`*` stands only as the whole last segment, as in /api/users/*")]
    StarNotLast,
    /// A brace that does not enclose a whole segment.
    #[error("braces enclose a whole segment, as in /users/{{id}}; the segment here is `{0}`")]
    Braces(String),
    /// A parameter name that is empty or has odd characters.
    #[error("a parameter is named with letters, digits, `_`, `-` or `.`; the name here is `{0}`")]
    ParamName(String),
    /// One name for two parameters.
    #[error("the parameter `{0}` stands there twice; each needs a name of its own")]
    ParamTwice(String),
    /// More parameters than the trie can hold.
    #[error("{0} parameters are too many; at most {max} are possible", max = PathPattern::MAX_PARAMS)]
    TooManyParams(usize),
    /// More bytes than a path may have.
    #[error("a pattern of {0} bytes is too long; at most {max} are possible", max = PathPattern::MAX_BYTES)]
    TooLong(usize),
    /// A query or a fragment.
    #[error(
        "a pattern is a path alone; take off what follows `{0}` (a query is matched by `query:`)"
    )]
    NotPathAlone(char),
    /// A literal that no normal path can contain, with the form that can.
    #[error("no request would match: paths are compared in normal form; write `{0}`")]
    NotNormal(String),
    /// A literal with an escaped slash or backslash hiding a dot segment: always refused.
    #[error("no request would match: an encoded slash beside a dot segment is always refused")]
    HiddenDots,
    /// A literal that no path can contain.
    #[error("no request would match: {0}")]
    Impossible(#[from] PathError),
}

impl PathPattern {
    /// matchit panics at 26 parameters in one key; the pushed-down key of a subtree adds one.
    pub const MAX_PARAMS: usize = 24;
    /// Longer than any path that a front end admits.
    pub const MAX_BYTES: usize = 8_192;

    /// Reads a pattern.
    ///
    /// # Errors
    /// One for each way in which a pattern can be wrong, see [`PatternError`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if !text.starts_with('/') {
            return Err(PatternError::NoLeadingSlash);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(PatternError::TooLong(text.len()));
        }
        if let Some(mark) = text.chars().find(|c| matches!(c, '?' | '#')) {
            return Err(PatternError::NotPathAlone(mark));
        }
        let pattern = Self { text: text.into() };
        let mut names: Vec<&str> = Vec::new();
        for segment in pattern.raw_segments() {
            if let Some(name) = parse_segment(segment)? {
                if names.contains(&name) {
                    return Err(PatternError::ParamTwice(name.into()));
                }
                names.push(name);
            }
        }
        if names.len() > Self::MAX_PARAMS {
            return Err(PatternError::TooManyParams(names.len()));
        }
        check_normal(text)?;
        Ok(pattern)
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a final `*` takes in the subtree.
    #[must_use]
    pub fn is_subtree(&self) -> bool {
        self.text.ends_with("/*")
    }

    /// The segments, without the final `*`. `/` has one, the empty literal; `/*` has none.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> + Clone {
        self.raw_segments()
            .map(|segment| match param_name(segment) {
                Some(name) => Segment::Param(name),
                None => Segment::Literal(segment),
            })
    }

    /// How many leading bytes are literal: `/api/users` of `/api/users/{id}/*`. The empty segment
    /// of a trailing slash does not count.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        let body = self.text.strip_suffix("/*").unwrap_or(&self.text);
        let end = body.find("/{").unwrap_or(body.len());
        let prefix = body.get(..end).unwrap_or(body);
        prefix.strip_suffix('/').unwrap_or(prefix)
    }

    /// Whether it matches this normal path.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let Some(mut rest) = path.strip_prefix('/').map(|p| p.split('/')) else {
            return self.is_everything();
        };
        let prefix_matches = self.segments().all(|segment| match (segment, rest.next()) {
            (Segment::Literal(literal), Some(part)) => literal == part,
            (Segment::Param(_), Some(part)) => !part.is_empty(),
            (_, None) => false,
        });
        prefix_matches && (self.is_subtree() || rest.next().is_none())
    }

    /// Whether it is `/*`, the only pattern that also matches `OPTIONS *`.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        &*self.text == "/*"
    }

    /// The leftmost literal segment that states a version, and its place.
    #[must_use]
    pub fn version_segment(&self) -> Option<(usize, ApiVersion)> {
        self.segments()
            .enumerate()
            .find_map(|(at, segment)| match segment {
                Segment::Literal(literal) => ApiVersion::of_segment(literal).map(|v| (at, v)),
                Segment::Param(_) => None,
            })
    }

    /// The pattern without its segment `at`; none if nothing would be left of an exact pattern.
    pub(crate) fn without_segment(&self, at: usize) -> Option<Self> {
        let mut text = String::with_capacity(self.text.len());
        for (i, segment) in self.text.split('/').skip(1).enumerate() {
            if i != at {
                text.push('/');
                text.push_str(segment);
            }
        }
        (!text.is_empty()).then(|| Self { text: text.into() })
    }

    /// The pattern with one more literal before its segment `at`, or after its last.
    pub(crate) fn with_segment(&self, at: usize, literal: &str) -> Self {
        let mut parts: Vec<&str> = self.text.split('/').skip(1).collect();
        parts.insert(at.min(parts.len()), literal);
        Self {
            text: format!("/{}", parts.join("/")).into(),
        }
    }

    /// The pattern with its parameters renamed away: equal for patterns that match alike.
    pub(crate) fn shape(&self) -> String {
        self.text
            .split('/')
            .map(|segment| {
                if segment.starts_with('{') {
                    "{}"
                } else {
                    segment
                }
            })
            .collect::<Vec<_>>()
            .join("/")
    }

    /// Compares by path alone, segment by segment from the left: literal, then parameter, then
    /// the end of an exact pattern, then `*`. Equal does not mean that they match alike.
    #[must_use]
    pub fn cmp_rank(&self, other: &Self) -> Ordering {
        self.kinds().cmp(other.kinds())
    }

    /// A path that the pattern matches: every parameter is `1`, and `*` takes nothing.
    #[must_use]
    pub fn example(&self) -> String {
        let mut path = String::new();
        for segment in self.segments() {
            path.push('/');
            path.push_str(match segment {
                Segment::Literal(literal) => literal,
                Segment::Param(_) => "1",
            });
        }
        if path.is_empty() { "/".into() } else { path }
    }

    fn kinds(&self) -> impl Iterator<Item = u8> {
        let last = if self.is_subtree() { 3 } else { 2 };
        self.segments()
            .map(|segment| match segment {
                Segment::Literal(_) => 0,
                Segment::Param(_) => 1,
            })
            .chain([last])
    }

    fn raw_segments(&self) -> impl Iterator<Item = &str> + Clone {
        let body = self.text.strip_suffix("/*").unwrap_or(&self.text);
        body.split('/').skip(1)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn param_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn parse_segment(segment: &str) -> Result<Option<&str>, PatternError> {
    if segment.contains('*') && !segment.contains('{') {
        return Err(PatternError::StarNotLast);
    }
    let Some(name) = param_name(segment) else {
        let braced = segment.contains(['{', '}']);
        return if braced {
            Err(PatternError::Braces(segment.into()))
        } else {
            Ok(None)
        };
    };
    if name.contains(['{', '}']) {
        return Err(PatternError::Braces(segment.into()));
    }
    if name.starts_with('*') {
        return Err(PatternError::StarNotLast);
    }
    let odd = |c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c));
    if name.is_empty() || name.contains(odd) {
        return Err(PatternError::ParamName(name.into()));
    }
    Ok(Some(name))
}

/// A pattern matches only what a normal path can be, so its literals are written in that form.
fn check_normal(text: &str) -> Result<(), PatternError> {
    let body = text.strip_suffix('*').unwrap_or(text);
    let sample: Vec<&str> = body
        .split('/')
        .map(|s| param_name(s).map_or(s, |_| "x"))
        .collect();
    let sample = sample.join("/");
    let normal = NormalPath::parse(&sample)?;
    if normal.as_str() != sample {
        return Err(PatternError::NotNormal(normal.as_str().into()));
    }
    if normal.encoded_slash() == crate::engine::routing::path::EncodedSlash::HidesDotSegment {
        return Err(PatternError::HiddenDots);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
