//! The real binary with a configuration that uses TLS.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;

use crate::backend;
use crate::certificates::{Authority, Folder};
use crate::client::{client, get, plain};

struct Process(Child, BufReader<ChildStderr>);

impl Process {
    fn start(folder: &Folder, config: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["serve", "--workers", "1", "--config"])
            .arg(folder.write("gateway.yaml", config))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        Self(child, errors)
    }

    /// Waits until the gateway listens, and returns its address.
    fn address(&mut self, scheme: &str) -> SocketAddr {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        let address = line.trim_end().rsplit_once(&format!(" {scheme}://"));
        assert!(address.is_some(), "{line}");
        address.unwrap().1.parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn tls_on_both_sides() {
    let (folder, authority) = (Folder::new(), Authority::new());
    authority.issue(&["a.example"]).write(&folder, "a");
    folder.write("ca.pem", &authority.pem());
    let backend = backend::over_tls(&authority.issue(&["backend.example"]));
    let config = format!(
        "listen:
  - address: 127.0.0.1:0
    tls:
      certificates: [{{cert: a.crt, key: a.key}}]
  - address: 127.0.0.1:0
    redirect_to_https: true
routes:
  - path_pattern: /*
    service: s
    backends: [\"https://{backend}\"]
    tls: {{ca: ca.pem, server_name: backend.example}}
"
    );
    let mut process = Process::start(&folder, &config);
    let secure = process.address("https");
    let redirecting = process.address("http");
    let config = Arc::new(client(authority.roots(), None));
    let observed = get(secure, &config, "a.example").unwrap();
    assert!(
        observed.response.contains("sni=backend.example"),
        "{}",
        observed.response
    );
    let request = b"GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    let response = plain(redirecting, request);
    assert!(response.starts_with("HTTP/1.1 308"), "{response}");
    assert!(
        response.contains("location: https://a.example/x\r\n"),
        "{response}"
    );
}

#[test]
fn a_certificate_that_cannot_be_used_ends_it_with_one_sentence() {
    let folder = Folder::new();
    let config = "listen:
  - address: 127.0.0.1:0
    tls:
      certificates: [{cert: missing.crt, key: missing.key}]
routes: [{path_pattern: /*, service: s, backends: [a]}]
";
    let mut process = Process::start(&folder, config);
    let mut errors = String::new();
    process.1.read_to_string(&mut errors).unwrap();
    assert_eq!(process.0.wait().unwrap().code(), Some(2), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("missing.crt: No such file"), "{errors}");
}

#[test]
fn authorities_that_cannot_be_read_end_it_with_one_sentence() {
    let folder = Folder::new();
    let config = "listen: 127.0.0.1:0
routes: [{path_pattern: /*, service: s, backends: [\"https://a\"], tls: {ca: missing.pem}}]
";
    let mut process = Process::start(&folder, config);
    let mut errors = String::new();
    process.1.read_to_string(&mut errors).unwrap();
    assert_eq!(process.0.wait().unwrap().code(), Some(2), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("missing.pem: No such file"), "{errors}");
}

#[test]
fn the_log_has_names_and_files() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.write("ca.pem", &authority.pem());
    let missing = folder.write("missing.pem", &authority.pem());
    let backend = backend::over_tls(&authority.issue(&["b.example", "127.0.0.2"]));
    let config = format!(
        "listen: [{{address: 127.0.0.1:0}}]
routes:
  - {{path_pattern: /a, service: a, backends: [\"https://{backend}\"], tls: {{ca: ca.pem}}}}
  - {{path_pattern: /b, service: b, backends: [\"https://{backend}\"], tls: {{ca: missing.pem}}}}
"
    );
    let mut process = Process::start(&folder, &config);
    let address = process.address("http");
    std::fs::remove_file(missing).unwrap();
    for (path, expected) in [
        (
            "/a",
            "its certificate is for b.example, 127.0.0.2 and not for 127.0.0.1;",
        ),
        ("/b", "missing.pem: No such file"),
    ] {
        for _ in 0..2 {
            let request = format!("GET {path} HTTP/1.0\r\nHost: x\r\n\r\n");
            let response = plain(address, request.as_bytes());
            assert!(response.contains("upstream.tls_failed"), "{response}");
            assert!(!response.contains(expected), "{response}");
        }
        let mut line = String::new();
        process.1.read_line(&mut line).unwrap();
        assert!(line.contains(expected), "once each: {line}");
    }
}
