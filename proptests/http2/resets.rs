//! What breaks off, and what is tried again: by clients, by backends, and at the end.

use std::net::SocketAddr;
use std::task::Poll;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;
use tollgate::engine::upstream::Protocol;
use tollgate::frontend::http::listener::ListenerService;

use crate::backend::{Seen, over_stream, over_wire};
use crate::client::{Client, request, send, whole};
use crate::rig::{Rig, until, within};

#[tokio::test]
async fn a_client_that_resets_cancels_its_request() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (answer, body) = client.begin(request("GET", "/wait"), true).await;
    within(until("it arrives", || Seen::count(&seen.requests) == 1)).await;
    drop((answer, body));
    within(until("it is cancelled", || {
        Seen::count(&seen.cancelled) == 1
    }))
    .await;
    // While the body of the answer flows.
    let (answer, _) = client.begin(request("GET", "/large?100000000"), true).await;
    let answer = within(answer).await.unwrap();
    drop(answer);
    within(until("it is cancelled", || {
        Seen::count(&seen.cancelled) == 2
    }))
    .await;
    assert_eq!(client.get("/").await.status(), 200);
    assert_eq!(Seen::count(&seen.connections), 1, "the connection lives on");
    until("it is counted", || rig.totals().clients_left_total == 2).await;
}

#[tokio::test]
async fn a_client_that_resets_closes_the_connection_of_its_request() {
    // The answer is never whole, so that only the closing ends it.
    let (backend, seen) = over_wire("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (answer, _) = client.begin(request("GET", "/"), true).await;
    let answer = within(answer).await.unwrap();
    drop(answer);
    until("it is closed", || Seen::count(&seen.cancelled) == 1).await;
    assert_eq!(rig.totals().clients_left_total, 1);
}

#[tokio::test]
async fn a_backend_that_resets_before_its_answer() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let answer = client.get("/reset").await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(
        answer.text().contains("upstream.reset"),
        "{}",
        answer.text()
    );
    assert!(Seen::count(&seen.requests) > 1, "GET was tried again");
    let before = Seen::count(&seen.requests);
    let (answer, mut body) = client.begin(request("POST", "/reset"), false).await;
    body.send_data("x".into(), true).unwrap();
    assert_eq!(whole(answer).await.unwrap().status(), 502);
    assert_eq!(Seen::count(&seen.requests), before + 1, "POST was not");
    // What was refused unread is tried again whatever it is.
    let before = Seen::count(&seen.requests);
    let (answer, mut body) = client.begin(request("POST", "/refuse"), false).await;
    body.send_data("x".into(), true).unwrap();
    let answer = whole(answer).await.unwrap();
    assert!(
        answer.text().contains("upstream.overloaded"),
        "{}",
        answer.text()
    );
    assert!(Seen::count(&seen.requests) > before + 1);
}

#[tokio::test]
async fn regression_a_stream_that_is_reset_is_no_stale_connection() {
    let (backend, seen) = over_stream().await;
    let (service, backends) = (ListenerService::Plain, [backend.to_string()]);
    let keys = json!({"retry": "none"});
    let rig = Rig::routed(service, Protocol::H2, &backends, &keys, |_| {});
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.get("/").await.status(), 200);
    for (asked, path) in [(2, "/reset"), (3, "/refuse")] {
        client.get(path).await;
        assert_eq!(Seen::count(&seen.requests), asked, "{path} was sent twice");
    }
    assert_eq!(Seen::count(&seen.connections), 1);
}

#[tokio::test]
async fn an_answer_that_is_torn_never_ends_clean() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (answer, _) = client.begin(request("GET", "/torn"), true).await;
    let answer = within(answer).await.unwrap();
    let mut body = answer.into_body();
    assert_eq!(within(body.data()).await.unwrap().unwrap(), "half");
    seen.go_on.notify_one();
    let error = within(body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::ENHANCE_YOUR_CALM));
    // Over HTTP/1.1 the backend closes instead.
    let (backend, _) = closing_half_way().await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (answer, _) = client.begin(request("GET", "/"), true).await;
    let error = whole(answer).await.unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR));
}

/// A backend whose body is shorter than it says.
async fn closing_half_way() -> (SocketAddr, tokio::task::JoinHandle<()>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut space = [0; 1024];
            let _ = tcp.read(&mut space).await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
            let _ = tcp.write_all(answer).await;
        }
    });
    (address, task)
}

#[tokio::test]
async fn a_backend_that_says_goodbye() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (waiting, _) = client.begin(request("GET", "/wait"), true).await;
    within(until("it arrives", || Seen::count(&seen.requests) == 1)).await;
    assert_eq!(client.get("/goodbye").await.status(), 200);
    // New ones go over a new connection; the one in flight goes on to its end.
    for _ in 0..3 {
        assert_eq!(client.get("/").await.status(), 200);
    }
    assert_eq!(Seen::count(&seen.connections), 2);
    seen.go_on.notify_one();
    assert_eq!(whole(waiting).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_backend_that_is_gone_is_replaced() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    for _ in 0..3 {
        assert_eq!(client.get("/").await.status(), 200);
        // The connection is cut under the request; each try has one of its own.
        assert_eq!(client.get("/cut").await.status(), 502);
    }
    assert_eq!(client.get("/").await.status(), 200);
    assert!(Seen::count(&seen.connections) >= 4);
    let rig = Rig::new(Protocol::H2, &["127.0.0.1:1".parse().unwrap()]);
    let mut client = Client::connect(rig.address).await;
    let answer = client.get("/").await;
    assert_eq!(answer.status(), 502);
    assert!(
        answer.text().contains("upstream.connect_failed"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn what_is_in_flight_ends_when_the_gateway_does() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (waiting, _) = client.begin(request("GET", "/wait"), true).await;
    let (answer, mut body) = client.begin(request("POST", "/echo"), false).await;
    send(&mut body, "before ".into()).await.unwrap();
    within(until("they arrive", || Seen::count(&seen.requests) == 2)).await;
    rig.drain();
    // The goodbye comes, and no new request goes.
    let mut requests = client.requests.clone();
    let refused = within(std::future::poll_fn(|cx| {
        let ready = requests.poll_ready(cx);
        if ready.is_pending() || matches!(ready, Poll::Ready(Err(_))) {
            return ready;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }));
    refused.await.unwrap_err();
    send(&mut body, "and after".into()).await.unwrap();
    body.send_data("".into(), true).unwrap();
    assert_eq!(whole(answer).await.unwrap().text(), "before and after");
    seen.go_on.notify_one();
    assert_eq!(whole(waiting).await.unwrap().status(), 200);
    within(client.driver).await.unwrap().unwrap();
    let totals = rig.join().await;
    assert_eq!((totals.requests_total, totals.clients_left_total), (2, 0));
}

#[tokio::test]
async fn a_connection_without_streams_is_closed() {
    let (backend, _) = over_stream().await;
    let rig = Rig::with(Protocol::H2, &[backend], |settings| {
        settings.idle_timeout = std::time::Duration::from_millis(100);
    });
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.get("/").await.status(), 200);
    within(client.driver).await.unwrap().unwrap();
}

/// A backend that answers its first request with a 503, and no other.
async fn bad_then_silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(tcp).await.unwrap();
        let mut waiting = Vec::new();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            if waiting.is_empty() {
                let mut bad = Response::new(());
                *bad.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                let _ = respond.send_response(bad, true);
            }
            waiting.push(respond);
        }
    });
    address
}

#[tokio::test]
async fn the_time_of_an_answer_runs_for_each_try() {
    for keys in [json!({"timeout": "300ms"}), json!({"try_timeout": "200ms"})] {
        let backend = bad_then_silent().await;
        let mut keys = keys;
        keys["retry"] = json!({"attempts": 1, "on": ["503"]});
        keys["idle_timeout"] = json!("1h");
        let backends = [backend.to_string()];
        let plain = ListenerService::Plain;
        let rig = Rig::routed(plain, Protocol::H2, &backends, &keys, |_| {});
        let answer = Client::connect(rig.address).await.get("/").await;
        assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT, "{keys}");
        assert!(answer.text().contains("upstream.timeout"));
    }
}

#[tokio::test]
async fn uploads_that_are_answered_early_do_not_end_the_connection() {
    let (backend, _) = over_wire("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let backends = [backend.to_string()];
    let (plain, keys) = (ListenerService::Plain, json!({"max_body": "1KiB"}));
    let rig = Rig::routed(plain, Protocol::H1, &backends, &keys, |_| {});
    let mut client = Client::connect(rig.address).await;
    for _ in 0..600 {
        let mut large = request("POST", "/");
        large.headers_mut().insert("content-length", 16_000.into());
        let (answer, mut body) = client.begin(large, false).await;
        body.reserve_capacity(16_000);
        for _ in 0..4 {
            // It may know already that nobody wants it.
            let _ = body.send_data(Bytes::from_static(&[b'x'; 4_000]), false);
        }
        let answer = whole(answer).await.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(client.get("/").await.text(), "ok");
}
