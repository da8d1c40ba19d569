//! The header fields that the gateway uses, found in one pass over the header of a request.
//!
//! A name is first distinguished by its length and first byte and then compared as a whole, so
//! that other fields cost next to nothing.
//!
//! A *claim* is a field in which the sender states where a request comes from and that the gateway
//! does not write itself: see `is_claim`. Untrusted peers can forge it.

use crate::engine::request::Headers;

/// The header fields of a request that the gateway uses.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownFields<'h> {
    /// `Host` (RFC 9110, section 7.2).
    pub host: KnownField<'h>,
    /// `Origin` (the Fetch standard).
    pub origin: KnownField<'h>,
    /// `Access-Control-Request-Method`.
    pub request_method: KnownField<'h>,
    /// `Access-Control-Request-Headers`.
    pub request_headers: KnownField<'h>,
    /// `Content-Type`.
    pub content_type: KnownField<'h>,
    /// `Max-Forwards` (RFC 9110, section 7.6.2).
    pub max_forwards: KnownField<'h>,
    /// `grpc-timeout`.
    pub grpc_timeout: KnownField<'h>,
    /// `X-Request-Id`.
    pub request_id: KnownField<'h>,
    /// `traceparent` (W3C Trace Context).
    pub traceparent: KnownField<'h>,
    /// `tracestate`.
    pub tracestate: KnownField<'h>,
    /// `X-Forwarded-For`.
    pub forwarded_for: KnownField<'h>,
    /// `X-Forwarded-Host`.
    pub forwarded_host: KnownField<'h>,
    /// `X-Forwarded-Proto`.
    pub forwarded_proto: KnownField<'h>,
    /// The number of claims; see `is_claim`.
    pub claims: u32,
}

/// A field with its number of occurrences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownField<'h> {
    first: &'h [u8],
    count: u32,
}

impl<'h> KnownFields<'h> {
    /// Finds the fields in one pass.
    #[must_use]
    pub fn of<H: Headers + ?Sized>(headers: &'h H) -> Self {
        let mut fields = Self::default();
        for (name, value) in headers.fields() {
            fields.record(name, value);
        }
        fields
    }

    #[inline]
    fn record(&mut self, name: &[u8], value: &'h [u8]) {
        let first = name.first().map_or(0, |byte| byte | 0x20);
        let (field, known): (_, &[u8]) = match (name.len(), first) {
            (4, b'h') => (&mut self.host, b"host"),
            (6, b'o') => (&mut self.origin, b"origin"),
            (10, b't') => (&mut self.tracestate, b"tracestate"),
            (11, b't') => (&mut self.traceparent, b"traceparent"),
            (12, b'c') => (&mut self.content_type, b"content-type"),
            (12, b'g') => (&mut self.grpc_timeout, b"grpc-timeout"),
            (12, b'm') => (&mut self.max_forwards, b"max-forwards"),
            (12, b'x') => (&mut self.request_id, b"x-request-id"),
            (15, b'x') => (&mut self.forwarded_for, b"x-forwarded-for"),
            (16, b'x') => (&mut self.forwarded_host, b"x-forwarded-host"),
            (17, b'x') => (&mut self.forwarded_proto, b"x-forwarded-proto"),
            (29, b'a') => (&mut self.request_method, b"access-control-request-method"),
            (30, b'a') => (&mut self.request_headers, b"access-control-request-headers"),
            (9, b'f' | b'x') | (10.., b'x') => {
                self.claims += u32::from(is_claim(name));
                return;
            }
            _ => return,
        };
        if name.eq_ignore_ascii_case(known) {
            field.first = if field.count == 0 { value } else { field.first };
            field.count += 1;
        } else if first == b'x' {
            self.claims += u32::from(is_claim(name));
        }
    }
}

impl<'h> KnownField<'h> {
    /// Whether the field occurs at least once.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        self.count > 0
    }

    /// The value without surrounding white space; `None` unless the field occurs exactly once.
    #[must_use]
    pub const fn only(&self) -> Option<&'h [u8]> {
        if self.count == 1 {
            Some(self.first.trim_ascii())
        } else {
            None
        }
    }

    /// The number of occurrences.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }
}

/// Whether a field states where a request comes from and is not written by the gateway:
/// `Forwarded` (RFC 7239), `X-Real-Ip`, every `X-Forwarded-*` other than `-For`, `-Host` and
/// `-Proto`, and each of these names with `_` in place of `-`.
///
/// CGI and its successors (RFC 3875, section 4.1.18) map `-` and `_` to the same variable. With `_`
/// a client could therefore overwrite the fields that the gateway adds.
#[must_use]
pub(super) fn is_claim(name: &[u8]) -> bool {
    let is_forwarded = starts_with(name, b"x-forwarded-");
    if is_forwarded || name.len() == 9 && starts_with(name, b"x-real-ip") {
        return !is_written_by_the_gateway(name);
    }
    name.eq_ignore_ascii_case(b"forwarded")
}

/// Whether a claim is spelled with `_`, which only an attempt to bypass the gateway does.
#[must_use]
pub(super) fn is_disguised(name: &[u8]) -> bool {
    name.contains(&b'_') && is_claim(name)
}

fn is_written_by_the_gateway(name: &[u8]) -> bool {
    [
        &b"x-forwarded-for"[..],
        b"x-forwarded-host",
        b"x-forwarded-proto",
    ]
    .iter()
    .any(|own| name.eq_ignore_ascii_case(own))
}

/// Whether a name starts with `prefix`, ignoring case and reading `_` as `-`.
fn starts_with(name: &[u8], prefix: &[u8]) -> bool {
    name.len() >= prefix.len()
        && name.iter().zip(prefix).all(|(byte, expected)| {
            byte.eq_ignore_ascii_case(expected) || *byte == b'_' && *expected == b'-'
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_insensitive() {
        let headers = [
            ("HOST", "a.test"),
            ("Accept", "*/*"),
            ("x-request-id", " one "),
            ("X-Forwarded-For", "1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
            ("x-forwarded-far", "3.3.3.3"),
            ("Forwarded", "for=1.1.1.1"),
            ("x-requested-with", "fetch"),
        ];
        let fields = KnownFields::of(&headers[..]);
        assert_eq!(fields.host.only(), Some(&b"a.test"[..]));
        assert_eq!(fields.request_id.only(), Some(&b"one"[..]));
        assert_eq!(fields.forwarded_for.count(), 2);
        assert_eq!(fields.forwarded_for.only(), None);
        assert!(!fields.origin.is_present());
        assert_eq!(fields.claims, 2);
    }

    #[test]
    fn claims() {
        for (name, expected, disguised) in [
            ("Forwarded", true, false),
            ("X-Real-IP", true, false),
            ("x_real_ip", true, true),
            ("x-forwarded-port", true, false),
            ("X-Forwarded_For", true, true),
            ("x-forwarded-for", false, false),
            ("X-Forwarded-Proto", false, false),
            ("x-forwarded", false, false),
            ("x-request-id", false, false),
            ("x-real-ipx", false, false),
        ] {
            assert_eq!(is_claim(name.as_bytes()), expected, "{name}");
            assert_eq!(is_disguised(name.as_bytes()), disguised, "{name}");
            let headers = [(name, "v")];
            assert_eq!(
                KnownFields::of(&headers[..]).claims,
                u32::from(expected),
                "{name}"
            );
        }
    }
}
