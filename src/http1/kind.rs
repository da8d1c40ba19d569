//! Which fields the codec itself has to look at.

/// What a field is to the codec, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Passed on as it is.
    Ordinary,
    /// Who is meant (RFC 9110 section 7.2).
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
    /// Says which trailers come (RFC 9110 section 6.6.2); of use only where the body is chunked.
    Trailer,
    /// For this hop alone: `Keep-Alive`, `Proxy-Connection`, `Proxy-Authorization`,
    /// `Proxy-Authenticate`, or a field that `Connection` names.
    HopByHop,
}

impl FieldKind {
    /// By the length of the name and its first byte, so that most names are never compared.
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

    /// Whether the field is passed on as it came, whatever the next hop speaks: not what says who
    /// is meant or where the body ends, as each version of HTTP says that in its own way.
    pub(crate) const fn is_end_to_end(self) -> bool {
        matches!(self, Self::Ordinary | Self::Expect | Self::Trailer)
    }

    /// Whether only the codec writes it, so that no edit may name it.
    pub(crate) const fn is_reserved(self) -> bool {
        !self.is_end_to_end()
    }
}

/// Whether a field of this name stays although `Connection` names it. That list is for what belongs
/// to one hop; a sender that puts these there wants them lost (RFC 9110 section 7.6.1 forbids it).
pub(crate) fn is_protected(name: &[u8]) -> bool {
    const PROTECTED: [&str; 6] = [
        "authorization",
        "cache-control",
        "content-type",
        "cookie",
        "date",
        "set-cookie",
    ];
    let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
    PROTECTED.iter().any(is)
}

/// Whether a field must not come after the body (RFC 9110 section 6.5.1): what frames, routes,
/// authenticates, conditions or controls, or says what the content is. A recipient that merged it
/// into the head would act on it after all checks were done.
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
    let begins = |prefix: &&str| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    kind.is_reserved()
        || matches!(kind, FieldKind::Expect | FieldKind::Trailer)
        || FORBIDDEN
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        || PREFIXES.iter().any(begins)
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
