//! Settings of the process: what they compile to, and their errors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::compile::{LoadOptions, load_file, load_json};
use crate::config::reference::EXAMPLES;
use crate::config::serve::{
    AccessLog, Alpn, CertificateFiles, ClientAuth, Listener, ListenerService, LogFormat, LogTarget,
    Serve, TlsVersion, resolved,
};
use crate::config::tests::file_diagnostics;

fn serve(text: &str) -> Serve {
    let loaded = load_file(text, LoadOptions::FILE);
    loaded
        .unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
        .serve
}

#[test]
fn everything_has_a_default() {
    let serve = serve("");
    assert_eq!(serve, Serve::default());
    assert_eq!(serve.listeners[0].address.to_string(), "127.0.0.1:8080");
    assert_eq!(serve.via.as_ref(), "tollgate");
    assert_eq!(serve.access_log.to, LogTarget::None);
    assert_eq!(serve.drain_timeout, Duration::from_secs(30));
}

#[test]
fn listeners() {
    let listeners = |text: &str| -> Vec<String> {
        let one = |listener: &Listener| match &listener.service {
            ListenerService::Plain => listener.address.to_string(),
            ListenerService::Tls(_) => format!("{} tls", listener.address),
            ListenerService::RedirectToHttps { port } => format!("{} -> {port}", listener.address),
        };
        serve(text).listeners.iter().map(one).collect()
    };
    let table: &[(&str, &[&str])] = &[
        ("listen: 0.0.0.0:80", &["0.0.0.0:80"]),
        ("listen: LocalHost:0", &["localhost:0"]),
        ("listen: '[0:0::1]:443'", &["[::1]:443"]),
        ("listen: [a:0, a:0]", &["a:0", "a:0"]),
        (
            "listen: {address: 'a:1', redirect_to_https: false}",
            &["a:1"],
        ),
        (
            "listen: [a:1, {address: 'a:2', redirect_to_https: true}]",
            &["a:1", "a:2 -> 443"],
        ),
        (
            "listen: [{address: 'a:2', redirect_to_https: {port: 8443}}]",
            &["a:2 -> 8443"],
        ),
        (
            "listen: [{address: 'a:2', redirect_to_https: {}}]",
            &["a:2 -> 443"],
        ),
        (
            "listen: {address: 'a:2', tls: {certificates: [{cert: a, key: b}]}}",
            &["a:2 tls"],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(listeners(text), *expected, "{text}");
    }
}

#[test]
fn a_file_with_every_key() {
    let serve = serve(EXAMPLES[2]);
    let ListenerService::Tls(tls) = &serve.listeners[1].service else {
        panic!("{serve:?}");
    };
    let (cert, key) = ("cert.pem".into(), "key.pem".into());
    assert_eq!(tls.certificates, [CertificateFiles { cert, key }]);
    let ca = "ca.pem".into();
    let is_required = false;
    assert_eq!(tls.client_auth, Some(ClientAuth { ca, is_required }));
    assert_eq!(tls.min_version, TlsVersion::V13);
    assert_eq!(tls.alpn, [Alpn::H2, Alpn::Http11]);
    assert_eq!(serve.admin.unwrap().to_string(), "127.0.0.1:9901");
    assert_eq!(serve.workers.unwrap().get(), 2);
    let proxies = serve.trusted_proxies.iter().map(ToString::to_string);
    assert_eq!(proxies.collect::<Vec<_>>(), ["10.0.0.0/8", "::1/128"]);
    let (to, format) = (LogTarget::File("access.log".into()), LogFormat::Combined);
    assert_eq!(serve.access_log, AccessLog { to, format });
    assert_eq!(serve.drain_timeout, Duration::from_secs(90));
    assert_eq!(serve.limits.header_bytes, 64 << 10);
    assert_eq!(serve.limits.header_fields, 200);
    assert_eq!(serve.limits.uri_bytes, 4096);
    assert_eq!(serve.limits.connections, 20_000);
    assert_eq!(serve.limits.streams, 200);
    assert_eq!(serve.limits.in_flight_per_backend, 500);
    let retries = serve.limits.retries;
    assert_eq!((retries.percent, retries.per_second), (25, 0));
    assert_eq!(serve.limits.header_timeout, Duration::from_secs(5));
    assert_eq!(serve.limits.idle_timeout, Duration::from_secs(120));
    assert_eq!(serve.via.as_ref(), "edge");
}

#[test]
fn errors() {
    for (text, expected) in ERRORS {
        assert_eq!(file_diagnostics(text), *expected, "{text}");
    }
}

#[test]
fn an_init_message_cannot_set_the_process() {
    let json = r#"{"routes":[],"listen":"x","limits":7,"defaults":{"timeout":"1s"}}"#;
    let loaded = load_json(json, LoadOptions::INIT).unwrap();
    assert_eq!(loaded.serve, Serve::default());
    let remarks = loaded.remarks.iter();
    let remarks: Vec<String> = remarks
        .map(|one| format!("{} {}", one.code, one.at))
        .collect();
    assert_eq!(
        remarks,
        ["config.of_process listen", "config.of_process limits"]
    );
}

#[test]
fn files_are_relative_to_the_folder_of_the_configuration() {
    let folder = Path::new("/etc/tollgate");
    assert_eq!(
        resolved(folder, "a.pem"),
        PathBuf::from("/etc/tollgate/a.pem")
    );
    assert_eq!(resolved(folder, "/a.pem"), PathBuf::from("/a.pem"));
    assert_eq!(resolved(Path::new(""), "a.pem"), PathBuf::from("a.pem"));
}

/// A text, and its diagnostics: `CODE AT: MESSAGE [HELP]`.
const ERRORS: &[(&str, &[&str])] = &[
    (
        "listen: ':80'",
        &[
            "listen.address listen: `:80` is not an address to listen on [write 0.0.0.0:80 or [::]:80 for all addresses]",
        ],
    ),
    (
        "listen: a",
        &[
            "listen.address listen: `a` is not an address to listen on [write host:port, such as 127.0.0.1:8080 or [::1]:8080]",
        ],
    ),
    (
        "listen: [a:1, b:65536]",
        &[
            "listen.address listen[1]: `b:65536` is not an address to listen on [write host:port, such as 127.0.0.1:8080 or [::1]:8080]",
        ],
    ),
    (
        "listen: '::1:80'",
        &[
            "listen.address listen: `::1:80` is not an address to listen on [write host:port, such as 127.0.0.1:8080 or [::1]:8080]",
        ],
    ),
    (
        "listen: []",
        &[
            "listen.address listen: an empty list listens nowhere [remove `listen` to listen on 127.0.0.1:8080]",
        ],
    ),
    (
        "listen: [a:1, A:1]",
        &[
            "listen.duplicate listen[1]: address `a:1` is already in use (line 1) [give each listener its own address]",
        ],
    ),
    (
        "listen: a:1\nadmin: a:1",
        &[
            "listen.duplicate admin: address `a:1` is already in use (line 1) [give each listener its own address]",
        ],
    ),
    (
        "listen: {}",
        &[
            "config.missing_key listen: a listener needs `address` [for example {address: \"0.0.0.0:80\", redirect_to_https: true}]",
        ],
    ),
    (
        "listen: {address: 'a:1', tls: {}}",
        &[
            "config.missing_key listen.tls: `tls` needs `certificates` [for example {certificates: [{cert: cert.pem, key: key.pem}]}]",
        ],
    ),
    (
        "listen: {address: 'a:1', tls: {certificates: []}}",
        &[
            "listen.tls listen.tls.certificates: `tls` needs a certificate [add one such as {cert: cert.pem, key: key.pem}]",
        ],
    ),
    (
        "listen: {address: 'a:1', tls: {certificates: [{cert: a}]}}",
        &[
            "config.missing_key listen.tls.certificates[0]: a certificate needs `key` [for example {cert: cert.pem, key: key.pem}]",
        ],
    ),
    (
        "listen: {address: 'a:1', redirect_to_https: true, tls: {certificates: [{cert: a, key: b}]}}",
        &[
            "listen.tls listen.redirect_to_https: a listener with `tls` cannot redirect to https [redirect on another listener, such as port 80]",
        ],
    ),
    (
        "listen: {address: 'a:1', redirect_to_https: {port: 0}}",
        &["config.value listen.redirect_to_https.port: `0` is not a whole number from 1 to 65535"],
    ),
    (
        "listen: {address: 'a:1', tls: {certificates: [{cert: a, key: ''}], client_auth: optional, min_version: 1.1, alpn: [h3, h2, h2]}}",
        &[
            "config.value listen.tls.certificates[0].key: a file name is one line of text and not empty",
            "listen.tls listen.tls.client_auth: `client_auth` needs `client_ca` [add client_ca: FILE]",
            "config.value listen.tls.min_version: unknown value `1.1` [write `1.2` or `1.3`]",
            "config.value listen.tls.alpn[0]: unknown value `h3` [write `h2` or `http/1.1`]",
            "listen.tls listen.tls.alpn[2]: protocol `h2` is listed twice [remove one]",
        ],
    ),
    (
        "workers: 0",
        &["config.value workers: `0` is not a whole number from 1 to 256"],
    ),
    (
        "workers: -1",
        &["config.value workers: `-1` is not a whole number from 1 to 256"],
    ),
    (
        "trusted_proxies: [10.0.0.0/33, x]",
        &[
            "config.value trusted_proxies[0]: `10.0.0.0/33` is not an IP address or network [write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8]",
            "config.value trusted_proxies[1]: `x` is not an IP address or network [write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8]",
        ],
    ),
    (
        "access_log: {to: stdout, format: xml}",
        &["config.value access_log.format: unknown value `xml` [write `json` or `combined`]"],
    ),
    (
        "drain_timeout: 30",
        &["config.value drain_timeout: `30` is not a duration [write the unit: 30s]"],
    ),
    (
        "drain_timeout: 25h",
        &["config.value drain_timeout: `25h` is out of bounds [write a value from 0s to 24h]"],
    ),
    (
        "drain_timeout: -1s",
        &[
            "config.value drain_timeout: `-1s` is not a duration [write one such as 2s, 500ms, 1m30s or 1h]",
        ],
    ),
    (
        "limits: {header_bytes: 1GiB}",
        &[
            "config.value limits.header_bytes: `1GiB` is out of bounds [write a value from 1KiB to 1MiB]",
        ],
    ),
    (
        "limits: {header_bytes: 32kb}",
        &[
            "config.value limits.header_bytes: `32kb` is not a size [write bytes, or KiB, MiB or GiB: 4096, 32KiB, 8MiB]",
        ],
    ),
    (
        "limits: {streams: many}",
        &["config.value limits.streams: `many` is not a whole number from 1 to 10000"],
    ),
    (
        "limits: {retry_percent: 101}",
        &["config.value limits.retry_percent: `101` is not a whole number from 0 to 100"],
    ),
    (
        "limits: {body_rate: 1}",
        &[
            "config.unknown_key limits.body_rate: unknown key `body_rate` in `limits` [the keys of `limits` are header_bytes, header_fields, uri_bytes, connections, streams, in_flight_per_backend, retry_percent, retries_per_second, header_timeout, idle_timeout]",
        ],
    ),
    (
        "via: a b",
        &[
            "config.value via: `a b` is not a token [write a name such as tollgate: letters, digits, `-`, `_`, `.`]",
        ],
    ),
];
