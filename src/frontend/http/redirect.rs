//! A listener that serves nothing but says that the same is served over https.

use std::net::Ipv6Addr;

use crate::engine::request::{Headers, RawRequest};
use crate::engine::routing::host::{HostPattern, normal_host};
use crate::engine::semantics::Request;
use crate::engine::semantics::error::Cause;
use crate::frontend::http::admission::{Own, problem};
use crate::runtime::worker::Scratch;

/// Answers any request with a redirect to the same over https, on this port.
pub(super) fn redirect<H: Headers + ?Sized>(
    raw: &RawRequest<'_, H>,
    request: &Request<'_, H>,
    port: u16,
    scratch: &mut Scratch,
) -> Own {
    let Some(location) = location(raw.host.unwrap_or(""), raw.target, port) else {
        let cause = Cause::Wire {
            code: "host.invalid",
            status: 400,
            sentence: "this port only redirects to https, and the request names no host to go to"
                .into(),
        };
        return problem(&cause, request, scratch);
    };
    scratch.edits.clear();
    scratch.body.clear();
    scratch.edits.set("location", location.as_bytes());
    Own::done(308)
}

/// The same over https; none without a host that is a name or an address.
fn location(host: &str, target: &str, port: u16) -> Option<String> {
    let host = normal_host(host);
    let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_valid = match bracketed {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => matches!(HostPattern::parse(&host), Ok(HostPattern::Exact(_))),
    };
    if !is_valid {
        return None;
    }
    // `*` is how OPTIONS writes that no path is meant (RFC 9112, section 3.2.4).
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
