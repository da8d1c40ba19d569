//! Signals, the access log, reloads under traffic, and leaks after many requests.

use std::fs;
use std::sync::mpsc;

use serde_json::Value as Json;

use crate::backend::{Backend, ClosedPort, ok};
use crate::client::{get, post};
use crate::gateway::{Gateway, Resources, table};
use crate::message::TEST_TIMEOUT;

#[test]
fn requests_in_flight_finish_during_shutdown() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let backend = Backend::start(move |peer| {
        while let Some(request) = peer.request() {
            if request.target() == "/slow" {
                wait.lock().unwrap().recv().unwrap();
            }
            peer.send(ok("done"));
        }
    });
    for signal in ["TERM", "INT"] {
        let gateway = Gateway::before(&backend);
        let asked = backend.count();
        let mut idle = gateway.client();
        assert_eq!(idle.get("/").text(), "done");
        let mut slow = gateway.client();
        slow.send(get("/slow"));
        let mut uploading = gateway.client();
        uploading.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
        backend.wait(|state| state.requests.len() == asked + 2);
        let mut started = gateway.client();
        started.send("GET / HTTP/1.1\r\n");
        assert!(idle.is_alive());
        gateway.signal(signal);
        idle.expect_closed();
        started.send("Host: a\r\n\r\n");
        uploading.send("dy");
        go.send(()).unwrap();
        for client in [&mut started, &mut uploading, &mut slow] {
            let response = client.response();
            assert_eq!(response.text(), "done");
            assert!(response.closes(), "{response:?}");
            client.expect_closed();
        }
        let address = gateway.address();
        let (status, stderr_lines) = gateway.exit();
        assert_eq!(status.code(), Some(0), "{stderr_lines:?}");
        let totals = stderr_lines
            .last()
            .and_then(|line| line.split_once(": "))
            .unwrap()
            .1;
        let totals: Json = serde_json::from_str(totals).unwrap();
        assert_eq!(totals["requests_total"], 5);
        assert_eq!(totals["connections_total"], 4);
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}

#[test]
fn the_drain_timeout_ends_requests_in_flight() {
    let backend = Backend::start(|peer| {
        peer.request();
        peer.wait_closed();
    });
    let rest = "drain_timeout: 300ms\naccess_log: stderr";
    let gateway = Gateway::start(&table(&[backend.address()], "", rest));
    let mut client = gateway.client();
    client.send(get("/"));
    backend.wait(|state| state.requests.len() == 1);
    gateway.signal("TERM");
    let (status, stderr_lines) = gateway.exit();
    assert_eq!(status.code(), Some(0));
    let response = client.response();
    assert_eq!(response.status(), 503);
    assert!(response.text().contains("gateway.draining"), "{response:?}");
    client.expect_closed();
    let is_line = |line: &String| line.contains("\"code\":\"gateway.draining\"");
    assert!(stderr_lines.iter().any(is_line), "{stderr_lines:?}");
}

#[test]
fn a_new_connection_is_served_during_shutdown() {
    let backend = Backend::hello();
    for _ in 0..5 {
        let gateway = Gateway::before(&backend);
        let mut before = gateway.client();
        let mut accepted = gateway.client();
        // A connection has been accepted once a later one has been served.
        assert_eq!(gateway.client().get("/").text(), "hello");
        gateway.signal("TERM");
        before.send(get("/"));
        let response = before.response_to("GET").expect("a new connection");
        assert_eq!(response.text(), "hello");
        before.expect_closed();
        let response = accepted.response_to("GET");
        assert!(response.is_err(), "without a request it is closed");
        let (status, _) = gateway.exit();
        assert_eq!(status.code(), Some(0));
    }
}

#[test]
fn a_reload_applies_to_the_next_request() {
    let (old, new) = (Backend::named("old"), Backend::named("new"));
    let gateway = Gateway::before(&old);
    let mut client = gateway.client();
    assert_eq!(client.get("/").text(), "old");
    gateway.reload(&table(&[new.address()], "", ""));
    gateway.wait_for_line("configuration reloaded: 1 route");
    assert_eq!(client.get("/").text(), "new");
    gateway.reload("routes: [{path_pattern: /*, sevice: s}]");
    gateway.wait_for_line("reload failed");
    gateway.wait_for_line("config.unknown_key");
    assert_eq!(client.get("/").text(), "new");
    gateway.reload("routes: [");
    gateway.wait_for_line("config.syntax");
    assert_eq!(client.get("/").text(), "new");
    fs::remove_file(gateway.file("gateway.yaml")).unwrap();
    gateway.signal("HUP");
    gateway.wait_for_line("cannot read");
    assert_eq!(client.get("/").text(), "new");
    gateway.reload(&table(&[old.address()], "", ""));
    // An earlier line has the same text, so wait for the other response instead.
    while client.get("/").text() != "old" {}
}

/// Reads a file until `holds` is true of its content.
fn read_until(gateway: &Gateway, name: &str, holds: impl Fn(&str) -> bool) -> String {
    let started = tollgate::runtime::clock::now();
    loop {
        let text = fs::read_to_string(gateway.file(name)).unwrap_or_default();
        if holds(&text) {
            return text;
        }
        assert!(started.elapsed() < TEST_TIMEOUT, "{name} has only {text:?}");
        std::thread::yield_now();
    }
}

#[test]
fn the_access_log_has_a_line_per_exchange() {
    let (backend, closed) = (Backend::hello(), ClosedPort::new());
    let config = format!(
        "routes:\n\
         - {{path_pattern: /*, name: all, service: s, backends: [\"{}\"]}}\n\
         - {{path_pattern: /dead, service: d, backends: [\"{}\"], retry: none}}\n\
         access_log: access.log\n",
        backend.address(),
        closed.address()
    );
    let gateway = Gateway::start(&config);
    let mut client = gateway.client();
    client.ask("GET /a?b=\"c HTTP/1.1\r\nHost: a.test\r\nUser-Agent: \"x\"\\\r\n\r\n");
    client.post("/b", "body");
    client.get("/dead");
    client.get("/a%2fb");
    client.ask("GET / HTTP/1.1\r\n\r\n");
    drop(client);
    // The lines are written although no further request arrives.
    let log = read_until(&gateway, "access.log", |log| log.lines().count() == 5);
    let lines: Vec<Json> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let first = &lines[0];
    assert_eq!(first["method"], "GET");
    assert_eq!(first["path"], "/a?b=\"c");
    assert_eq!(first["status"], 200);
    assert_eq!(first["route"], "all");
    assert_eq!(first["service"], "s");
    assert_eq!(first["backend"], "127.0.0.1");
    assert_eq!(first["host"], "a.test");
    assert_eq!(first["client"], "127.0.0.1");
    assert_eq!(first["user_agent"], "\"x\"\\");
    assert_eq!(first["tries"], 1);
    assert_eq!(first["protocol"], "HTTP/1.1");
    assert_eq!(lines[1]["method"], "POST");
    assert_eq!(lines[2]["status"], 502);
    assert_eq!(lines[2]["code"], "upstream.connect_failed");
    let detail = lines[2]["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("connecting to the backend failed: Connection refused"),
        "{detail}"
    );
    assert_eq!(lines[3]["status"], 400);
    assert_eq!(lines[3]["code"], "path.encoded_slash");
    assert_eq!(lines[4]["status"], 400);
    assert_eq!(lines[4]["code"], "http1.host_missing");
    assert_eq!(lines[4]["client"], "127.0.0.1");
}

#[test]
fn sigusr1_reopens_the_access_log() {
    let backend = Backend::hello();
    let rest = "access_log: {to: access.log, format: combined}";
    let gateway = Gateway::start(&table(&[backend.address()], "", rest));
    let mut client = gateway.client();
    client.ask("GET /first HTTP/1.1\r\nHost: a\r\nReferer: /r\r\nUser-Agent: me\r\n\r\n");
    let log = read_until(&gateway, "access.log", |log| log.lines().count() == 1);
    let (before, after) = log.trim_end().split_once(" - - [").unwrap();
    assert_eq!(before, "127.0.0.1");
    let (time, after) = after.split_once("] ").unwrap();
    assert!(time.ends_with(" +0000"), "{time}");
    let (asked, after) = after.rsplit_once(" 200 ").unwrap();
    assert_eq!(asked, "\"GET /first HTTP/1.1\"");
    assert!(after.ends_with(" \"/r\" \"me\""), "{after}");
    fs::rename(gateway.file("access.log"), gateway.file("old.log")).unwrap();
    gateway.signal("USR1");
    read_until(&gateway, "access.log", |_| {
        gateway.file("access.log").exists()
    });
    client.get("/second");
    let log = read_until(&gateway, "access.log", |log| log.lines().count() == 1);
    assert!(log.contains("GET /second"), "{log}");
    let old = fs::read_to_string(gateway.file("old.log")).unwrap();
    assert_eq!(old.lines().count(), 1, "{old}");
    client.get("/third");
    gateway.signal("TERM");
    let file = gateway.file("access.log");
    drop(client);
    // The gateway writes all lines before it exits.
    let log = read_until(&gateway, "access.log", |log| log.lines().count() == 2);
    assert!(log.contains("GET /third"), "{log} of {}", file.display());
}

/// Valid and failing exchanges of all kinds.
fn mixed(gateway: &Gateway, rounds: usize) {
    for number in 0..rounds {
        let mut client = gateway.client();
        match number % 10 {
            0 => drop(client.get("/")),
            1 => drop(client.post("/", &"x".repeat(20_000))),
            2 => drop(client.get("/dead")),
            3 => drop(client.get("/cut/")),
            4 => client.send("GET / HT"),
            5 => client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"),
            6 => drop(client.ask("GET / HTTP/1.1\nHost: a\n\n")),
            7 => {
                client.send(get("/"));
                client.connection.reset_on_close();
            }
            8 => client.send(get("/large")),
            _ => {
                client.send(get("/") + &post("/", "x") + &get("/dead"));
                for _ in 0..3 {
                    client.response();
                }
            }
        }
    }
}

#[test]
fn many_exchanges_leak_nothing() {
    let large = "x".repeat(2 << 20);
    let backend = Backend::start(move |peer| {
        while let Some(request) = peer.request() {
            match request.target() {
                "/cut/" => return peer.send("HTTP/1.1 502 Bad\r\nContent-Le"),
                "/large" => peer.send(ok(&large)),
                _ => peer.send(ok("hello")),
            }
        }
    });
    let closed = ClosedPort::new();
    let gateway = Gateway::start(&format!(
        "routes:\n\
         - {{path_pattern: /*, service: s, backends: [\"{}\"]}}\n\
         - {{path_pattern: /dead, service: d, backends: [\"{}\"]}}\n",
        backend.address(),
        closed.address()
    ));
    mixed(&gateway, 200);
    let settled = |max_descriptors: usize| -> Resources {
        let started = tollgate::runtime::clock::now();
        loop {
            // The exchange ensures that the gateway has made progress between two samples.
            assert_eq!(gateway.client().get("/").text(), "hello");
            let resources = gateway.resources();
            if resources.descriptors <= max_descriptors {
                return resources;
            }
            assert!(started.elapsed() < TEST_TIMEOUT, "{resources:?}");
        }
    };
    // Standard streams, those of the runtimes, the listener, and a few pooled connections.
    let before = settled(40);
    mixed(&gateway, 2_000);
    let after = settled(before.descriptors + 8);
    assert_eq!(after.threads, before.threads);
    let more = after.rss_kib.saturating_sub(before.rss_kib);
    assert!(more < 8 << 10, "{before:?} {after:?}");
}

/// A supervisor may send signals as soon as it has read the line with the address.
#[test]
fn signals_are_handled_from_the_first_line_on() {
    let backend = Backend::hello();
    let config = table(&[backend.address()], "", "access_log: access.log");
    for _ in 0..10 {
        let gateway = Gateway::start(&config);
        for signal in ["HUP", "USR1"] {
            gateway.signal(signal);
        }
        gateway.signal("TERM");
        let (status, stderr_lines) = gateway.exit();
        assert_eq!(status.code(), Some(0), "{stderr_lines:?}");
    }
}
