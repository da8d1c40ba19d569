//! Requests that are sent to another backend.

use crate::backend::{Backend, ClosedPort, ok, response_with};
use crate::client::{get, post};
use crate::gateway::{Gateway, table};

fn failing(status: &'static str) -> Backend {
    Backend::responding(move |_| response_with(status, "bad"))
}

#[test]
fn a_failed_connection_is_retried_on_another_backend() {
    let (closed, good) = (ClosedPort::new(), Backend::hello());
    let gateway = Gateway::start(&table(&[closed.address(), good.address()], "", ""));
    let mut client = gateway.client();
    for _ in 0..60 {
        assert_eq!(client.get("/").text(), "hello");
        assert_eq!(client.post("/", "body").text(), "hello");
    }
    assert_eq!(good.count(), 120);
    let posts = good.requests();
    assert!(
        posts
            .iter()
            .all(|it| it.method() == "GET" || it.text() == "body")
    );
}

#[test]
fn a_503_is_retried_for_idempotent_methods() {
    let (bad, good) = (failing("503 Service Unavailable"), Backend::named("good"));
    let gateway = Gateway::start(&table(&[bad.address(), good.address()], "", ""));
    let mut client = gateway.client();
    for _ in 0..6 {
        assert_eq!(client.get("/").text(), "good");
    }
    let asked = bad.count();
    assert!(asked >= 3, "{asked}");
    let statuses: Vec<u16> = (0..4).map(|_| client.post("/", "x").status()).collect();
    assert_eq!(statuses.iter().filter(|&&status| status == 503).count(), 2);
    assert_eq!(bad.count(), asked + 2);
    let none = failing("500 Internal Server Error");
    let gateway = Gateway::start(&table(&[none.address(), good.address()], "", ""));
    let mut client = gateway.client();
    let statuses: Vec<u16> = (0..4).map(|_| client.get("/").status()).collect();
    assert_eq!(
        statuses.iter().filter(|&&status| status == 500).count(),
        2,
        "500 is not retried by default"
    );
}

#[test]
fn a_route_can_enable_more_retries() {
    let (bad, good) = (failing("500 Internal Server Error"), Backend::named("good"));
    let route = "retry: {on: [5xx], non_idempotent: true}";
    let gateway = Gateway::start(&table(&[bad.address(), good.address()], route, ""));
    let mut client = gateway.client();
    for _ in 0..5 {
        assert_eq!(client.post("/", "x").text(), "good");
    }
    let bad = Backend::start(|peer| {
        let _ = peer.request();
    });
    let route = "retry: {on: [reset], non_idempotent: true}";
    let gateway = Gateway::start(&table(&[bad.address(), good.address()], route, ""));
    let mut client = gateway.client();
    for _ in 0..5 {
        assert_eq!(client.post("/", "x").text(), "good");
    }
    let silent = Backend::start(|peer| {
        let _ = peer.request();
        peer.wait_closed();
    });
    let route = "retry: {on: [timeout]}, try_timeout: 200ms";
    let gateway = Gateway::start(&table(&[silent.address(), good.address()], route, ""));
    let mut client = gateway.client();
    for _ in 0..3 {
        assert_eq!(client.get("/").text(), "good");
    }
}

#[test]
fn each_attempt_goes_to_another_backend() {
    let bad: Vec<Backend> = (0..3).map(|_| failing("503 Service Unavailable")).collect();
    let addresses: Vec<String> = bad.iter().map(Backend::address).collect();
    let gateway = Gateway::start(&table(&addresses, "", ""));
    let mut client = gateway.client();
    for number in 1..=4 {
        let response = client.get("/");
        // The response of the last attempt.
        assert_eq!((response.status(), response.text()), (503, "bad".into()));
        let counts: Vec<usize> = bad.iter().map(Backend::count).collect();
        assert_eq!(counts, [number; 3]);
    }
}

/// Two backends that fail: of three attempts, one backend gets two, but never in succession,
/// whatever other requests do to the cursor.
#[test]
fn no_backend_gets_two_attempts_in_succession() {
    let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let backend = |name: &'static str| {
        let order = std::sync::Arc::clone(&order);
        Backend::responding(move |request| {
            let target = request.target().to_owned();
            order.lock().unwrap().push((target, name));
            response_with("503 Service Unavailable", name)
        })
    };
    let (a, b) = (backend("a"), backend("b"));
    let gateway = Gateway::start(&table(&[a.address(), b.address()], "", ""));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let gateway = &gateway;
            scope.spawn(move || {
                let mut client = gateway.client();
                for number in 0..50 {
                    client.get(&format!("/{thread}/{number}"));
                }
            });
        }
    });
    let order = order.lock().unwrap();
    for thread in 0..4 {
        for number in 0..50 {
            let target = format!("/{thread}/{number}");
            let asked: Vec<_> = order.iter().filter(|(it, _)| *it == target).collect();
            for two in asked.windows(2) {
                assert_ne!(two[0].1, two[1].1, "{target}: {asked:?}");
            }
        }
    }
}

#[test]
fn the_retry_budget_limits_retries() {
    let bad = failing("503 Service Unavailable");
    let route = "retry: {attempts: 10}";
    let gateway = Gateway::start(&table(&[bad.address()], route, ""));
    let started = tollgate::runtime::clock::now();
    let mut client = gateway.client();
    const REQUESTS: usize = 300;
    for _ in 0..REQUESTS {
        assert_eq!(client.get("/").status(), 503);
    }
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap();
    let retries = bad.count() - REQUESTS;
    let max = 10 + REQUESTS / 5 + 10 * (seconds + 1);
    assert!(retries >= 10, "{retries}");
    assert!(retries <= max, "{retries} retries, and the budget is {max}");
}

#[test]
fn nothing_is_retried_after_an_interim_response() {
    let half = "HTTP/1.1 200 OK\r\nX";
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    for (sent, attempts) in [(hints, 1), (half, 3)] {
        let backend = Backend::start(move |peer| {
            while let Some(request) = peer.request() {
                if request.target() == "/warm" {
                    peer.send(ok("warm"));
                } else {
                    peer.send(sent);
                    return peer.connection.reset_on_close();
                }
            }
        });
        let route = "retry: {attempts: 2, on: [reset]}";
        let gateway = Gateway::start(&table(&[backend.address()], route, ""));
        let mut client = gateway.client();
        assert_eq!(client.get("/warm").text(), "warm");
        client.send(get("/"));
        let mut response = client.response();
        if sent == hints {
            assert_eq!(response.status(), 103);
            response = client.response();
        }
        assert_eq!(response.status(), 502);
        assert!(backend.count() <= 1 + attempts, "{sent:?}");
    }
}

#[test]
fn without_a_budget_nothing_is_retried() {
    let bad = failing("503 Service Unavailable");
    let budget = "limits: {retry_percent: 0, retries_per_second: 0}";
    let gateway = Gateway::start(&table(&[bad.address()], "retry: {attempts: 10}", budget));
    let mut client = gateway.client();
    for _ in 0..20 {
        assert_eq!(client.get("/").status(), 503);
    }
    assert_eq!(bad.count(), 20);
}

#[test]
fn a_body_that_fits_the_replay_buffer_is_retried() {
    let bad = Backend::start(|peer| {
        let Some(mut request) = peer.head() else {
            return;
        };
        let _ = peer.connection.request_body(&mut request);
    });
    let good = Backend::responding(|request| ok(&request.text()));
    let route = "retry: {buffer: 1KiB}";
    // The retry budget of one gateway is too small for all of them.
    let gateway = || Gateway::start(&table(&[bad.address(), good.address()], route, ""));
    let body = |length: usize| -> String { ('a'..='z').cycle().take(length).collect() };
    for length in [0, 1, 1000, 1024] {
        let gateway = gateway();
        let mut client = gateway.client();
        for _ in 0..2 {
            let body = body(length);
            let put = post("/", &body).replace("POST", "PUT");
            assert_eq!(client.ask(put).text(), body);
            let mut chunked = String::new();
            for chunk in body.as_bytes().chunks(600) {
                let text = str::from_utf8(chunk).unwrap();
                chunked += &format!("{:x}\r\n{text}\r\n", chunk.len());
            }
            chunked += "0\r\nX-T: y\r\n\r\n";
            let head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
            assert_eq!(client.ask(format!("{head}{chunked}")).text(), body);
        }
    }
    let asked = good.requests();
    let mut chunked = asked
        .iter()
        .filter(|it| it.field("transfer-encoding").is_some());
    assert!(chunked.all(|it| it.trailers == [("x-t".to_owned(), "y".to_owned())]));
    let gateway = gateway();
    let mut client = gateway.client();
    let statuses: Vec<u16> = (0..4)
        .map(|_| {
            client
                .ask(post("/", &body(1025)).replace("POST", "PUT"))
                .status()
        })
        .collect();
    assert_eq!(
        statuses.iter().filter(|&&status| status == 502).count(),
        2,
        "{statuses:?}"
    );
}

#[test]
fn nothing_is_retried_after_the_response_has_started() {
    let bad = Backend::start(|peer| {
        let _ = peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
    });
    let gateway = Gateway::start(&table(&[bad.address()], "", ""));
    let mut client = gateway.client();
    client.send(get("/"));
    assert!(client.response_to("GET").is_err());
    assert_eq!(bad.count(), 1);
}
