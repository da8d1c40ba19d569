//! Malformed requests (RFC 9113, section 8.1.1), and requests that HTTP/1.1 would express as another
//! request.

use tollgate::engine::upstream::Protocol;

use crate::backend::{Counters, over_http1};
use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, End, GET, HEADERS, Raw, block, frame,
};
use crate::rig::Rig;

const PROTOCOL_ERROR: u32 = 1;

const H1_RESPONSE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Sends a request with these fields on a new connection. Returns its result and the number of
/// requests that reached the backend.
async fn end(fields: &[(&str, &str)], data: Option<&[u8]>) -> (End, usize) {
    let (backend, counters) = over_http1(H1_RESPONSE).await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut raw = Raw::connect(rig.address).await;
    let flags = match data {
        Some(_) => END_HEADERS,
        None => END_HEADERS | END_STREAM,
    };
    let mut sent = frame(HEADERS, flags, 1, &block(fields));
    if let Some(data) = data {
        sent.extend(frame(DATA, END_STREAM, 1, data));
    }
    raw.send(&sent).await;
    (raw.end_of(1).await, Counters::count(&counters.requests))
}

fn with<'f>(more: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    GET.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn valid_requests_are_forwarded() {
    for more in [
        &[][..],
        &[("te", "trailers")],
        &[("host", "A.test")],
        &[("x", "a\tb \u{e9}")],
        &[("cookie", "a=1"), ("cookie", "b=2")],
    ] {
        assert_eq!(
            end(&with(more), None).await,
            (End::Response(200), 1),
            "{more:?}"
        );
    }
    let only_host = [GET[0], GET[1], GET[3], ("host", "a.test")];
    assert_eq!(end(&only_host, None).await, (End::Response(200), 1));
}

#[tokio::test]
async fn invalid_fields_are_rejected() {
    for (name, value) in [
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("keep-alive", "5"),
        ("proxy-connection", "close"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
        ("X-Upper", "1"),
        ("x y", "1"),
        ("x:", "1"),
        ("x\r\ny", "1"),
        ("", "1"),
        ("x", "a\r\nb: c"),
        ("x", "a\nb"),
        ("x", "a\0b"),
        ("x", " a"),
        ("x", "a "),
        ("content-length", "1"),
        ("content-length", "-1"),
        ("content-length", "+0"),
        ("content-length", "0x0"),
        ("host", "b.test"),
        (":path", "/again"),
        (":status", "200"),
        (":unknown", "1"),
        (":protocol", "websocket"),
    ] {
        let (end, requests) = end(&with(&[(name, value)]), None).await;
        assert!(
            !matches!(end, End::Response(200)),
            "{name}: {value:?}: {end:?}"
        );
        assert_eq!(requests, 0, "{name}: {value:?}");
    }
}

#[tokio::test]
async fn invalid_pseudo_header_fields_are_rejected() {
    let replaced = |name: &'static str, value: Option<&'static str>| -> Vec<_> {
        let others = GET.iter().filter(|(known, _)| *known != name).copied();
        others.chain(value.map(|value| (name, value))).collect()
    };
    for (name, value) in [
        (":method", None),
        (":scheme", None),
        (":path", None),
        (":authority", None),
        (":path", Some("")),
        (":path", Some("a")),
        (":path", Some("http://a.test/")),
        (":path", Some("*")),
        (":path", Some("/a b")),
        (":path", Some("/ HTTP/1.1\r\nx: y")),
        (":method", Some("")),
        (":method", Some("GET /evil HTTP/1.1\r\nx:")),
        (":method", Some("A B")),
        (":method", Some("CONNECT")),
        (":authority", Some("user@a.test")),
        (":authority", Some("a.test\r\nx: y")),
        (":authority", Some("")),
        (":authority", Some("a.test/x")),
    ] {
        let (end, requests) = end(&replaced(name, value), None).await;
        assert!(
            !matches!(end, End::Response(200)),
            "{name} {value:?}: {end:?}"
        );
        assert_eq!(requests, 0, "{name} {value:?}");
    }
    let late = [GET[0], GET[1], GET[2], ("x", "1"), GET[3]];
    assert_eq!(end(&late, None).await, (End::Reset(PROTOCOL_ERROR), 0));
    let connect = [(":method", "CONNECT"), (":authority", "a.test:443")];
    assert_eq!(end(&connect, None).await, (End::Response(501), 0));
}

#[tokio::test]
async fn bodies_of_another_length_than_declared_are_rejected() {
    let post = |length| {
        let mut fields = GET.to_vec();
        fields[0].1 = "POST";
        fields.push(("content-length", length));
        fields
    };
    assert_eq!(end(&post("3"), Some(b"abc")).await, (End::Response(200), 1));
    for (length, data) in [("3", &b"ab"[..]), ("3", b"abcd"), ("0", b"a")] {
        let (end, requests) = end(&post(length), Some(data)).await;
        assert!(!matches!(end, End::Response(200)), "{length}: {end:?}");
        assert_eq!(
            requests, 0,
            "{length}: no complete request reaches the backend"
        );
    }
    let mut twice = post("3");
    twice.push(("content-length", "4"));
    assert_eq!(end(&twice, Some(b"abc")).await.1, 0);
}

#[tokio::test]
async fn heads_that_exceed_a_limit_are_rejected() {
    let (backend, counters) = over_http1(H1_RESPONSE).await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut raw = Raw::connect(rig.address).await;
    let value = "v".repeat(120);
    let many: Vec<_> = (0..101).map(|_| ("x", "1")).collect();
    let sent = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&with(&many)));
    assert!(raw.send(&sent).await);
    assert_eq!(raw.end_of(1).await, End::Response(431), "too many");
    // On another connection: the status would come from the dynamic table on this one.
    let mut raw = Raw::connect(rig.address).await;
    let mut block = block(&GET);
    for _ in 0..300 {
        block.extend(crate::frames::field("x", &value));
    }
    let mut sent = Vec::new();
    let pieces: Vec<_> = block.chunks(16_000).collect();
    for (at, piece) in pieces.iter().enumerate() {
        let kind = if at == 0 { HEADERS } else { CONTINUATION };
        let last = if at + 1 == pieces.len() {
            END_HEADERS
        } else {
            0
        };
        let flags = last | if at == 0 { END_STREAM } else { 0 };
        sent.extend(frame(kind, flags, 3, piece));
    }
    assert!(raw.send(&sent).await);
    assert_eq!(raw.end_of(3).await, End::Response(431), "too long");
    assert_eq!(Counters::count(&counters.requests), 0);
}
