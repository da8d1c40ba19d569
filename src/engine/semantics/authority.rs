//! The `Host` of an upstream request, or its `:authority` over HTTP/2 (RFC 9113, section 8.3.1).
//!
//! It depends on the backend, so it is computed for each attempt. It is not an edit, because each
//! codec writes it in its own place.

use core::fmt::Write;

use crate::engine::semantics::forwarding::HostRule;
use crate::engine::semantics::known_fields::KnownFields;
use crate::engine::upstream::{Address, Scheme};

/// The `Host` of an upstream request; `None` if it equals the only `Host` field of the request.
/// `buffer` holds the result if it must be assembled.
///
/// `host` in the `request_headers` of the route takes precedence. A request without a host gets
/// that of the backend, because HTTP/1.1 requires one (RFC 9112, section 3.2).
pub(super) fn upstream_host<'b>(
    rule: &'b HostRule,
    host: Option<&'b str>,
    fields: &KnownFields<'_>,
    backend: &'b Address,
    buffer: &'b mut String,
) -> Option<&'b str> {
    match (rule, host) {
        (HostRule::Set(value), _) => Some(value),
        // In the absolute form and in HTTP/2 the host is in the target or `:authority`, and
        // replaces the field (RFC 9112, section 3.2.2).
        (HostRule::Keep, Some(host)) => {
            (fields.host.only() != Some(host.as_bytes())).then_some(host)
        }
        (HostRule::Rewrite, _) | (HostRule::Keep, None) => {
            let default_port = match backend.scheme() {
                Scheme::Http => 80,
                Scheme::Https => 443,
            };
            if backend.port() == default_port {
                return Some(backend.host());
            }
            buffer.clear();
            // Writing to memory cannot fail.
            _ = write!(buffer, "{}:{}", backend.host(), backend.port());
            Some(buffer)
        }
    }
}

/// Whether this is a valid host with an optional port: a name, an IPv4 address, or an IPv6 address
/// in brackets, of at most 255 bytes (RFC 9110, section 7.2; RFC 3986, section 3.2.2, without
/// escapes and sub-delimiters).
#[must_use]
pub(super) fn is_authority(value: &[u8]) -> bool {
    let (host, port) = match value.iter().rposition(|byte| *byte == b':') {
        Some(at) if !value.ends_with(b"]") => {
            let (host, port) = value.split_at(at);
            (host, port.get(1..).unwrap_or_default())
        }
        _ => (value, &[][..]),
    };
    let is_port = port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
    let is_host = match host {
        [b'[', inner @ .., b']'] => core::str::from_utf8(inner)
            .is_ok_and(|text| text.parse::<core::net::Ipv6Addr>().is_ok()),
        name => name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)),
    };
    is_port && is_host && matches!(host.len(), 1..=255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_the_backend_gets() {
        let check = |rule, host, field, backend: &str, expected: &str| {
            let headers: Vec<(&str, &str)> = Option::into_iter(field).collect();
            let backend = Address::parse(backend).unwrap();
            let fields = KnownFields::of(&headers[..]);
            let mut buffer = String::from("old");
            let got = upstream_host(rule, host, &fields, &backend, &mut buffer);
            assert_eq!(got.unwrap_or("unchanged"), expected);
        };
        let (keep, rewrite) = (&HostRule::Keep, &HostRule::Rewrite);
        let field = Some(("Host", "a.test"));
        check(keep, Some("a.test"), field, "b", "unchanged");
        check(keep, Some("a.test"), None, "b", "a.test");
        check(keep, Some("c.test"), field, "b", "c.test");
        check(keep, None, None, "b:81", "b:81");
        check(rewrite, Some("a.test"), field, "b", "b");
        check(rewrite, Some("a.test"), field, "b:80", "b");
        check(rewrite, Some("a.test"), field, "https://b:443", "b");
        check(rewrite, Some("a.test"), field, "https://b:80", "b:80");
        check(rewrite, None, None, "[::1]:8080", "[::1]:8080");
        check(rewrite, None, None, "[::1]", "[::1]");
    }

    #[test]
    fn the_route_takes_precedence() {
        let rule = HostRule::Set("given.test".into());
        let backend = Address::parse("b").unwrap();
        let mut buffer = String::new();
        let got = upstream_host(&rule, None, &KnownFields::default(), &backend, &mut buffer);
        assert_eq!(got, Some("given.test"));
    }

    #[test]
    fn authorities() {
        for (value, expected) in [
            ("a.test", true),
            ("A_b-c.test:8080", true),
            ("a.test:", true),
            ("[::1]:80", true),
            ("[::1]", true),
            ("[x]", false),
            ("::1", false),
            ("", false),
            (":80", false),
            ("a:808080", false),
            ("a:b", false),
            ("a b", false),
            ("a,b", false),
            ("u@a", false),
        ] {
            assert_eq!(is_authority(value.as_bytes()), expected, "{value}");
        }
    }
}
