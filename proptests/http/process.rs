//! Signals, the access log, another table while requests come, and what is left after many of them.

use std::fs;
use std::sync::mpsc;

use serde_json::Value as Json;

use crate::backend::{Backend, Refusing, ok};
use crate::client::{get, post};
use crate::gateway::{Gateway, Held, table};
use crate::message::PATIENCE;

#[test]
fn requests_in_flight_finish_when_it_stops() {
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
        backend.wait(|seen| seen.requests.len() == asked + 2);
        let mut begun = gateway.client();
        begun.send("GET / HTTP/1.1\r\n");
        assert!(idle.is_alive());
        gateway.signal(signal);
        idle.expect_closed();
        begun.send("Host: a\r\n\r\n");
        uploading.send("dy");
        go.send(()).unwrap();
        for client in [&mut begun, &mut uploading, &mut slow] {
            let response = client.response();
            assert_eq!(response.text(), "done");
            assert!(response.closes(), "{response:?}");
            client.expect_closed();
        }
        let address = gateway.address();
        let (status, said) = gateway.exit();
        assert_eq!(status.code(), Some(0), "{said:?}");
        let totals = said
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
fn requests_that_do_not_finish_are_cut_when_their_time_is_over() {
    let backend = Backend::start(|peer| {
        peer.request();
        peer.wait_closed();
    });
    let rest = "drain_timeout: 300ms\naccess_log: stderr";
    let gateway = Gateway::start(&table(&[backend.address()], "", rest));
    let mut client = gateway.client();
    client.send(get("/"));
    backend.wait(|seen| seen.requests.len() == 1);
    gateway.signal("TERM");
    let (status, said) = gateway.exit();
    assert_eq!(status.code(), Some(0));
    let response = client.response();
    assert_eq!(response.status(), 503);
    assert!(response.text().contains("gateway.draining"), "{response:?}");
    client.expect_closed();
    let is_line = |line: &String| line.contains("\"code\":\"gateway.draining\"");
    assert!(said.iter().any(is_line), "{said:?}");
}

#[test]
fn a_client_that_has_just_come_when_it_stops_is_served() {
    let backend = Backend::hello();
    for _ in 0..5 {
        let gateway = Gateway::before(&backend);
        let mut before = gateway.client();
        let mut accepted = gateway.client();
        // It has been accepted once a later one has been served.
        assert_eq!(gateway.client().get("/").text(), "hello");
        gateway.signal("TERM");
        before.send(get("/"));
        let response = before.response_to("GET").expect("a new connection");
        assert_eq!(response.text(), "hello");
        before.expect_closed();
        let response = accepted.response_to("GET");
        assert!(response.is_err(), "it said nothing, and is closed");
        let (status, _) = gateway.exit();
        assert_eq!(status.code(), Some(0));
    }
}

#[test]
fn another_table_holds_from_the_next_request_on() {
    let (old, new) = (Backend::named("old"), Backend::named("new"));
    let gateway = Gateway::before(&old);
    let mut client = gateway.client();
    assert_eq!(client.get("/").text(), "old");
    gateway.reload(&table(&[new.address()], "", ""));
    gateway.said("configuration reloaded: 1 route");
    assert_eq!(client.get("/").text(), "new");
    gateway.reload("routes: [{path_pattern: /*, sevice: s}]");
    gateway.said("reload failed");
    gateway.said("config.unknown_key");
    assert_eq!(client.get("/").text(), "new");
    gateway.reload("routes: [");
    gateway.said("config.syntax");
    assert_eq!(client.get("/").text(), "new");
    fs::remove_file(gateway.file("gateway.yaml")).unwrap();
    gateway.signal("HUP");
    gateway.said("cannot read");
    assert_eq!(client.get("/").text(), "new");
    gateway.reload(&table(&[old.address()], "", ""));
    // It says so once more; the request that gets the other answer is what counts.
    while client.get("/").text() != "old" {}
}

/// Looks at a file until this holds of it.
fn read_until(gateway: &Gateway, name: &str, holds: impl Fn(&str) -> bool) -> String {
    let begun = tollgate::runtime::clock::now();
    loop {
        let text = fs::read_to_string(gateway.file(name)).unwrap_or_default();
        if holds(&text) {
            return text;
        }
        assert!(begun.elapsed() < PATIENCE, "{name} has only {text:?}");
        std::thread::yield_now();
    }
}

#[test]
fn each_exchange_is_a_line_of_the_access_log() {
    let (backend, refusing) = (Backend::hello(), Refusing::new());
    let config = format!(
        "routes:\n\
         - {{path_pattern: /*, name: all, service: s, backends: [\"{}\"]}}\n\
         - {{path_pattern: /dead, service: d, backends: [\"{}\"], retry: none}}\n\
         access_log: access.log\n",
        backend.address(),
        refusing.address()
    );
    let gateway = Gateway::start(&config);
    let mut client = gateway.client();
    client.ask("GET /a?b=\"c HTTP/1.1\r\nHost: a.test\r\nUser-Agent: \"x\"\\\r\n\r\n");
    client.post("/b", "body");
    client.get("/dead");
    client.get("/a%2fb");
    client.ask("GET / HTTP/1.1\r\n\r\n");
    drop(client);
    // Nobody else comes, and still they are written.
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
fn the_access_log_is_opened_anew_when_it_is_told_to() {
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
    // All is written before it exits.
    let log = read_until(&gateway, "access.log", |log| log.lines().count() == 2);
    assert!(log.contains("GET /third"), "{log} of {}", file.display());
}

/// Good and bad exchanges of all kinds.
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
                client.wire.break_off();
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
fn nothing_is_left_of_many_good_and_bad_exchanges() {
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
    let refusing = Refusing::new();
    let gateway = Gateway::start(&format!(
        "routes:\n\
         - {{path_pattern: /*, service: s, backends: [\"{}\"]}}\n\
         - {{path_pattern: /dead, service: d, backends: [\"{}\"]}}\n",
        backend.address(),
        refusing.address()
    ));
    mixed(&gateway, 200);
    let settled = |most_descriptors: usize| -> Held {
        let begun = tollgate::runtime::clock::now();
        loop {
            // Each look is behind an exchange that the gateway had to do.
            assert_eq!(gateway.client().get("/").text(), "hello");
            let held = gateway.held();
            if held.descriptors <= most_descriptors {
                return held;
            }
            assert!(begun.elapsed() < PATIENCE, "{held:?}");
        }
    };
    // Standard streams, the runtimes', the listener, and a few kept connections.
    let before = settled(40);
    mixed(&gateway, 2_000);
    let after = settled(before.descriptors + 8);
    assert_eq!(after.threads, before.threads);
    let more = after.rss_kib.saturating_sub(before.rss_kib);
    assert!(more < 8 << 10, "{before:?} {after:?}");
}

/// Whoever has read the line where it listens may send signals at once.
#[test]
fn signals_are_understood_from_the_first_line_on() {
    let backend = Backend::hello();
    let config = table(&[backend.address()], "", "access_log: access.log");
    for _ in 0..10 {
        let gateway = Gateway::start(&config);
        for signal in ["HUP", "USR1"] {
            gateway.signal(signal);
        }
        gateway.signal("TERM");
        let (status, said) = gateway.exit();
        assert_eq!(status.code(), Some(0), "{said:?}");
    }
}
