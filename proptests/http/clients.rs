//! Clients that disconnect, are slow, or exceed a limit.

use std::io::Write;
use std::sync::mpsc;

use crate::backend::{Backend, BlackHole, ok};
use crate::client::{get, post};
use crate::gateway::{Gateway, table};
use crate::message::TEST_TIMEOUT;

/// A backend that never responds and waits until the gateway closes.
fn silent() -> Backend {
    Backend::start(|peer| {
        peer.head();
        peer.wait_closed();
    })
}

#[test]
fn a_disconnect_within_the_head_has_no_effect() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    for part in ["", "\r\n", "G", "PRI", "GET / HTTP/1.1\r\nHo"] {
        for is_reset in [false, true] {
            let mut client = gateway.client();
            client.send(part);
            if is_reset {
                client.connection.reset_on_close();
            } else {
                client.connection.shut_down_write();
                client.expect_closed();
            }
        }
    }
    assert_eq!(backend.count(), 0);
    assert_eq!(gateway.client().get("/").text(), "hello");
}

/// Checks that the upstream request is cancelled when the client disconnects after sending `request`.
fn check_disconnect(requests: &[String]) {
    for is_reset in [false, true] {
        let backend = silent();
        let gateway = Gateway::before(&backend);
        for request in requests {
            let mut client = gateway.client();
            client.send(request);
            backend.wait(|state| state.requests.len() > state.closed);
            if is_reset {
                client.connection.reset_on_close();
            }
            drop(client);
            backend.wait(|state| state.requests.len() == state.closed);
        }
    }
}

#[test]
fn a_disconnect_within_the_body_cancels_the_upstream_request() {
    let heads = [
        "Content-Length: 100\r\n\r\npart",
        "Transfer-Encoding: chunked\r\n\r\n4\r\npart",
    ];
    check_disconnect(&heads.map(|rest| format!("POST / HTTP/1.1\r\nHost: a\r\n{rest}")));
}

#[test]
fn a_disconnect_before_the_response_cancels_the_upstream_request() {
    check_disconnect(&[get("/"), post("/", "body")]);
}

#[test]
fn a_disconnect_within_the_response_cancels_the_upstream_request() {
    let backend = Backend::start(|peer| {
        let Some(request) = peer.request() else {
            return;
        };
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
        if request.target() == "/fast" {
            while peer.connection.send("1\r\nx\r\n".repeat(1000)).is_ok() {}
        }
        peer.wait_closed();
    });
    let gateway = Gateway::before(&backend);
    for target in ["/slow", "/fast"] {
        for is_reset in [false, true] {
            let mut client = gateway.client();
            client.send(get(target));
            assert_eq!(client.connection.head().unwrap().unwrap().status(), 200);
            assert!(!client.connection.chunk().unwrap().is_empty());
            if is_reset {
                client.connection.reset_on_close();
            }
            drop(client);
            backend.wait(|state| state.requests.len() == state.closed);
        }
    }
}

#[test]
fn a_slow_reader_slows_the_backend_down() {
    let (sender, count) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let backend = Backend::start(move |peer| {
        let _ = peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        let mut stream = peer.connection.stream();
        stream
            .set_write_timeout(Some(std::time::Duration::from_millis(300)))
            .unwrap();
        let piece = vec![b'x'; 1 << 20];
        let mut sent = 0;
        while let Ok(length) = stream.write(&piece) {
            sent += length;
        }
        sender.lock().unwrap().send(sent).unwrap();
    });
    let gateway = Gateway::before(&backend);
    let before = gateway.resources();
    let mut client = gateway.client();
    client.send(get("/"));
    let sent: usize = count.recv().unwrap();
    assert!(sent < 100 << 20, "{sent} bytes wait somewhere");
    let more = gateway.resources().max_rss_kib - before.rss_kib;
    assert!(more < 8 << 10, "{more} KiB more");
}

#[test]
fn a_slow_head_gets_a_408() {
    let backend = Backend::hello();
    let rest = "limits: {header_timeout: 200ms, idle_timeout: 60s}";
    let gateway = Gateway::start(&table(&[backend.address()], "", rest));
    for (first, part) in [
        (false, "G"),
        (false, "GET / HTTP/1.1\r\nHost: a\r\n"),
        (true, "GET /"),
    ] {
        let mut client = gateway.client();
        if first {
            assert_eq!(client.get("/").text(), "hello");
        }
        client.send(part);
        let response = client.response();
        assert_eq!(response.status(), 408, "{part:?}: {response:?}");
        assert!(response.closes());
        client.expect_closed();
    }
    // A trickle of bytes does not extend the timeout.
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n");
    let mut slow = client.connection.stream().try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        let pace = std::time::Duration::from_millis(50);
        let (_never, nothing) = mpsc::channel::<()>();
        while slow.write_all(b"X: y\r\n").is_ok() {
            let _ = nothing.recv_timeout(pace);
        }
    });
    assert_eq!(client.response().status(), 408);
    client.connection.rest();
    trickle.join().unwrap();
}

#[test]
fn an_idle_connection_is_closed() {
    let backend = Backend::hello();
    let rest = "limits: {idle_timeout: 200ms}";
    let gateway = Gateway::start(&table(&[backend.address()], "", rest));
    gateway.client().expect_closed();
    let mut client = gateway.client();
    assert_eq!(client.get("/").text(), "hello");
    client.expect_closed();
}

#[test]
fn a_slow_body_gets_a_408() {
    let backend = silent();
    let gateway = Gateway::start(&table(&[backend.address()], "idle_timeout: 200ms", ""));
    let mut client = gateway.client();
    let response = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\npart");
    assert_eq!(response.status(), 408);
    client.expect_closed();
    backend.wait(|state| state.closed == 1);
}

#[test]
fn a_head_that_exceeds_a_limit_is_rejected() {
    let backend = Backend::hello();
    let rest = "limits: {header_bytes: 2KiB, header_fields: 10, uri_bytes: 256}";
    let gateway = Gateway::start(&table(&[backend.address()], "", rest));
    let head =
        |target: &str, fields: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let long = format!("/{}", "x".repeat(300));
    for (name, bytes, status) in [
        ("target", head(&long, ""), 414),
        (
            "an endless target",
            format!("GET /{}", "x".repeat(100_000)),
            414,
        ),
        (
            "field",
            head("/", &format!("X: {}\r\n", "x".repeat(3000))),
            431,
        ),
        (
            "an endless field",
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(100_000)),
            431,
        ),
        ("fields", head("/", &"X: y\r\n".repeat(20)), 431),
    ] {
        let mut client = gateway.client();
        let _ = client.connection.send(bytes);
        let response = client.response();
        assert_eq!(response.status(), status, "{name}");
        assert!(response.closes(), "{name}");
    }
    assert_eq!(backend.count(), 0);
    let fits = head(&format!("/{}", "x".repeat(200)), &"X: y\r\n".repeat(9));
    assert_eq!(gateway.client().ask(fits).text(), "hello");
}

#[test]
fn a_body_that_exceeds_the_limit_gets_a_413() {
    let backend = Backend::responding(|request| ok(&request.body.len().to_string()));
    let gateway = Gateway::start(&table(&[backend.address()], "max_body: 1000", ""));
    let mut client = gateway.client();
    assert_eq!(client.post("/", &"x".repeat(1000)).text(), "1000");
    let chunked = |length: usize| {
        let data = "x".repeat(length);
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{data}\r\n0\r\n\r\n"
        )
    };
    assert_eq!(client.ask(chunked(1000)).text(), "1000");
    for request in [
        post("/", &"x".repeat(1001)),
        chunked(1001),
        chunked(100_000),
    ] {
        let mut client = gateway.client();
        let response = client.ask(request);
        assert_eq!(response.status(), 413);
        assert!(response.closes());
        client.expect_closed();
    }
    assert_eq!(backend.count(), 2, "no other request was completed");
}

/// The client sends its whole body before it reads the response, as simple clients do.
#[test]
fn a_client_that_sends_first_can_read_the_413() {
    let backend = Backend::hello();
    let gateway = Gateway::start(&table(&[backend.address()], "max_body: 1000", ""));
    for _ in 0..3 {
        let mut client = gateway.client();
        let length = 8 << 20;
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
        ));
        let _ = client.connection.send(vec![b'x'; length]);
        assert_eq!(client.response().status(), 413);
    }
}

#[test]
fn connections_beyond_the_limit_wait() {
    let backend = Backend::hello();
    let rest = "limits: {connections: 3}";
    let gateway = Gateway::start(&table(&[backend.address()], "", rest));
    let mut clients: Vec<_> = (0..3).map(|_| gateway.client()).collect();
    for client in &mut clients {
        assert_eq!(client.get("/").text(), "hello");
    }
    let mut waiting: Vec<_> = (0..3).map(|_| gateway.client()).collect();
    for client in &mut waiting {
        client.send(get("/"));
    }
    // Only the clients within the limit are served meanwhile.
    for client in &mut clients {
        assert_eq!(client.get("/").text(), "hello");
    }
    assert_eq!(backend.count(), 6);
    drop(clients);
    for client in &mut waiting {
        assert_eq!(client.response().text(), "hello");
    }
}

#[test]
fn requests_beyond_the_limit_of_a_backend_are_rejected() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let backend = Backend::start(move |peer| {
        while peer.request().is_some() {
            let _ = wait.lock().unwrap().recv();
            peer.send(ok("late"));
        }
    });
    for of_service in [false, true] {
        let (rest, service) = match of_service {
            false => ("limits: {in_flight_per_backend: 2}", ""),
            true => ("", ", max_in_flight: 2"),
        };
        let gateway = Gateway::start(&format!(
            "routes: [{{path_pattern: /*, service: s}}]\n\
             services: {{s: {{backends: [\"{}\"]{service}}}}}\n{rest}\n",
            backend.address()
        ));
        let before = backend.count();
        let mut busy: Vec<_> = (0..2).map(|_| gateway.client()).collect();
        for client in &mut busy {
            client.send(get("/"));
        }
        backend.wait(|state| state.requests.len() == before + 2);
        let response = gateway.client().get("/");
        assert_eq!(response.status(), 503, "{response:?}");
        assert!(response.text().contains("upstream.overloaded"));
        assert!(response.field("retry-after").is_some());
        for _ in &busy {
            go.send(()).unwrap();
        }
        for client in &mut busy {
            assert_eq!(client.response().text(), "late");
        }
        go.send(()).unwrap();
        assert_eq!(busy[0].get("/").text(), "late", "there is room again");
    }
}

#[test]
fn a_disconnect_cancels_connecting() {
    let hole = BlackHole::new();
    let route = |path, time| {
        let to = hole.address();
        format!(
            "  - {{path_pattern: {path}, service: s{time}, backends: [\"{to}\"], retry: none, \
             connect_timeout: {time}}}\n"
        )
    };
    let gateway = Gateway::start(&format!(
        "routes:\n{}{}limits: {{in_flight_per_backend: 1}}\n",
        route("/patient", "1h"),
        route("/", "100ms"),
    ));
    let mut waiting = gateway.client();
    waiting.send(get("/patient"));
    let mut other = gateway.client();
    let mut request_until = |code: &str| {
        let started = tollgate::runtime::clock::now();
        while !other.get("/").text().contains(code) {
            assert!(started.elapsed() < TEST_TIMEOUT, "no {code}");
        }
    };
    request_until("upstream.overloaded");
    drop(waiting);
    request_until("upstream.connect_timeout");
}
