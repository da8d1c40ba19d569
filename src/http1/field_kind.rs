//! The fields that the codec interprets, by name.

/// What a field is to the codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Forwarded unchanged.
    Ordinary,
    /// RFC 9110 section 7.2.
    Host,
    /// RFC 9110 section 8.6.
    ContentLength,
    /// RFC 9112 section 6.1.
    TransferEncoding,
    /// RFC 9110 section 7.6.1.
    Connection,
    /// RFC 9110 section 7.8.
    Upgrade,
    /// RFC 9110 section 10.1.4.
    Te,
    /// RFC 9110 section 10.1.1.
    Expect,
    /// Announces trailers (RFC 9110 section 6.6.2); forwarded only with a chunked body.
    Trailer,
    /// Any other hop-by-hop field: `Keep-Alive`, `Proxy-Connection`, `Proxy-Authorization`,
    /// `Proxy-Authenticate`, or a field that `Connection` lists.
    HopByHop,
}

impl FieldKind {
    /// The kind of a field name, in any case. Length and first byte select the one name to compare
    /// with, so most names are compared with none.
    pub(crate) fn of(name: &[u8]) -> Self {
        let first = name.first().map_or(0, u8::to_ascii_lowercase);
        let (expected, kind): (&[u8], Self) = match (name.len(), first) {
            (2, b't') => (b"te", Self::Te),
            (4, b'h') => (b"host", Self::Host),
            (6, b'e') => (b"expect", Self::Expect),
            (7, b't') => (b"trailer", Self::Trailer),
            (7, b'u') => (b"upgrade", Self::Upgrade),
            (10, b'c') => (b"connection", Self::Connection),
            (10, b'k') => (b"keep-alive", Self::HopByHop),
            (14, b'c') => (b"content-length", Self::ContentLength),
            (16, b'p') => (b"proxy-connection", Self::HopByHop),
            (17, b't') => (b"transfer-encoding", Self::TransferEncoding),
            (18, b'p') => (b"proxy-authenticate", Self::HopByHop),
            (19, b'p') => (b"proxy-authorization", Self::HopByHop),
            _ => return Self::Ordinary,
        };
        if name.eq_ignore_ascii_case(expected) {
            kind
        } else {
            Self::Ordinary
        }
    }

    /// Whether the field is forwarded whatever the protocol of the next hop. `Host` and the framing
    /// are not: each version of HTTP expresses them in its own way.
    pub(crate) const fn is_end_to_end(self) -> bool {
        matches!(self, Self::Ordinary | Self::Expect | Self::Trailer)
    }

    /// Whether only the codec writes the field, so that no edit may name it.
    pub(crate) const fn is_reserved(self) -> bool {
        !self.is_end_to_end()
    }
}

/// Whether a field with this name is forwarded even if `Connection` lists it. RFC 9110 section 7.6.1
/// forbids a sender to list end-to-end fields; a sender that lists these wants a recipient to lose
/// them.
pub(crate) fn is_protected_field(name: &[u8]) -> bool {
    const PROTECTED: [&str; 6] = [
        "authorization",
        "cache-control",
        "content-type",
        "cookie",
        "date",
        "set-cookie",
    ];
    let is_name = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
    PROTECTED.iter().any(is_name)
}

/// Whether a field with this name must not be a trailer (RFC 9110 section 6.5.1): fields for framing,
/// routing, authentication, conditions, control and content. A recipient that merges trailers into
/// the head would apply them after all checks.
pub(crate) fn is_forbidden_trailer(name: &[u8]) -> bool {
    const FORBIDDEN: [&str; 28] = [
        "age",
        "allow",
        "authentication-info",
        "authorization",
        "cache-control",
        "content-encoding",
        "content-language",
        "content-location",
        "content-range",
        "content-type",
        "cookie",
        "date",
        "early-data",
        "expires",
        "forwarded",
        "location",
        "max-forwards",
        "origin",
        "pragma",
        "proxy-authentication-info",
        "range",
        "retry-after",
        "set-cookie",
        "strict-transport-security",
        "vary",
        "via",
        "warning",
        "www-authenticate",
    ];
    const PREFIXES: [&str; 3] = ["if-", "x-forwarded-", "access-control-"];
    let kind = FieldKind::of(name);
    let starts = |prefix: &&str| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    kind.is_reserved()
        || matches!(kind, FieldKind::Expect | FieldKind::Trailer)
        || FORBIDDEN
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        || PREFIXES.iter().any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (name, expected) in [
            ("HOST", FieldKind::Host),
            ("Content-length", FieldKind::ContentLength),
            ("transfer-ENCODING", FieldKind::TransferEncoding),
            ("Transfer_Encoding", FieldKind::Ordinary),
            ("Keep-Alive", FieldKind::HopByHop),
            ("Proxy-Connection", FieldKind::HopByHop),
            ("proxy-authorization", FieldKind::HopByHop),
            ("Upgrade", FieldKind::Upgrade),
            ("Trailer", FieldKind::Trailer),
            ("TE", FieldKind::Te),
            ("Expect", FieldKind::Expect),
            ("connection", FieldKind::Connection),
            ("Accept", FieldKind::Ordinary),
            ("", FieldKind::Ordinary),
        ] {
            assert_eq!(FieldKind::of(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn trailers() {
        for (name, forbidden) in [
            ("X-Checksum", false),
            ("grpc-status", false),
            ("Content-Digest", false),
            ("Content-Length", true),
            ("host", true),
            ("VARY", true),
            ("If-Match", true),
            ("X-Forwarded-For", true),
            ("Transfer-Encoding", true),
            ("Trailer", true),
        ] {
            assert_eq!(is_forbidden_trailer(name.as_bytes()), forbidden, "{name}");
        }
    }
}
