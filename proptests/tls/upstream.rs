//! Backends over TLS.

use std::net::SocketAddr;

use tollgate::engine::upstream::UpstreamTls;

use crate::backend;
use crate::certificates::{Authority, Folder};
use crate::client::plain;
use crate::gateway::to_backends;

fn get(to: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    plain(to, request.as_bytes())
}

/// Trusts the authorities in a file, and expects a name.
fn trusting(ca: &str, server_name: Option<&str>) -> UpstreamTls {
    UpstreamTls {
        ca: Some(ca.into()),
        server_name: server_name.map(Into::into),
        verify: true,
    }
}

/// Sends one request to a backend: the response must have this status and contain these words.
fn check(backend: &str, tls: UpstreamTls, status: &str, words: &str) {
    let gateway = to_backends(&[("/*", backend, tls.clone())]);
    let response = get(gateway.address(), "/x");
    let label = format!("{backend} {tls:?} {response}");
    assert_eq!(response.get(9..12), Some(status), "{label}");
    assert!(response.contains(words), "{words}: {label}");
    assert_eq!(
        response.contains("upstream.tls_failed"),
        status == "502",
        "{label}"
    );
}

/// The address of a backend with a name that every system resolves.
fn named(address: SocketAddr) -> String {
    format!("https://localhost:{}", address.port())
}

#[test]
fn a_backend_needs_a_certificate_for_its_name() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let ca = folder.write("ca.pem", &authority.pem());
    let ca = ca.to_str().unwrap();
    let by_name = backend::over_tls(&authority.issue(&["localhost", "b.example"]));
    let by_address = backend::over_tls(&authority.issue(&["127.0.0.1"]));
    let backend = named(by_name);
    check(
        &backend,
        trusting(ca, None),
        "200",
        "sni=localhost alpn=http/1.1",
    );
    check(
        &backend,
        trusting(ca, Some("b.example")),
        "200",
        "sni=b.example",
    );
    let wrong = "its certificate is for another name";
    check(&backend, trusting(ca, Some("c.example")), "502", wrong);
    let none = "the gateway cannot use its TLS settings for it";
    check(&backend, trusting(ca, Some("a b")), "502", none);
    let backend = format!("https://{by_address}");
    check(&backend, trusting(ca, None), "200", "sni=none");
    let backend = format!("https://{by_name}");
    let wrong = "its certificate is for another name";
    check(&backend, trusting(ca, None), "502", wrong);
    let wrong = "its certificate is for another name";
    check(&named(by_address), trusting(ca, None), "502", wrong);
}

#[test]
fn a_backend_needs_a_trusted_certificate() {
    let (folder, authority, others) = (Folder::new(), Authority::new(), Authority::new());
    let ca = folder.write("ca.pem", &authority.pem());
    let ca = ca.to_str().unwrap();
    let known = named(backend::over_tls(&authority.issue(&["localhost"])));
    let stranger = named(backend::over_tls(&others.issue(&["localhost"])));
    let expired = authority.issue_until(&["localhost"], 2001);
    let expired = named(backend::over_tls(&expired));
    let unknown = "its certificate is not signed by a trusted authority";
    check(&stranger, trusting(ca, None), "502", unknown);
    check(&known, UpstreamTls::default(), "502", unknown);
    check(
        &known,
        trusting("missing.pem", None),
        "502",
        "the gateway cannot use its TLS settings for it",
    );
    let end = "its certificate has expired";
    check(&expired, trusting(ca, None), "502", end);
    let anybody = UpstreamTls {
        verify: false,
        ..UpstreamTls::default()
    };
    check(&stranger, anybody.clone(), "200", "sni=localhost");
    check(&expired, anybody, "200", "sni=localhost");
}

#[test]
fn a_backend_without_tls_is_reported() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let ca = folder.write("ca.pem", &authority.pem());
    let ca = ca.to_str().unwrap();
    let plain = named(backend::sending("HTTP/1.1 400 Bad Request\r\n\r\n"));
    check(&plain, trusting(ca, None), "502", "it does not speak TLS");
    let silent = named(backend::sending(""));
    check(&silent, trusting(ca, None), "502", "it does not speak TLS");
}

#[test]
fn routes_with_other_authorities_share_no_connection() {
    let (folder, authority, others) = (Folder::new(), Authority::new(), Authority::new());
    let ca = folder.write("ca.pem", &authority.pem());
    let other = folder.write("other.pem", &others.pem());
    let backend = backend::over_tls(&authority.issue(&["localhost"]));
    let backend = format!("https://localhost:{}", backend.port());
    let gateway = to_backends(&[
        ("/a", &backend, trusting(ca.to_str().unwrap(), None)),
        ("/b", &backend, trusting(other.to_str().unwrap(), None)),
    ]);
    for _ in 0..8 {
        let responses = ["/a", "/b"].map(|path| get(gateway.address(), path));
        assert_eq!(responses[0].get(9..12), Some("200"), "{}", responses[0]);
        assert_eq!(responses[1].get(9..12), Some("502"), "{}", responses[1]);
    }
}

#[test]
fn sessions_with_a_backend_are_resumed() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let ca = folder.write("ca.pem", &authority.pem());
    let backend = backend::over_tls(&authority.issue(&["localhost"]));
    let backend = format!("https://localhost:{}", backend.port());
    let gateway = to_backends(&[("/*", &backend, trusting(ca.to_str().unwrap(), None))]);
    let responses: Vec<_> = (0..20).map(|_| get(gateway.address(), "/x")).collect();
    let full = responses
        .iter()
        .filter(|it| it.contains("kind=Full"))
        .count();
    let resumed = responses
        .iter()
        .filter(|it| it.contains("kind=Resumed"))
        .count();
    // Each worker has its own connections, and so its own sessions.
    assert!((1..=2).contains(&full), "{full} were full");
    assert_eq!(full + resumed, 20);
}

#[test]
fn a_new_authority_is_trusted_after_a_failure() {
    let (folder, authority, next) = (Folder::new(), Authority::new(), Authority::new());
    let ca = folder.write("ca.pem", &authority.pem());
    let backend = backend::over_tls(&next.issue(&["localhost"]));
    let backend = format!("https://localhost:{}", backend.port());
    let gateway = to_backends(&[("/*", &backend, trusting(ca.to_str().unwrap(), None))]);
    assert_eq!(get(gateway.address(), "/").get(9..12), Some("502"));
    folder.write("ca.pem", &(authority.pem() + &next.pem()));
    let response = get(gateway.address(), "/");
    assert_eq!(response.get(9..12), Some("200"), "{response}");
}
