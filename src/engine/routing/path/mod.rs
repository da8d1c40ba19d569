//! The normal path: one spelling per path, so that the gateway forwards exactly what it matched.
//!
//! Attackers bypass gateways with alternative spellings: the gateway interprets
//! `/public/..%2fadmin` or `/%61dmin` in one way and the backend in another. Every path is
//! therefore normalised before anything else reads it, and rejected if it has no safe normal form.
//! This module does not decide whether a route allows encoded slashes, and never changes a query.
//!
//! The rules, in the order in which they apply:
//!
//! 1. Bytes that RFC 3986 (section 3.3) does not allow in a path are rejected: controls, the space,
//!    bytes above 0x7E, `"`, `#`, `<`, `>`, `?`, `\`, a backtick, `{`, `}`, and a `%` without two
//!    hex digits; except that `|` and `^`, which browsers send raw, are percent-encoded, and `[`
//!    and `]` are allowed. Percent-encoded controls (`%00` to `%1F`, `%7F`) are rejected.
//! 2. Percent-encoded unreserved bytes are decoded, once. All other escapes are upper-cased,
//!    including `%25`, `%2F` and `%5C` (sections 2.3 and 6.2.2).
//! 3. Runs of `/` are merged.
//! 4. `.` and `..` segments are removed (section 5.2.4). A `..` above the root, which the RFC would
//!    ignore, is rejected. So is a dot segment with a parameter (`..;x`), which some servers obey.

use std::borrow::Cow;

mod error;
mod rewrite;
mod scan;

pub use error::PathError;
pub use rewrite::EncodedSlash;

/// A normalised path: the only kind that the gateway matches and forwards.
///
/// It begins with `/`, or is `*`. It is ASCII and has no `//`, no `.` or `..` segment, and no
/// escape in lower case or of an unreserved byte. Normalising it again does not change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalPath<'a> {
    text: Cow<'a, str>,
    encoded_slash: EncodedSlash,
}

impl<'a> NormalPath<'a> {
    /// Normalises the path of a request, without its query. Borrows a path that is already normal.
    ///
    /// Accepts `*` (RFC 9110 section 7.1); the caller checks that the method is `OPTIONS`.
    ///
    /// # Errors
    ///
    /// The leftmost error in `path`.
    pub fn parse(path: &'a str) -> Result<Self, PathError> {
        match path.as_bytes() {
            [b'/', ..] if scan::is_normal(path.as_bytes()) => Ok(Self::plain(path)),
            [b'/', ..] => {
                let text = rewrite::rewrite(path)?;
                let encoded_slash = rewrite::encoded_slash(&text);
                Ok(Self {
                    text,
                    encoded_slash,
                })
            }
            b"*" => Ok(Self::plain(path)),
            [] => Err(PathError::Empty),
            [byte, ..] => Err(PathError::NoLeadingSlash { byte: *byte }),
        }
    }

    /// The text: begins with `/`, or is `*`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path has an encoded `/` or `\`.
    pub fn encoded_slash(&self) -> EncodedSlash {
        self.encoded_slash
    }

    fn plain(path: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(path),
            encoded_slash: EncodedSlash::Absent,
        }
    }
}

/// Splits `path?query` at the first `?` (RFC 3986 section 3.4). `/a?` has an empty query.
pub fn split_target(target: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b'?', target.as_bytes()) {
        Some(end) => {
            let (path, query) = target.split_at(end);
            (path, query.get(1..))
        }
        None => (target, None),
    }
}

/// Checks that a query, without its `?`, can be forwarded unchanged.
///
/// # Errors
///
/// The first byte that is below 0x21, above 0x7E, or `#`. Other bytes are allowed, even if RFC 3986
/// (section 3.4) requires them to be escaped (`[`, `|`, a lone `%`), because clients send them.
pub fn check_query(query: &str) -> Result<(), PathError> {
    let is_invalid = |byte: u8| !byte.is_ascii_graphic() | (byte == b'#');
    // No early exit, so that the compiler vectorises the loop.
    let any = query
        .bytes()
        .fold(false, |any, byte| any | is_invalid(byte));
    if !any {
        return Ok(());
    }
    let first = (0..).zip(query.bytes()).find(|(_, byte)| is_invalid(*byte));
    first.map_or(Ok(()), |(at, byte)| Err(PathError::QueryByte { byte, at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    use EncodedSlash::{Absent, HidesDotSegment, Plain};

    fn check(path: &str, expected: &str, encoded_slash: EncodedSlash) {
        let normal = NormalPath::parse(path).expect(path);
        assert_eq!(normal.as_str(), expected, "of {path}");
        assert_eq!(normal.encoded_slash(), encoded_slash, "of {path}");
        let again = NormalPath::parse(normal.as_str());
        assert_eq!(again.as_ref(), Ok(&normal), "of {path}, again");
        let is_copied = matches!(normal.text, Cow::Owned(_));
        assert!(!is_copied || path != expected, "{path} was copied");
    }

    fn check_error(path: &str, expected: &str) {
        let error = NormalPath::parse(path).expect_err(path);
        assert_eq!(
            error.to_string(),
            format!("the path {expected}"),
            "of {path:?}"
        );
        assert_eq!(error.code(), "path.invalid");
    }

    #[test]
    fn normal_forms() {
        for (path, expected) in [
            ("*", "*"),
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("/api/v2/users/123", "/api/v2/users/123"),
            ("/~u/-._!$&'()*+,;=:@[]", "/~u/-._!$&'()*+,;=:@[]"),
            ("/a;v=1/*/**", "/a;v=1/*/**"),
            // Escapes: unreserved decoded once, others upper-cased.
            ("/%61%5A%30%2d%2E%5f%7E", "/aZ0-._~"),
            ("/%c3%A9%20x", "/%C3%A9%20x"),
            ("/a%20b/%C3%A9", "/a%20b/%C3%A9"),
            ("/%25", "/%25"),
            ("/%2561/%252e%252E/%252f", "/%2561/%252e%252E/%252f"),
            ("/%3b%3F%23%3a%40", "/%3B%3F%23%3A%40"),
            ("/%80%fF", "/%80%FF"),
            ("/a|b^c", "/a%7Cb%5Ec"),
            // Slashes.
            ("//", "/"),
            ("///a", "/a"),
            ("/a//b///c//", "/a/b/c/"),
            ("//example.com/a", "/example.com/a"),
            // Dot segments.
            ("/.", "/"),
            ("/./a", "/a"),
            ("/a/.", "/a/"),
            ("/a/./b", "/a/b"),
            ("/a/..", "/"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/b/c/./../../g", "/a/g"),
            ("/a/b/../../c/..", "/"),
            ("/a//../b", "/b"),
            ("/a/.//../b", "/b"),
            ("/a//..//b", "/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e", "/"),
            ("/a/%2e/b", "/a/b"),
            ("/a%2f../../b", "/b"),
            // Not dot segments.
            ("/...", "/..."),
            ("/.well-known/x", "/.well-known/x"),
            ("/..a/.b/a../a.", "/..a/.b/a../a."),
            ("/a;../..%3Bx", "/a;../..%3Bx"),
            ("/...;x", "/...;x"),
        ] {
            check(path, expected, Absent);
        }
    }

    #[test]
    fn encoded_slashes() {
        for (path, expected, encoded_slash) in [
            ("/a%2Fb", "/a%2Fb", Plain),
            ("/a%2fb%5cc", "/a%2Fb%5Cc", Plain),
            ("/%2F", "/%2F", Plain),
            ("/a%5C%5C...", "/a%5C%5C...", Plain),
            ("/a%2F.b%2F..c", "/a%2F.b%2F..c", Plain),
            ("/a%2F%252e%252e", "/a%2F%252e%252e", Plain),
            ("/a%2F..", "/a%2F..", HidesDotSegment),
            ("/..%2fa", "/..%2Fa", HidesDotSegment),
            ("/a/%2e%2e%5ca", "/a/..%5Ca", HidesDotSegment),
            ("/a%5C.%2Fb", "/a%5C.%2Fb", HidesDotSegment),
            ("/a%2F..;x", "/a%2F..;x", HidesDotSegment),
            ("/b%2Fc/a%2F%2e./c", "/b%2Fc/a%2F../c", HidesDotSegment),
        ] {
            check(path, expected, encoded_slash);
        }
    }

    #[test]
    fn diagnostics_of_bytes() {
        for (path, expected) in [
            ("", "is empty; write / for the root"),
            ("a/b", "starts with `a`; it must start with /"),
            ("*/", "starts with `*`; it must start with /"),
            (" /a", "starts with space; it must start with /"),
            ("é", "starts with byte 0xC3; it must start with /"),
            ("/a b", "has a raw space at byte 2; write %20"),
            ("/a/b/\"", "has a raw `\"` at byte 5; write %22"),
            ("/a#b", "has a raw `#` at byte 2; write %23"),
            ("/<", "has a raw `<` at byte 1; write %3C"),
            ("/>", "has a raw `>` at byte 1; write %3E"),
            ("/?", "has a raw `?` at byte 1; write %3F"),
            ("/\\", "has a raw `\\` at byte 1; write %5C"),
            ("/`", "has a raw ``` at byte 1; write %60"),
            ("//{id}", "has a raw `{` at byte 2; write %7B"),
            ("/}", "has a raw `}` at byte 1; write %7D"),
            ("/%41/é", "has a raw byte 0xC3 at byte 5; write %C3"),
            ("/\n", "has a control byte 0x0A at byte 1; remove it"),
            ("/\u{7f}", "has a control byte 0x7F at byte 1; remove it"),
            ("/a%00", "has the control byte %00 at byte 2; remove it"),
            ("/%1f", "has the control byte %1F at byte 1; remove it"),
            ("/%7f", "has the control byte %7F at byte 1; remove it"),
            (
                "/%",
                "has a % without two hex digits at byte 1; write %25 for the sign",
            ),
            (
                "/a%4",
                "has a % without two hex digits at byte 2; write %25 for the sign",
            ),
            (
                "/%4/1",
                "has a % without two hex digits at byte 1; write %25 for the sign",
            ),
            (
                "/%+1",
                "has a % without two hex digits at byte 1; write %25 for the sign",
            ),
            (
                "/%4é",
                "has a % without two hex digits at byte 1; write %25 for the sign",
            ),
        ] {
            check_error(path, expected);
        }
    }

    #[test]
    fn errors_in_segments() {
        for (path, expected) in [
            (
                "/..",
                "has a .. at byte 1 that leads above the root; remove it",
            ),
            (
                "/a/../%2e./b",
                "has a .. at byte 6 that leads above the root; remove it",
            ),
            (
                "//./..",
                "has a .. at byte 4 that leads above the root; remove it",
            ),
            (
                "/a/..;x",
                "has a dot segment with a parameter at byte 3; remove the dots or the ;",
            ),
            (
                "/.;/a",
                "has a dot segment with a parameter at byte 1; remove the dots or the ;",
            ),
            (
                "/a/%2e%2e;",
                "has a dot segment with a parameter at byte 3; remove the dots or the ;",
            ),
        ] {
            check_error(path, expected);
        }
    }

    #[test]
    fn targets() {
        for (target, expected) in [
            ("/a", ("/a", None)),
            ("/a?", ("/a", Some(""))),
            ("/a?b=c", ("/a", Some("b=c"))),
            ("/a?b?c", ("/a", Some("b?c"))),
            ("?", ("", Some(""))),
            ("", ("", None)),
        ] {
            assert_eq!(split_target(target), expected);
        }
    }

    #[test]
    fn queries() {
        for (query, expected) in [
            ("", None),
            ("a=b&c[]={%7B}|^%zz%00?/../~\\\"<>`", None),
            (
                "a= b",
                Some("the query has a raw space at byte 2; write %20"),
            ),
            ("a#b", Some("the query has a raw `#` at byte 1; write %23")),
            (
                "\t",
                Some("the query has a raw byte 0x09 at byte 0; write %09"),
            ),
            (
                "x\u{7f}",
                Some("the query has a raw byte 0x7F at byte 1; write %7F"),
            ),
            (
                "x=é",
                Some("the query has a raw byte 0xC3 at byte 2; write %C3"),
            ),
        ] {
            let error = check_query(query).err();
            assert_eq!(error.map(|it| it.to_string()).as_deref(), expected);
            assert!(error.is_none_or(|it| it.code() == "query.invalid"));
        }
    }
}
