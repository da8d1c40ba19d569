//! A listener that serves nothing but says that the same is served over https.

use std::net::Ipv6Addr;

use crate::engine::host::{HostPattern, normal_host};
use crate::frontend::http::connection::Next;
use crate::frontend::http::exchange::own;
use crate::frontend::http::own::OwnAnswer;
use crate::http1::request::{RequestHead, RequestView};
use crate::runtime::sweep::Watch;
use crate::runtime::wire::Wire;
use crate::runtime::worker::Worker;

/// Answers a request, the first `length` bytes on the wire, with a redirect to this port.
pub(super) async fn redirect(
    worker: &Worker,
    watch: &Watch,
    wire: &mut Wire,
    head: &RequestHead,
    length: usize,
    port: u16,
) -> Next {
    worker.counters.requests.add(1);
    let buffer = wire.detach(length, &worker.buffers);
    let view = head.view(buffer.data());
    let next = own(worker, watch, wire, view, answer(view, port)).await;
    worker.buffers.give(buffer);
    next
}

fn answer(view: RequestView<'_>, port: u16) -> OwnAnswer {
    let host = view.host().unwrap_or("");
    let Some(location) = location(host, &view.origin_target(), port) else {
        let detail = "this port only redirects to https, and the request names no host to go to";
        return OwnAnswer::problem(400, "host.invalid", detail);
    };
    let detail = format!("this is served over https only: {location}");
    let mut answer = OwnAnswer::problem(308, "request.https_only", &detail);
    answer.fields.push(("location", location));
    answer
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
