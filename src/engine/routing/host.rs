//! Hosts: the patterns of routes, and the normal form in which hosts are compared.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use crate::engine::request::{Headers, all_in, byte_set};

/// A host pattern of a route. Comparison ignores case, port and final dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostPattern {
    /// This host.
    Exact(Box<str>),
    /// Every host below this suffix, at any depth, but not the suffix itself. Stored without `*.`.
    Suffix(Box<str>),
    /// Every host, and requests without a host.
    Any,
}

/// An invalid host pattern.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HostError {
    /// The name or one of its labels is empty.
    #[error("the host {0:?} is empty; write a name such as api.example.com")]
    Empty(String),
    /// A star anywhere but as the whole first label.
    #[error(
        "the host {0:?} has a `*` in the wrong place; only a leading `*.` as in *.example.com is allowed"
    )]
    Star(String),
    /// A port, which comparison ignores.
    #[error("the host {0:?} has a port, which is never compared; leave it out")]
    Port(String),
    /// A character that is invalid in hosts.
    #[error(
        "the host {0:?} has {1:?}; a host consists of letters, digits, `-`, `_` and `.` (write other alphabets as xn--…)"
    )]
    Character(String, char),
}

impl HostPattern {
    /// Parses `api.example.com` or `*.example.com`.
    ///
    /// # Errors
    /// If it is empty, or has a port, a `*` that is not the whole first label, or an invalid
    /// character.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let (is_suffix, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let is_bracketed = name.starts_with('[') && name.ends_with(']');
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() || name.split('.').any(str::is_empty) {
            return Err(HostError::Empty(text.into()));
        }
        if name.contains('*') {
            return Err(HostError::Star(text.into()));
        }
        if !is_bracketed && name.contains(':') {
            return Err(HostError::Port(text.into()));
        }
        let is_invalid = |c: &char| {
            !(c.is_ascii_alphanumeric() || "-_.".contains(*c) || is_bracketed && "[]:".contains(*c))
        };
        if let Some(invalid) = name.chars().find(is_invalid) {
            return Err(HostError::Character(text.into(), invalid));
        }
        let name = name.to_ascii_lowercase().into();
        Ok(if is_suffix {
            Self::Suffix(name)
        } else {
            Self::Exact(name)
        })
    }

    /// The position in the order of precedence: exact, then the longest suffix, then any.
    #[must_use]
    pub fn rank(&self) -> (u8, usize) {
        match self {
            Self::Exact(_) => (0, 0),
            Self::Suffix(suffix) => (1, usize::MAX - suffix.len()),
            Self::Any => (2, 0),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Suffix(suffix) => write!(f, "*.{suffix}"),
            Self::Any => f.write_str("any"),
        }
    }
}

/// An invalid or ambiguous host of a request (RFC 9112, section 3.2).
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RequestHostError {
    /// Two `Host` fields that differ.
    #[error("the request names two hosts, {0:?} and {1:?}; send one")]
    Conflict(String, String),
    /// A byte that is invalid in hosts (RFC 3986, section 3.2.2).
    #[error(
        "the request names the invalid host {0:?}; send one such as api.example.com or [::1]:8080"
    )]
    Invalid(String),
}

impl RequestHostError {
    /// The stable dotted code, the same on every interface.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Conflict(..) => "host.conflict",
            Self::Invalid(_) => "host.invalid",
        }
    }
}

/// Checks the host of a request and its `Host` fields: each is valid, and the fields are equal.
///
/// The host may differ from the fields: that of an absolute form replaces them.
pub(crate) fn check_host<H: Headers + ?Sized>(
    host: &str,
    headers: &H,
) -> Result<(), RequestHostError> {
    let mut named: Option<&[u8]> = None;
    for (name, value) in headers.fields() {
        if name.len() != 4 || !name.eq_ignore_ascii_case(b"host") {
            continue;
        }
        let first = *named.get_or_insert(value);
        if !first.eq_ignore_ascii_case(value) {
            let text = |value| excerpt(&String::from_utf8_lossy(value));
            return Err(RequestHostError::Conflict(text(first), text(value)));
        }
        check_single_host(host, Some(value))?;
    }
    check_single_host(host, None)
}

/// Checks the host of a request and the value of its only `Host` field, if it has one.
#[inline]
pub(crate) fn check_single_host(host: &str, field: Option<&[u8]>) -> Result<(), RequestHostError> {
    let invalid = |value| {
        let text = String::from_utf8_lossy(value);
        Err(RequestHostError::Invalid(excerpt(&text)))
    };
    match field {
        Some(field) if field != host.as_bytes() && !is_host(field) => return invalid(field),
        _ => {}
    }
    if is_plain_host(host.as_bytes()) || is_host(host.as_bytes()) {
        return Ok(());
    }
    invalid(host.as_bytes())
}

/// Whether this is a plain name or address with or without a port, as almost all hosts are.
#[inline]
fn is_plain_host(host: &[u8]) -> bool {
    let is_plain = |name| all_in(&IN_PLAIN_NAMES, name);
    if is_plain(host) {
        return true;
    }
    let colon = host.iter().rposition(|byte| *byte == b':');
    let (name, port) = host.split_at(colon.unwrap_or_default());
    !name.is_empty() && is_plain(name) && is_port(port)
}

/// Whether this is `uri-host [":" port]` (RFC 3986, section 3.2). An empty host is one without a
/// port.
///
/// Stricter in three: no user (RFC 9110, section 4.2.4), no comma, which is two hosts to a reader that
/// joins field lines, and at most five digits of port. The codec of HTTP/1.1 applies the same grammar
/// while it reads.
fn is_host(host: &[u8]) -> bool {
    let split_at = |byte: u8| host.iter().position(|it| *it == byte);
    let (is_name, port) = if let [b'[', literal @ ..] = host {
        let Some((literal, after)) =
            split_at(b']').and_then(|end| literal.split_at_checked(end - 1))
        else {
            return false;
        };
        let is_literal = !literal.is_empty() && all_in(&IN_LITERALS, literal);
        (is_literal, after.get(1..).unwrap_or_default())
    } else {
        let (name, port) = host.split_at(split_at(b':').unwrap_or(host.len()));
        let is_name = all_in(&IN_NAMES, name) && has_whole_escapes(name);
        (is_name && (!name.is_empty() || port.is_empty()), port)
    };
    is_name && is_port(port)
}

/// Whether this is nothing, or a colon and at most five digits.
fn is_port(port: &[u8]) -> bool {
    match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Whether two hexadecimal digits follow each `%`.
fn has_whole_escapes(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| *byte == b'%').skip(1);
    parts.all(|part| matches!(part, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()))
}

/// The part of a host that an error reports.
#[cold]
fn excerpt(host: &str) -> String {
    host.chars().take(60).collect()
}

/// The bytes of almost all names, without a port.
const IN_PLAIN_NAMES: [bool; 256] = byte_set(b"-._");

/// The bytes of names and IPv4 addresses.
const IN_NAMES: [bool; 256] = byte_set(b"-._~!$&'()*+;=%");

/// The bytes of an address in brackets.
const IN_LITERALS: [bool; 256] = byte_set(b"-._~:");

/// The normal form of a host, for comparison: lower case, without port and final dot. Borrowed if
/// that is a part of `host`.
#[must_use]
pub fn normal_host(host: &str) -> Cow<'_, str> {
    let name = match host.rfind(':') {
        // `[::1]:80` and `[::1]`: a colon inside the brackets does not separate a port.
        Some(colon) if !host.ends_with(']') => host.get(..colon).unwrap_or(host),
        _ => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// The suffixes of a host, longest first: `b.c` and `c` of `a.b.c`.
pub(crate) fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    host.match_indices('.')
        .filter_map(|(dot, _)| host.get(dot + 1..))
        .filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |text: &str, expected: &str| {
            let got = HostPattern::parse(text).map_or_else(|f| f.to_string(), |p| p.to_string());
            assert_eq!(got, expected, "{text}");
        };
        check("API.Example.com.", "api.example.com");
        check("*.Example.com", "*.example.com");
        check("[::1]", "[::1]");
        check("127.0.0.1", "127.0.0.1");
        check(
            "",
            "the host \"\" is empty; write a name such as api.example.com",
        );
        check(
            "*.",
            "the host \"*.\" is empty; write a name such as api.example.com",
        );
        check(
            "a..b",
            "the host \"a..b\" is empty; write a name such as api.example.com",
        );
        check(
            "a.*.b",
            "the host \"a.*.b\" has a `*` in the wrong place; only a leading `*.` as in *.example.com is allowed",
        );
        check(
            "a:80",
            "the host \"a:80\" has a port, which is never compared; leave it out",
        );
        check(
            "bücher.de",
            "the host \"bücher.de\" has 'ü'; a host consists of letters, digits, `-`, `_` and `.` (write other alphabets as xn--…)",
        );
    }

    #[test]
    fn invalid_and_conflicting_hosts() {
        for (host, fields, expected) in [
            ("a", &[("Host", "a")][..], ""),
            ("a", &[("Host", "A"), ("host", "a")], ""),
            ("a", &[("Host", "a"), ("HOST", "b")], "host.conflict"),
            ("c", &[("Host", "a"), ("Hosts", "b")], ""),
            ("[::1]:80", &[], ""),
            ("", &[], ""),
            ("a b", &[], "host.invalid"),
            ("a/b", &[], "host.invalid"),
            ("b\u{fc}cher.de", &[], "host.invalid"),
            ("u@a", &[], "host.invalid"),
            ("a", &[("Host", "b:x")], "host.invalid"),
        ] {
            let checked = check_host(host, fields);
            let code = checked.map_or_else(|error| error.code(), |()| "");
            assert_eq!(code, expected, "{host} {fields:?}");
        }
    }

    #[test]
    fn hosts_of_requests() {
        for host in [
            "a",
            "api.example.com",
            "a:80",
            "a:",
            "0.0.0.0=5000",
            "[::1]",
            "[::1]:443",
            "[::1]:",
            "home_0.net",
            "a%2Fb",
            "xn--bcher-kva.de",
            "[v1.x:y]",
        ] {
            assert_eq!(check_host(host, &[("Host", host)][..]), Ok(()), "{host}");
        }
        for host in [
            ":80", ":", "u@a", "u:p@a", "a b", "a,b", "a\\b", "a?b", "a#b", "a:b", "a:123456",
            "[::1", "[]", "[::1]x", "[::1]:x", "[:/:1]", "a%", "a%2", "a%zz", "a:80:80", "::1",
            "a:-1", "a\0", "]", "[", "[[::1]]", "a]",
        ] {
            let checked = check_host(host, &[("Host", host)][..]);
            assert_eq!(checked.unwrap_err().code(), "host.invalid", "{host}");
        }
    }

    #[test]
    fn normal_hosts() {
        for (host, expected) in [
            ("api.example.com", "api.example.com"),
            ("API.example.com:8080", "api.example.com"),
            ("a.b.", "a.b"),
            ("a.b.:80", "a.b"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(normal_host(host), expected, "{host}");
        }
        assert_eq!(suffixes("a.b.c").collect::<Vec<_>>(), ["b.c", "c"]);
    }
}
