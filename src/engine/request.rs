//! A request as the engine reads it: borrowed, and independent of the protocol.

use std::borrow::Cow;

/// A request. The engine reads it and retains nothing.
#[derive(Debug)]
pub struct RawRequest<'a, H: ?Sized> {
    /// The method as received.
    pub method: &'a str,
    /// Path and query as received: `/path?query`, or `*` for `OPTIONS`.
    pub target: &'a str,
    /// The host of the request with an optional port; `None` if the client sent none.
    pub host: Option<&'a str>,
    /// All header fields.
    pub headers: &'a H,
}

/// The header fields of a request, independent of how the codec stores them.
pub trait Headers {
    /// The fields as name and value, in the order received; names in any case.
    fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])>;
}

impl<N: AsRef<str>, V: AsRef<str>> Headers for [(N, V)] {
    fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.iter()
            .map(|(name, value)| (name.as_ref().as_bytes(), value.as_ref().as_bytes()))
    }
}

/// Whether this is a valid field name: a token (RFC 9110, section 5.6.2).
#[inline]
#[must_use]
pub fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && all_in(&IN_TOKENS, name)
}

/// Whether this is a valid field value: without control characters except the tab (RFC 9110,
/// section 5.5).
#[inline]
#[must_use]
pub fn is_field_value(value: &[u8]) -> bool {
    let is_control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    !value.iter().any(is_control)
}

/// Whether the set contains all these bytes.
#[inline]
pub(crate) fn all_in(set: &[bool; 256], bytes: &[u8]) -> bool {
    // No early exit: a branch per byte costs more.
    let has = |byte: u8| set.get(usize::from(byte)).copied().unwrap_or_default();
    bytes.iter().fold(true, |all, byte| all & has(*byte))
}

/// The set of letters, digits and these bytes.
pub(crate) const fn byte_set(others: &[u8]) -> [bool; 256] {
    let mut set = [false; 256];
    let mut byte = 0_u8;
    let mut entries: &mut [bool] = &mut set;
    while let Some((entry, rest)) = entries.split_first_mut() {
        *entry = byte.is_ascii_alphanumeric() || has(others, byte);
        entries = rest;
        byte = byte.wrapping_add(1);
    }
    set
}

const fn has(mut bytes: &[u8], wanted: u8) -> bool {
    while let Some((first, rest)) = bytes.split_first() {
        if *first == wanted {
            return true;
        }
        bytes = rest;
    }
    false
}

const IN_TOKENS: [bool; 256] = byte_set(b"!#$%&'*+-.^_`|~");

/// Splits a target in absolute form into its origin form and its authority.
///
/// `http://a.test/x?y` becomes `/x?y` and `a.test`; the authority replaces `Host` (RFC 9112, section
/// 3.2.2). The authority may name a user, which the host of a request may not. Returns other targets
/// unchanged, also an absolute form without a host, which is invalid (RFC 9110, section 4.2.1).
#[must_use]
pub fn split_absolute_form<'t>(method: &str, target: &'t str) -> (Cow<'t, str>, Option<&'t str>) {
    let after_scheme = ["http://", "https://"].iter().find_map(|scheme| {
        let head = target.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme)
            .then(|| target.get(scheme.len()..))
            .flatten()
    });
    let Some(rest) = after_scheme else {
        return (target.into(), None);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_empty() {
        return (target.into(), None);
    }
    let path = match path.chars().next() {
        Some('/') => path.into(),
        // The asterisk form, in absolute form (RFC 9112, section 3.2.4).
        None if method == "OPTIONS" => "*".into(),
        Some(_) | None => format!("/{path}").into(),
    };
    (path, Some(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields() {
        for name in ["a", "X-Tenant", "!#$%&'*+-.^_`|~09azAZ"] {
            assert!(is_field_name(name.as_bytes()), "{name}");
        }
        for name in ["", "a b", "a:", "a\n", "\u{e9}", "a/b"] {
            assert!(!is_field_name(name.as_bytes()), "{name:?}");
        }
        for value in ["", "a b\tc", "\u{e9}", "~"] {
            assert!(is_field_value(value.as_bytes()), "{value:?}");
        }
        for value in ["a\nb", "\r", "\0", "\u{7f}", "\u{1f}"] {
            assert!(!is_field_value(value.as_bytes()), "{value:?}");
        }
    }

    #[test]
    fn absolute_form() {
        for (target, expected) in [
            ("/a?b", ("/a?b", None)),
            ("http://a.test/x?y", ("/x?y", Some("a.test"))),
            ("HTTPS://a.test:8443", ("/", Some("a.test:8443"))),
            // A user is part of the authority, and makes it an invalid host.
            ("http://u:p@a.test/", ("/", Some("u:p@a.test"))),
            ("http:///x", ("http:///x", None)),
            ("http://", ("http://", None)),
            ("http://a.test?x", ("/?x", Some("a.test"))),
            ("ftp://a.test/", ("ftp://a.test/", None)),
            ("*", ("*", None)),
        ] {
            let (path, host) = split_absolute_form("GET", target);
            assert_eq!((&*path, host), expected, "{target}");
        }
    }
}
