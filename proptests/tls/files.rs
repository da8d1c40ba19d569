//! The files of a listener: errors in them, and reloads when they change.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use tollgate::frontend::http::listener::ListenerService;
use tollgate::runtime::tls::{CertificateFiles, ClientAuth, Reload, ServerTls, TlsFiles};
use tollgate::runtime::{Settings, clock};

use crate::certificates::{Authority, Folder};
use crate::client::{TEST_TIMEOUT, client, get};
use crate::gateway::{files, over_tls, start};

#[test]
fn a_new_certificate_is_used_by_the_next_handshake() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let gateway = over_tls(files(vec![pair]));
    // A new client each time: resumed sessions skip the certificate exchange.
    let observed = || {
        let config = Arc::new(client(authority.roots(), None));
        get(gateway.address(), &config, "a.example")
            .unwrap()
            .certificate
    };
    let first = observed();
    let second = authority.issue(&["a.example"]);
    second.write(&folder, "a");
    let started = clock::now();
    let mut last = observed();
    while last == first {
        assert!(
            started.elapsed() < TEST_TIMEOUT,
            "the new certificate was never used"
        );
        last = observed();
    }
    assert_eq!(last, *second.chain()[0]);
}

#[test]
fn invalid_files_change_nothing_and_are_reported_once() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let (tls, warnings) = ServerTls::load(files(vec![pair.clone()])).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    let config = tls.config();
    assert_eq!(tls.reload_if_changed(), Reload::Unchanged);

    folder.write("a.crt", "-----BEGIN CERTIFICATE-----\n");
    expect_failure(&tls, "a.crt cannot be used");
    assert_eq!(tls.reload_if_changed(), Reload::Unchanged, "once is enough");
    assert!(Arc::ptr_eq(&config, &tls.config()));

    // The certificate is renewed first; it matches only after its key is renewed too.
    let next = authority.issue_until(&["a.example"], 2001);
    folder.write("a.crt", &next.cert);
    expect_failure(&tls, "does not match");
    assert_eq!(tls.reload_if_changed(), Reload::Unchanged);
    folder.write("a.key", &next.key);
    let reload = tls.reload_if_changed();
    let Reload::Reloaded { files, warnings } = &reload else {
        panic!("{reload:?}");
    };
    assert!(files.ends_with("a.crt"), "{files}");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("expired on Mon, 01 Jan 2001"));
    assert!(!Arc::ptr_eq(&config, &tls.config()));
    let config = tls.config();

    std::fs::remove_file(&pair.key).unwrap();
    expect_failure(&tls, "cannot read");
    assert!(Arc::ptr_eq(&config, &tls.config()));
}

fn expect_failure(tls: &ServerTls, expected: &str) {
    let reload = tls.reload_if_changed();
    let has_failed = matches!(&reload, Reload::Failed(error) if error.contains(expected));
    assert!(has_failed, "{reload:?}");
}

#[test]
fn tickets_outlive_a_certificate_but_not_the_authorities_of_clients() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.issue(&["a.example"]).write(&folder, "a");
    let ca = folder.write("clients.pem", &authority.pem());
    let (tls, _) = ServerTls::load(TlsFiles {
        client_auth: Some(ClientAuth {
            ca,
            is_required: true,
        }),
        ..files(vec![pair])
    })
    .unwrap();
    let ticket = tls.config().ticketer.encrypt(b"session").unwrap();
    authority.issue(&["a.example"]).write(&folder, "a");
    assert!(matches!(tls.reload_if_changed(), Reload::Reloaded { .. }));
    assert!(tls.config().ticketer.decrypt(&ticket).is_some());
    folder.write("clients.pem", &Authority::new().pem());
    assert!(matches!(tls.reload_if_changed(), Reload::Reloaded { .. }));
    assert_eq!(tls.config().ticketer.decrypt(&ticket), None);
}

#[test]
fn unusable_files_are_reported_at_the_start() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let good = authority.issue(&["a.example"]).write(&folder, "a");
    let other = authority.issue(&["a.example"]).write(&folder, "other");
    let missing = folder.path().join("missing.pem");
    let empty = folder.write("empty.pem", "\n");
    let text = folder.write("text.pem", "hello");
    let broken = folder.write(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let pair = |cert: &PathBuf, key: &PathBuf| {
        files(vec![CertificateFiles {
            cert: cert.clone(),
            key: key.clone(),
        }])
    };
    let check = |files: TlsFiles, expected: &str| {
        let Err(error) = start(ListenerService::Tls(files), Settings::default()) else {
            panic!("{expected} is not reported");
        };
        let message = error.to_string();
        assert!(
            message.starts_with("cannot serve TLS on 127.0.0.1:0: "),
            "{message}"
        );
        assert!(message.contains(expected), "{message}\n{expected}");
        assert!(!message.contains('\n'), "{message}");
    };
    check(files(vec![]), "no certificate is configured");
    check(pair(&missing, &good.key), "missing.pem: No such file");
    check(pair(&good.cert, &missing), "missing.pem: No such file");
    check(pair(&empty, &good.key), "empty.pem is empty");
    check(
        pair(&text, &good.key),
        "text.pem holds no certificate in PEM",
    );
    check(pair(&broken, &good.key), "broken.pem cannot be used");
    check(
        pair(&good.key, &good.key),
        "a.key holds no certificate in PEM",
    );
    check(
        pair(&good.cert, &good.cert),
        "a.crt holds no private key in PEM",
    );
    check(
        pair(&good.cert, &text),
        "text.pem holds no private key in PEM",
    );
    check(
        pair(&good.cert, &other.key),
        "other.key does not match the certificate in ",
    );
    check(
        pair(&good.cert, &encrypted(&folder)),
        "is encrypted, and the gateway cannot ask",
    );
    let client_auth = Some(ClientAuth {
        ca: empty,
        is_required: true,
    });
    let asking = TlsFiles {
        client_auth,
        ..files(vec![good])
    };
    check(asking, "empty.pem is empty");
}

/// A key as OpenSSL encrypts it.
fn encrypted(folder: &Folder) -> PathBuf {
    let path = folder.path().join("encrypted.pem");
    let status = Command::new("openssl")
        .args([
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-aes256", "-pass", "pass:secret", "-out"])
        .arg(&path)
        .status();
    assert!(status.unwrap().success());
    path
}
