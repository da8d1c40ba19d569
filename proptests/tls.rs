//! TLS over real sockets: with clients, and with backends.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a panic is how a test fails"
)]

#[path = "tls/backend.rs"]
mod backend;
#[path = "tls/certificates.rs"]
mod certificates;
#[path = "tls/client.rs"]
mod client;
#[path = "tls/files.rs"]
mod files;
#[path = "tls/gateway.rs"]
mod gateway;
#[path = "tls/process.rs"]
mod process;
#[path = "tls/upstream.rs"]
mod upstream;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use certificates::{Authority, Folder};
use client::{TEST_TIMEOUT, client, get, plain, with_versions};
use gateway::{files, over_tls, start};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{HandshakeKind, ProtocolVersion};
use tollgate::config::serve::{Alpn, TlsVersion};
use tollgate::frontend::http::listener::ListenerService;
use tollgate::runtime::tls::{ClientAuth, TlsFiles};
use tollgate::runtime::{Settings, clock};

#[test]
fn both_tls_versions_are_served_and_reported_to_the_backend() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let gateway = over_tls(files(vec![pair.clone()]));
    for (version, expected) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let config = Arc::new(with_versions(authority.roots(), None, &[version]));
        let observed = get(gateway.address(), &config, "a.example").unwrap();
        assert_eq!(observed.version, expected);
        assert!(
            observed.response.starts_with("HTTP/1.1 200"),
            "{}",
            observed.response
        );
        assert!(
            observed.response.contains("x-forwarded-proto: https"),
            "{}",
            observed.response
        );
    }
    assert_eq!(gateway.totals().handshakes_total, 2);
    let only_new = over_tls(TlsFiles {
        min_version: TlsVersion::V13,
        ..files(vec![pair])
    });
    let old = Arc::new(with_versions(authority.roots(), None, &[&TLS12]));
    let error = get(only_new.address(), &old, "a.example").unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

#[test]
fn sni_selects_the_certificate() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pairs = [
        authority.issue(&["a.example", "127.0.0.1"]),
        authority.issue(&["b.example", "*.W.example"]),
        authority.issue(&["c.w.example"]),
    ];
    let written = ["a", "b", "c"].iter().zip(&pairs);
    let gateway = over_tls(files(
        written
            .map(|(name, pair)| pair.write(&folder, name))
            .collect(),
    ));
    let mut config = client(authority.roots(), None);
    // The client accepts any certificate: only the selection matters here.
    let config = {
        let verifier = Arc::new(client::AcceptAny);
        config.dangerous().set_certificate_verifier(verifier);
        Arc::new(config)
    };
    for (name, expected) in [
        ("a.example", 0),
        ("b.example", 1),
        ("B.Example", 1),
        ("x.w.example", 1),
        ("c.w.example", 2),
        ("w.example", 0),
        ("x.y.w.example", 0),
        ("unknown.example", 0),
        // Without SNI.
        ("127.0.0.1", 0),
    ] {
        let observed = get(gateway.address(), &config, name).unwrap();
        let place = pairs
            .iter()
            .position(|pair| *pair.chain()[0] == *observed.certificate);
        assert_eq!(place, Some(expected), "{name}");
    }
}

#[test]
fn clients_are_authenticated_by_certificate() {
    let (folder, authority, others) = (Folder::new(), Authority::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let ca = folder.write("clients.pem", &authority.pem());
    let known = authority.issue(&["client.example"]);
    let stranger = others.issue(&["client.example"]);
    for (is_required, own, version, expected) in [
        (true, Some(&known), &TLS13, ""),
        (true, Some(&known), &TLS12, ""),
        (true, None, &TLS13, "CertificateRequired"),
        (true, None, &TLS12, "CertificateRequired"),
        (true, Some(&stranger), &TLS13, "UnknownCA"),
        (false, Some(&known), &TLS13, ""),
        (false, None, &TLS13, ""),
        (false, None, &TLS12, ""),
        (false, Some(&stranger), &TLS13, "UnknownCA"),
        (false, Some(&stranger), &TLS12, "UnknownCA"),
    ] {
        let ca = ca.clone();
        let gateway = over_tls(TlsFiles {
            client_auth: Some(ClientAuth { ca, is_required }),
            ..files(vec![pair.clone()])
        });
        let config = Arc::new(with_versions(authority.roots(), own, &[version]));
        let label = format!("{is_required} {} {version:?}", own.is_some());
        match get(gateway.address(), &config, "a.example") {
            Ok(observed) => {
                assert_eq!(expected, "", "{label}");
                assert!(observed.response.starts_with("HTTP/1.1 200"), "{label}");
            }
            Err(error) => {
                assert!(!expected.is_empty(), "{label}: {error}");
                assert!(error.to_string().contains(expected), "{label}: {error}");
                assert_eq!(gateway.totals().requests_total, 0, "{label}");
            }
        }
    }
}

#[test]
fn sessions_are_resumed_by_any_worker() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let gateway = over_tls(files(vec![pair]));
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(with_versions(authority.roots(), None, &[version]));
        for number in 0..20 {
            let observed = get(gateway.address(), &config, "a.example").unwrap();
            let expected = match number {
                0 => HandshakeKind::Full,
                _ => HandshakeKind::Resumed,
            };
            assert_eq!(observed.kind, expected, "{number} {version:?}");
        }
    }
}

#[test]
fn alpn_selects_the_protocol() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let gateway = over_tls(files(vec![pair]));
    for (offered, expected) in [
        (&[][..], Some(None)),
        (&["http/1.1"], Some(Some("http/1.1"))),
        (&["spdy/3", "http/1.1"], Some(Some("http/1.1"))),
        (&["http/1.0"], Some(Some("http/1.0"))),
        (&["spdy/3"], None),
    ] {
        let mut config = client(authority.roots(), None);
        config.alpn_protocols = offered.iter().map(|it| it.as_bytes().to_vec()).collect();
        let observed = get(gateway.address(), &Arc::new(config), "a.example");
        let agreed = observed.ok().map(|observed| observed.alpn);
        let expected = expected.map(|it| it.map(|it| it.as_bytes().to_vec()));
        assert_eq!(agreed, expected, "{offered:?}");
    }
}

#[test]
fn plain_http_on_a_tls_port_gets_a_400() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let gateway = over_tls(files(vec![pair]));
    let response = plain(
        gateway.address(),
        b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
    );
    assert!(response.starts_with("HTTP/1.1 400"), "{response}");
    assert!(response.contains("use https://"), "{response}");
    assert!(
        response.to_lowercase().contains("connection: close"),
        "{response}"
    );
    // Anything else gets a TLS alert.
    let response = plain(gateway.address(), b"\x00\x01\x02\x03\x04\x05\x06\x07");
    assert!(response.starts_with('\x15'), "{response:?}");
    assert_eq!(gateway.totals().requests_total, 0);
    assert_eq!(gateway.totals().failed_handshakes_total, 2);
}

#[test]
fn a_slow_handshake_times_out() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let settings = Settings {
        header_timeout: Duration::from_millis(100),
        ..Settings::default()
    };
    let gateway = start(ListenerService::Tls(files(vec![pair])), settings).unwrap();
    for started in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01"] {
        assert_eq!(plain(gateway.address(), started), "", "{started:?}");
    }
    // The worker counts after it has closed.
    let started = clock::now();
    while gateway.totals().failed_handshakes_total < 3 {
        assert!(started.elapsed() < TEST_TIMEOUT, "{:?}", gateway.totals());
        std::thread::yield_now();
    }
}

#[test]
fn a_listener_redirects_to_https() {
    let service = ListenerService::RedirectToHttps { port: 8443 };
    let gateway = start(service, Settings::default()).unwrap();
    for (request, expected) in [
        (
            "GET /a?b HTTP/1.1\r\nHost: A.example:80\r\nConnection: close\r\n\r\n",
            "308 https://a.example:8443/a?b",
        ),
        (
            "POST http://b.example/a HTTP/1.1\r\nHost: b.example\r\nContent-Length: 2\r\n\r\nhi",
            "308 https://b.example:8443/a",
        ),
        (
            "OPTIONS * HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n",
            "308 https://[::1]:8443",
        ),
        ("GET / HTTP/1.0\r\n\r\n", "400 "),
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400 "),
        (
            "GET / HTTP/1.1\r\nHost: a,b\r\nConnection: close\r\n\r\n",
            "400 ",
        ),
    ] {
        let response = plain(gateway.address(), request.as_bytes());
        let status = response.get(9..12).unwrap_or_default();
        let location = response.lines().find_map(|line| {
            line.to_lowercase()
                .strip_prefix("location: ")
                .map(str::to_owned)
        });
        let got = format!("{status} {}", location.unwrap_or_default());
        assert_eq!(got, expected, "{request}");
    }
}

#[test]
fn curl_connects() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let ca = folder.write("ca.pem", &authority.pem());
    let gateway = over_tls(TlsFiles {
        alpn: vec![Alpn::H2, Alpn::Http11],
        ..files(vec![pair])
    });
    let address = gateway.address();
    for (version, expected) in [
        (&["--tls-max", "1.2"][..], "2"),
        (&["--tlsv1.3"], "2"),
        (&["--http1.1"], "1.1"),
        (&["--http1.0"], "1.1"),
    ] {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--cacert"])
            .arg(&ca)
            .args(version)
            .args(["--write-out", "HTTP %{http_version}"])
            .arg("--resolve")
            .arg(format!("a.example:{}:127.0.0.1", address.port()))
            .arg(format!("https://a.example:{}/x", address.port()))
            .output()
            .unwrap();
        let body = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(body.ends_with(expected), "{version:?} {body} {errors}");
        assert!(
            body.starts_with("plain\nGET /x"),
            "{version:?} {body} {errors}"
        );
    }
}
