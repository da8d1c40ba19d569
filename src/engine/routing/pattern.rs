//! Path patterns: `/a/{id}/*`.
//!
//! A pattern is `/`-separated segments, each a literal or a whole `{name}`, and optionally a final
//! `*` for the subtree. `P/*` matches `P`, `P/` and everything below; without `*` the match is
//! exact, including a trailing slash. Prefix and suffix parameters (`/{x}.png`) are not supported:
//! the result of a trie lookup would depend on the order of insertion.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

use crate::engine::routing::path::{NormalPath, PathError};
use crate::engine::routing::version::ApiVersion;

/// The path pattern of a route: valid, and in the normal form of paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPattern {
    text: Box<str>,
}

/// One segment of a pattern. The last segment of `/a/` is the empty literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Matches an equal segment.
    Literal(&'a str),
    /// Matches any non-empty segment; the parameter has this name.
    Param(&'a str),
}

/// An invalid pattern.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    /// The pattern does not begin with `/`.
    #[error("the pattern must begin with `/`")]
    NoLeadingSlash,
    /// A `*` that is not the whole last segment.
    #[error("`*` is allowed only as the whole last segment, as in /api/users/*")]
    StarNotLast,
    /// Braces that do not enclose a whole segment.
    #[error("braces must enclose a whole segment, as in /users/{{id}}; the segment is `{0}`")]
    Braces(String),
    /// A parameter name that is empty or has invalid characters.
    #[error("the parameter name `{0}` is invalid; use letters, digits, `_`, `-` and `.`")]
    ParamName(String),
    /// Two parameters with the same name.
    #[error("the parameter `{0}` occurs twice; rename one")]
    ParamTwice(String),
    /// More parameters than [`PathPattern::MAX_PARAMS`].
    #[error("the pattern has {0} parameters; at most {max} are allowed", max = PathPattern::MAX_PARAMS)]
    TooManyParams(usize),
    /// More bytes than [`PathPattern::MAX_BYTES`].
    #[error("the pattern has {0} bytes; at most {max} are allowed", max = PathPattern::MAX_BYTES)]
    TooLong(usize),
    /// A query or a fragment.
    #[error(
        "the pattern has `{0}`, but matches the path only; remove it and what follows (`query:` matches queries)"
    )]
    NotPathAlone(char),
    /// A literal that is not in normal form, so that no normal path contains it. Holds the normal
    /// form.
    #[error("no request would match: paths are compared in normal form; write `{0}`")]
    NotNormal(String),
    /// A literal with an encoded slash or backslash that hides a dot segment.
    #[error("no request would match: an encoded slash beside a dot segment is always rejected")]
    HiddenDots,
    /// A literal that no path can contain.
    #[error("no request would match: {0}")]
    Impossible(#[from] PathError),
}

impl PathPattern {
    /// The maximum number of parameters. matchit panics at 26 in one key, and the key of a subtree
    /// can have one more than its pattern.
    pub const MAX_PARAMS: usize = 24;
    /// The maximum length in bytes, larger than that of any path that a frontend admits.
    pub const MAX_BYTES: usize = 8_192;

    /// Parses a pattern.
    ///
    /// # Errors
    /// The first error in the pattern; see [`PatternError`].
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

    /// The text of the pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern ends with `*` and matches a subtree.
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

    /// The leading literal segments: `/api/users` of `/api/users/{id}/*`. Excludes the empty
    /// segment of a trailing slash.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        let body = self.text.strip_suffix("/*").unwrap_or(&self.text);
        let end = body.find("/{").unwrap_or(body.len());
        let prefix = body.get(..end).unwrap_or(body);
        prefix.strip_suffix('/').unwrap_or(prefix)
    }

    /// Whether the pattern matches this normal path.
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

    /// Whether the pattern is `/*`, the only one that also matches `OPTIONS *`.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        &*self.text == "/*"
    }

    /// The index of the leftmost literal segment that states a version, and that version.
    #[must_use]
    pub fn version_segment(&self) -> Option<(usize, ApiVersion)> {
        self.segments()
            .enumerate()
            .find_map(|(at, segment)| match segment {
                Segment::Literal(literal) => ApiVersion::of_segment(literal).map(|v| (at, v)),
                Segment::Param(_) => None,
            })
    }

    /// The pattern without segment `at`; `None` if it would be empty.
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

    /// The pattern with `literal` inserted before segment `at`, or at the end.
    pub(crate) fn with_segment(&self, at: usize, literal: &str) -> Self {
        let mut parts: Vec<&str> = self.text.split('/').skip(1).collect();
        parts.insert(at.min(parts.len()), literal);
        Self {
            text: format!("/{}", parts.join("/")).into(),
        }
    }

    /// The pattern without parameter names: equal for patterns that match the same paths.
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

    /// Compares the precedence of patterns, segment by segment from the left: literal, parameter,
    /// end of an exact pattern, `*`. Patterns that compare equal can match different paths.
    #[must_use]
    pub fn cmp_rank(&self, other: &Self) -> Ordering {
        self.kinds().cmp(other.kinds())
    }

    /// A path that the pattern matches: every parameter is `1`, and `*` matches nothing.
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
    let is_invalid = |c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c));
    if name.is_empty() || name.contains(is_invalid) {
        return Err(PatternError::ParamName(name.into()));
    }
    Ok(Some(name))
}

/// Checks that the literals are in normal form: requests are matched by their normal path.
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
