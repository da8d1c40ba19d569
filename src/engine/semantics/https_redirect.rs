//! The `Location` of the redirect from a cleartext listener to an https listener.

use core::net::Ipv6Addr;

use crate::engine::routing::{HostPattern, normal_host};

/// The URL of the request over https on `port`; `None` if the host is not a name or an address.
#[must_use]
pub(crate) fn location(host: &str, target: &str, port: u16) -> Option<String> {
    let host = normal_host(host);
    let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_valid = match bracketed {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => matches!(HostPattern::parse(&host), Ok(HostPattern::Exact(_))),
    };
    if !is_valid {
        return None;
    }
    // With OPTIONS, `*` stands for no path (RFC 9112, section 3.2.4).
    let target = if target == "*" { "" } else { target };
    Some(match port {
        443 => format!("https://{host}{target}"),
        port => format!("https://{host}:{port}{target}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations() {
        let check = |host: &str, target: &str, port, expected: Option<&str>| {
            let found = location(host, target, port);
            assert_eq!(found.as_deref(), expected, "{host} {target}");
        };
        check(
            "A.example:8080",
            "/x?y=z",
            443,
            Some("https://a.example/x?y=z"),
        );
        check(
            "a.example.",
            "/%2e",
            8443,
            Some("https://a.example:8443/%2e"),
        );
        check("[::1]:80", "/", 443, Some("https://[::1]/"));
        check("a.example", "*", 443, Some("https://a.example"));
        for host in [
            "",
            ":80",
            "*.example",
            "a:b:1",
            "::1",
            "[x]",
            "a..b",
            "a(b)",
            "a,b",
        ] {
            check(host, "/", 443, None);
        }
    }
}
