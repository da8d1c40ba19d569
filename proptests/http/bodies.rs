//! Bodies: chunked, with trailers, delimited by close, large, and streamed.

use std::sync::mpsc;

use crate::backend::{Backend, ok};
use crate::client::get;
use crate::gateway::{Gateway, table};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn chunks_and_trailers_are_forwarded_both_ways() {
    let backend = Backend::responding(|request| {
        let trailers: String = request
            .trailers
            .iter()
            .map(|(n, v)| format!("{n}={v};"))
            .collect();
        let length = request.body.len();
        let body = format!("{}{trailers}", request.text());
        let head = "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n";
        let size = body.len();
        format!("{head}{size:x}\r\n{body}\r\n0\r\nX-Sum: {length}\r\n\r\n").into_bytes()
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    for _ in 0..3 {
        let response = client.ask(
            "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n\
             5\r\nhello\r\n6\r\n world\r\n0\r\nX-Check: ok\r\nContent-Length: 3\r\n\r\n",
        );
        assert_eq!(response.text(), "hello worldx-check=ok;");
        let sum = ("x-sum".to_owned(), "11".to_owned());
        assert_eq!(response.trailers, [sum]);
    }
    let request = &backend.requests()[0];
    assert_eq!(request.field("transfer-encoding"), Some("chunked"));
    assert_eq!(request.field("te"), Some("trailers"));
}

#[test]
fn a_chunked_response_to_http_1_0_ends_with_the_connection() {
    let backend = Backend::responding(|_| {
        format!("{CHUNKED}5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: y\r\n\r\n").into_bytes()
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let asked = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let response = client.ask(asked);
    assert_eq!(response.text(), "hello!");
    assert_eq!(response.field("transfer-encoding"), None);
    assert!(response.closes(), "{response:?}");
}

#[test]
fn a_close_delimited_response_becomes_chunked() {
    let backend = Backend::start(|peer| {
        if peer.request().is_some() {
            peer.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
        }
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    for _ in 0..2 {
        let response = client.get("/");
        assert_eq!(response.text(), "until the end");
        assert_eq!(response.field("transfer-encoding"), Some("chunked"));
    }
    let response = client.ask("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(response.text(), "until the end");
    let old = Backend::start(|peer| {
        if peer.request().is_some() {
            peer.send("HTTP/1.0 200 OK\r\nX-Old: yes\r\n\r\nof old");
        }
    });
    let gateway = Gateway::before(&old);
    assert_eq!(gateway.client().get("/").text(), "of old");
}

/// Bytes that differ from piece to piece, so that reordered pieces are detected.
fn pattern(length: usize) -> impl Iterator<Item = Vec<u8>> {
    const PIECE: usize = 1 << 20;
    (0..length.div_ceil(PIECE)).map(move |number| {
        let length = PIECE.min(length - number * PIECE);
        (0..length)
            .map(|at| u8::try_from((at * 7 + number) % 256).unwrap())
            .collect()
    })
}

#[test]
fn a_large_response_is_not_buffered() {
    const LENGTH: usize = 100 << 20;
    let backend = Backend::start(|peer| {
        while let Some(request) = peer.request() {
            let is_chunked = request.target() == "/chunked";
            let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            peer.send(if is_chunked { CHUNKED.into() } else { length });
            for piece in pattern(LENGTH) {
                if is_chunked {
                    peer.send(format!("{:x}\r\n", piece.len()));
                }
                peer.send(piece);
                if is_chunked {
                    peer.send("\r\n");
                }
            }
            if is_chunked {
                peer.send("0\r\n\r\n");
            }
        }
    });
    let gateway = Gateway::before(&backend);
    let before = gateway.resources();
    let mut client = gateway.client();
    for target in ["/length", "/chunked"] {
        client.send(get(target));
        let head = client.connection.head().unwrap().unwrap();
        if head.field("content-length").is_some() {
            for piece in pattern(LENGTH) {
                assert!(client.connection.exactly(piece.len()).unwrap() == piece);
            }
            continue;
        }
        let mut waiting = Vec::new();
        for piece in pattern(LENGTH) {
            while waiting.len() < piece.len() {
                waiting.extend(client.connection.chunk().unwrap());
            }
            let rest = waiting.split_off(piece.len());
            assert!(waiting == piece);
            waiting = rest;
        }
        assert!(waiting.is_empty());
        assert!(client.connection.chunk().unwrap().is_empty());
        assert_eq!(client.connection.exactly(2).unwrap(), b"\r\n");
    }
    let more = gateway.resources().max_rss_kib - before.rss_kib;
    assert!(more < 12 << 10, "{more} KiB more");
    assert_eq!(backend.connections(), 1);
}

#[test]
fn a_large_request_is_not_buffered() {
    const LENGTH: usize = 50 << 20;
    let backend = Backend::start(|peer| {
        while let Some(request) = peer.head() {
            let is_chunked = request.field("transfer-encoding").is_some();
            let mut waiting = Vec::new();
            for piece in pattern(LENGTH) {
                while waiting.len() < piece.len() {
                    let missing = piece.len() - waiting.len();
                    let more = if is_chunked {
                        peer.connection.chunk()
                    } else {
                        peer.connection.exactly(missing)
                    };
                    waiting.extend(more.unwrap());
                }
                let rest = waiting.split_off(piece.len());
                let is_right = waiting == piece;
                waiting = rest;
                if !is_right {
                    return peer.send(ok("wrong"));
                }
            }
            if is_chunked {
                assert!(peer.connection.chunk().unwrap().is_empty());
                peer.connection.exactly(2).unwrap();
            }
            peer.send(ok("right"));
        }
    });
    let gateway = Gateway::before(&backend);
    let before = gateway.resources();
    let mut client = gateway.client();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LENGTH}\r\n\r\n"
    ));
    pattern(LENGTH).for_each(|piece| client.send(piece));
    assert_eq!(client.response().text(), "right");
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for piece in pattern(LENGTH) {
        client.send(format!("{:x}\r\n", piece.len()));
        client.send(piece);
        client.send("\r\n");
    }
    assert_eq!(client.ask("0\r\n\r\n").text(), "right");
    let more = gateway.resources().max_rss_kib - before.rss_kib;
    assert!(more < 12 << 10, "{more} KiB more");
}

#[test]
fn many_small_chunks_are_forwarded() {
    let backend = Backend::responding(|request| ok(&request.text()));
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let mut sent = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let mut expected = String::new();
    for number in 0..5000 {
        let data = format!("<{number}>");
        sent += &format!("{:x}\r\n{data}\r\n", data.len());
        expected += &data;
    }
    sent += "0\r\n\r\n";
    assert!(client.ask(sent).text() == expected);
}

#[test]
fn server_sent_events_arrive_one_by_one() {
    let (next, of_backend) = mpsc::channel::<()>();
    let of_backend = std::sync::Mutex::new(of_backend);
    let backend = Backend::start(move |peer| {
        peer.request().unwrap();
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        let of_backend = of_backend.lock().unwrap();
        for number in 0..5 {
            of_backend.recv().unwrap();
            peer.send(format!("data: {number}\n\n"));
        }
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    client.send(get("/events"));
    let head = client.connection.head().unwrap().unwrap();
    assert_eq!(head.field("content-type"), Some("text/event-stream"));
    for number in 0..5 {
        // The next event is sent only after this one has arrived.
        next.send(()).unwrap();
        let event = client.connection.chunk().unwrap();
        assert_eq!(event, format!("data: {number}\n\n").into_bytes());
    }
    assert!(client.connection.chunk().unwrap().is_empty());
}

#[test]
fn an_upload_is_streamed() {
    let (seen, of_test) = mpsc::channel::<Vec<u8>>();
    let seen = std::sync::Mutex::new(seen);
    let backend = Backend::start(move |peer| {
        peer.head().unwrap();
        while let Ok(chunk) = peer.connection.chunk() {
            let is_last = chunk.is_empty();
            seen.lock().unwrap().send(chunk).unwrap();
            if is_last {
                peer.send(ok("done"));
                return peer.wait_closed();
            }
        }
    });
    let gateway = Gateway::start(&table(&[backend.address()], "retry: {buffer: 16}", ""));
    let mut client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for number in 0..9 {
        let data = format!("part {number}");
        client.send(format!("{:x}\r\n{data}\r\n", data.len()));
        assert_eq!(of_test.recv().unwrap(), data.into_bytes());
    }
    assert_eq!(client.ask("0\r\n\r\n").text(), "done");
}
