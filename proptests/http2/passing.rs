//! Requests and answers that go through, over all four ways.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate::engine::upstream::Protocol;

use crate::backend::{Seen, over_stream, over_wire};
use crate::client::{Client, request, send, whole};
use crate::rig::{Rig, within};

/// What a request over HTTP/1.1 is answered with, until the connection closes.
async fn ask_over_wire(gateway: SocketAddr, request: &str) -> String {
    let mut tcp = TcpStream::connect(gateway).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within(tcp.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn trailers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).try_into().unwrap(), HeaderValue::from_static(value)))
        .collect()
}

#[tokio::test]
async fn from_stream_to_stream() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let mut asked = request("GET", "/a/b?c=d");
    let fields = asked.headers_mut();
    fields.insert("x-one", HeaderValue::from_static("1"));
    fields.insert("te", HeaderValue::from_static("trailers"));
    fields.insert("proxy-authorization", HeaderValue::from_static("secret"));
    let (answer, _) = client.begin(asked, true).await;
    let answer = whole(answer).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text()), (200, ""));
    assert_eq!(answer.field("line"), Some("GET /a/b?c=d"));
    assert_eq!(answer.field("authority"), Some("a.test"));
    assert_eq!(answer.field("got-x-one"), Some("1"));
    assert_eq!(answer.field("got-te"), Some("trailers"));
    assert_eq!(answer.field("got-via"), Some("2 tollgate"));
    assert_eq!(answer.field("got-x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(answer.field("got-x-forwarded-host"), Some("a.test"));
    assert_eq!(answer.field("got-proxy-authorization"), None);
    assert_eq!(answer.field("got-content-length"), None);

    let (answer, mut body) = client.begin(request("POST", "/post"), false).await;
    send(&mut body, "hello ".into()).await.unwrap();
    send(&mut body, "world".into()).await.unwrap();
    body.send_trailers(trailers(&[("grpc-status", "0"), ("content-length", "9")]))
        .unwrap();
    let answer = whole(answer).await.unwrap();
    assert_eq!(answer.text(), "hello world");
    let expected = trailers(&[("grpc-status", "0")]);
    assert_eq!(answer.trailers, Some(expected), "what frames is no trailer");
    assert_eq!(Seen::count(&seen.connections), 1);
}

#[tokio::test]
async fn answers_without_a_body() {
    let (backend, _) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    for status in [204, 304, 404] {
        let answer = client.get(&format!("/status/{status}")).await;
        assert_eq!((answer.status().as_u16(), answer.text()), (status, ""));
    }
    let answer = client.get("/only-trailers").await;
    assert_eq!(answer.field("grpc-status"), Some("12"));
    let (answer, _) = client.begin(request("GET", "/too-much"), true).await;
    whole(answer).await.unwrap_err();
    let (answer, _) = client.begin(request("HEAD", "/head"), true).await;
    let answer = whole(answer).await.unwrap();
    assert_eq!(answer.field("line"), Some("HEAD /head"));
}

#[tokio::test]
async fn early_hints_go_to_clients() {
    let (backend, _) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (mut answer, _) = client.begin(request("GET", "/hints"), true).await;
    let hints = within(std::future::poll_fn(|cx| answer.poll_informational(cx))).await;
    let hints = hints.unwrap().unwrap();
    assert_eq!(hints.status(), 103);
    assert_eq!(hints.headers()["link"], "</a>");
    assert_eq!(whole(answer).await.unwrap().status(), 200);
    let asked = "GET /hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = ask_over_wire(rig.address, asked).await;
    let (hints, rest) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(hints, "HTTP/1.1 103 Early Hints\r\nlink: </a>");
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
}

#[tokio::test]
async fn from_stream_to_wire() {
    let answer = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 Fine\r\n\
         Connection: close-not, x-hop\r\nX-Hop: 1\r\nX-Two: 2\r\n\
         Transfer-Encoding: chunked\r\nTrailer: x-end\r\n\r\n{}0\r\nx-end: yes\r\n\r\n";
    let (backend, seen) = over_wire(answer).await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let mut asked = request("POST", "/p?q");
    for cookie in ["a=1", "b=2"] {
        let fields = asked.headers_mut();
        fields.append("cookie", HeaderValue::from_static(cookie));
    }
    let (answer, mut body) = client.begin(asked, false).await;
    send(&mut body, "data".into()).await.unwrap();
    body.send_trailers(trailers(&[("x-sum", "7")])).unwrap();
    let answer = whole(answer).await.unwrap();
    assert_eq!(answer.field("x-two"), Some("2"));
    assert_eq!(answer.field("x-hop"), None);
    assert_eq!(answer.trailers, Some(trailers(&[("x-end", "yes")])));
    let told = answer.text();
    let begin = "POST /p?q HTTP/1.1|Host: a.test|cookie: a=1; b=2|via: 2 tollgate|\
                 x-forwarded-for: 127.0.0.1|x-forwarded-proto: http|x-forwarded-host: a.test|";
    assert!(told.starts_with(begin), "{told}");
    let end = "|Transfer-Encoding: chunked||4|data|0|x-sum: 7||";
    assert!(told.ends_with(end), "{told}");
    let mut asked = request("PUT", "/p");
    let fields = asked.headers_mut();
    fields.insert("content-length", HeaderValue::from_static("4"));
    fields.insert("te", HeaderValue::from_static("trailers"));
    let (answer, mut body) = client.begin(asked, false).await;
    body.send_data("data".into(), true).unwrap();
    let answer = whole(answer).await.unwrap();
    let told = answer.text();
    assert!(told.contains("|Content-Length: 4|"), "{told}");
    assert!(
        told.contains("|Connection: TE|TE: trailers||data"),
        "{told}"
    );
    assert!(!told.contains("chunked"), "{told}");
    assert_eq!(Seen::count(&seen.connections), 1, "it was kept");
}

#[tokio::test]
async fn lengths_from_wire_to_client() {
    let (backend, _) = over_wire("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let answer = client.get("/").await;
    assert_eq!(
        (answer.field("content-length"), answer.text()),
        (Some("2"), "ok")
    );
    let (backend, _) = over_wire("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (answer, _) = client.begin(request("HEAD", "/"), true).await;
    let answer = whole(answer).await.unwrap();
    assert_eq!(
        (answer.field("content-length"), answer.text()),
        (Some("2"), "")
    );
}

#[tokio::test]
async fn from_wire_to_stream() {
    let (backend, _) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let asked = "POST /p?q HTTP/1.1\r\nHost: b.test\r\nX-Hop: 1\r\nConnection: x-hop, close\r\n\
                 Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n";
    let answer = ask_over_wire(rig.address, asked).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
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
    let answer = ask_over_wire(rig.address, asked).await;
    assert!(answer.contains("\r\ngot-content-length: 3\r\n"), "{answer}");
    assert!(
        answer.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        "{answer}"
    );
    let asked = "GET /too-much HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
    let mut tcp = TcpStream::connect(rig.address).await.unwrap();
    tcp.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = within(tcp.read_to_end(&mut answer)).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(!answer.contains("200 OK"), "no second answer: {answer}");
    let asked = "HEAD / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
    let answer = ask_over_wire(rig.address, asked).await;
    assert!(
        answer.ends_with("\r\n\r\n") && answer.contains("line: HEAD /"),
        "{answer}"
    );
}

#[tokio::test]
async fn nobody_changes_to_http2_past_the_routes() {
    let answer =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n";
    let (backend, _) = over_wire(answer).await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    for protocols in ["h2c", "websocket, H2C"] {
        let asked = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: {protocols}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\
             Connection: close, Upgrade, HTTP2-Settings\r\n\r\n"
        );
        let told = ask_over_wire(rig.address, &asked)
            .await
            .to_ascii_lowercase();
        assert!(told.contains("get / http/1.1|"), "{told}");
        assert!(
            !told.contains("|upgrade:") && !told.contains("settings"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_hundred_streams_at_once() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let mut answers = Vec::new();
    for number in 0..100 {
        let (answer, mut body) = client.begin(request("POST", "/many"), false).await;
        let text = format!("number {number}");
        body.send_data(Bytes::from(text.clone()), true).unwrap();
        answers.push((answer, text));
    }
    for (answer, text) in answers {
        assert_eq!(whole(answer).await.unwrap().text(), text);
    }
    assert_eq!(Seen::count(&seen.requests), 100);
    assert!(Seen::count(&seen.connections) <= 2);
    assert_eq!(rig.totals().requests_total, 100);
}
