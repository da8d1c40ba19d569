//! Forwarded requests and responses, in all four combinations of HTTP/1.1 and HTTP/2.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate::engine::upstream::Protocol;

use crate::backend::{Counters, over_http1, over_http2};
use crate::client::{Client, request, send, whole};
use crate::rig::{Rig, within};

/// Sends a request over HTTP/1.1 and returns all bytes until the connection closes.
async fn request_over_http1(gateway: SocketAddr, request: &str) -> String {
    let mut tcp = TcpStream::connect(gateway).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    within(tcp.read_to_end(&mut response)).await.unwrap();
    String::from_utf8(response).unwrap()
}

fn trailers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).try_into().unwrap(), HeaderValue::from_static(value)))
        .collect()
}

#[tokio::test]
async fn from_http2_to_http2() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let mut asked = request("GET", "/a/b?c=d");
    let fields = asked.headers_mut();
    fields.insert("x-one", HeaderValue::from_static("1"));
    fields.insert("te", HeaderValue::from_static("trailers"));
    fields.insert("proxy-authorization", HeaderValue::from_static("secret"));
    let (response, _) = client.begin(asked, true).await;
    let response = whole(response).await.unwrap();
    assert_eq!((response.status().as_u16(), response.text()), (200, ""));
    assert_eq!(response.field("line"), Some("GET /a/b?c=d"));
    assert_eq!(response.field("authority"), Some("a.test"));
    assert_eq!(response.field("got-x-one"), Some("1"));
    assert_eq!(response.field("got-te"), Some("trailers"));
    assert_eq!(response.field("got-via"), Some("2 tollgate"));
    assert_eq!(response.field("got-x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(response.field("got-x-forwarded-host"), Some("a.test"));
    assert_eq!(response.field("got-proxy-authorization"), None);
    assert_eq!(response.field("got-content-length"), None);

    let (response, mut body) = client.begin(request("POST", "/post"), false).await;
    send(&mut body, "hello ".into()).await.unwrap();
    send(&mut body, "world".into()).await.unwrap();
    body.send_trailers(trailers(&[("grpc-status", "0"), ("content-length", "9")]))
        .unwrap();
    let response = whole(response).await.unwrap();
    assert_eq!(response.text(), "hello world");
    let expected = trailers(&[("grpc-status", "0")]);
    assert_eq!(
        response.trailers,
        Some(expected),
        "framing fields are forbidden in trailers"
    );
    assert_eq!(Counters::count(&counters.connections), 1);
}

#[tokio::test]
async fn responses_without_a_body() {
    let (backend, _) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    for status in [204, 304, 404] {
        let response = client.get(&format!("/status/{status}")).await;
        assert_eq!((response.status().as_u16(), response.text()), (status, ""));
    }
    let response = client.get("/only-trailers").await;
    assert_eq!(response.field("grpc-status"), Some("12"));
    let (response, _) = client.begin(request("GET", "/too-much"), true).await;
    whole(response).await.unwrap_err();
    let (response, _) = client.begin(request("HEAD", "/head"), true).await;
    let response = whole(response).await.unwrap();
    assert_eq!(response.field("line"), Some("HEAD /head"));
}

#[tokio::test]
async fn early_hints_are_forwarded() {
    let (backend, _) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (mut response, _) = client.begin(request("GET", "/hints"), true).await;
    let hints = within(std::future::poll_fn(|cx| response.poll_informational(cx))).await;
    let hints = hints.unwrap().unwrap();
    assert_eq!(hints.status(), 103);
    assert_eq!(hints.headers()["link"], "</a>");
    assert_eq!(whole(response).await.unwrap().status(), 200);
    let asked = "GET /hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let response = request_over_http1(rig.address, asked).await;
    let (hints, rest) = response.split_once("\r\n\r\n").unwrap();
    assert_eq!(hints, "HTTP/1.1 103 Early Hints\r\nlink: </a>");
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
}

#[tokio::test]
async fn from_http2_to_http1() {
    let response = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 Fine\r\n\
         Connection: close-not, x-hop\r\nX-Hop: 1\r\nX-Two: 2\r\n\
         Transfer-Encoding: chunked\r\nTrailer: x-end\r\n\r\n{}0\r\nx-end: yes\r\n\r\n";
    let (backend, counters) = over_http1(response).await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let mut asked = request("POST", "/p?q");
    for cookie in ["a=1", "b=2"] {
        let fields = asked.headers_mut();
        fields.append("cookie", HeaderValue::from_static(cookie));
    }
    let (response, mut body) = client.begin(asked, false).await;
    send(&mut body, "data".into()).await.unwrap();
    body.send_trailers(trailers(&[("x-sum", "7")])).unwrap();
    let response = whole(response).await.unwrap();
    assert_eq!(response.field("x-two"), Some("2"));
    assert_eq!(response.field("x-hop"), None);
    assert_eq!(response.trailers, Some(trailers(&[("x-end", "yes")])));
    let text = response.text();
    let begin = "POST /p?q HTTP/1.1|Host: a.test|cookie: a=1; b=2|via: 2 tollgate|\
                 x-forwarded-for: 127.0.0.1|x-forwarded-proto: http|x-forwarded-host: a.test|";
    assert!(text.starts_with(begin), "{text}");
    let end = "|Transfer-Encoding: chunked||4|data|0|x-sum: 7||";
    assert!(text.ends_with(end), "{text}");
    let mut asked = request("PUT", "/p");
    let fields = asked.headers_mut();
    fields.insert("content-length", HeaderValue::from_static("4"));
    fields.insert("te", HeaderValue::from_static("trailers"));
    let (response, mut body) = client.begin(asked, false).await;
    body.send_data("data".into(), true).unwrap();
    let response = whole(response).await.unwrap();
    let text = response.text();
    assert!(text.contains("|Content-Length: 4|"), "{text}");
    assert!(
        text.contains("|Connection: TE|TE: trailers||data"),
        "{text}"
    );
    assert!(!text.contains("chunked"), "{text}");
    assert_eq!(
        Counters::count(&counters.connections),
        1,
        "the connection was reused"
    );
}

#[tokio::test]
async fn content_length_from_http1_to_http2() {
    let (backend, _) = over_http1("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let response = client.get("/").await;
    assert_eq!(
        (response.field("content-length"), response.text()),
        (Some("2"), "ok")
    );
    let (backend, _) = over_http1("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (response, _) = client.begin(request("HEAD", "/"), true).await;
    let response = whole(response).await.unwrap();
    assert_eq!(
        (response.field("content-length"), response.text()),
        (Some("2"), "")
    );
}

#[tokio::test]
async fn from_http1_to_http2() {
    let (backend, _) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let asked = "POST /p?q HTTP/1.1\r\nHost: b.test\r\nX-Hop: 1\r\nConnection: x-hop, close\r\n\
                 Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n";
    let response = request_over_http1(rig.address, asked).await;
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\nauthority: b.test\r\n"), "{head}");
    assert!(head.contains("\r\nline: POST /p?q\r\n"), "{head}");
    assert!(
        !head.contains("got-x-hop") && !head.contains("got-connection"),
        "{head}"
    );
    assert!(!head.contains("got-transfer-encoding"), "{head}");
    assert_eq!(body, "5\r\nabcde\r\n0\r\nx-sum: 5\r\n\r\n");
    let asked = "PUT / HTTP/1.1\r\nHost: b\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
    let response = request_over_http1(rig.address, asked).await;
    assert!(
        response.contains("\r\ngot-content-length: 3\r\n"),
        "{response}"
    );
    assert!(
        response.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        "{response}"
    );
    let asked = "GET /too-much HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
    let mut tcp = TcpStream::connect(rig.address).await.unwrap();
    tcp.write_all(asked.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let _ = within(tcp.read_to_end(&mut response)).await;
    let response = String::from_utf8(response).unwrap();
    assert!(
        !response.contains("200 OK"),
        "no second response: {response}"
    );
    let asked = "HEAD / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
    let response = request_over_http1(rig.address, asked).await;
    assert!(
        response.ends_with("\r\n\r\n") && response.contains("line: HEAD /"),
        "{response}"
    );
}

#[tokio::test]
async fn an_upgrade_to_http2_is_not_forwarded() {
    let response =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n";
    let (backend, _) = over_http1(response).await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    for protocols in ["h2c", "websocket, H2C"] {
        let asked = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: {protocols}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\
             Connection: close, Upgrade, HTTP2-Settings\r\n\r\n"
        );
        let text = request_over_http1(rig.address, &asked)
            .await
            .to_ascii_lowercase();
        assert!(text.contains("get / http/1.1|"), "{text}");
        assert!(
            !text.contains("|upgrade:") && !text.contains("settings"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_hundred_concurrent_streams() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let mut responses = Vec::new();
    for number in 0..100 {
        let (response, mut body) = client.begin(request("POST", "/many"), false).await;
        let text = format!("number {number}");
        body.send_data(Bytes::from(text.clone()), true).unwrap();
        responses.push((response, text));
    }
    for (response, text) in responses {
        assert_eq!(whole(response).await.unwrap().text(), text);
    }
    assert_eq!(Counters::count(&counters.requests), 100);
    assert!(Counters::count(&counters.connections) <= 2);
    assert_eq!(rig.totals().requests_total, 100);
}
