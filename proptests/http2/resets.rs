//! Resets and retries: by clients, by backends, and during shutdown.

use std::net::SocketAddr;
use std::task::Poll;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;
use tollgate::engine::upstream::Protocol;
use tollgate::frontend::http::listener::ListenerService;

use crate::backend::{Counters, over_http1, over_http2};
use crate::client::{Client, request, send, whole};
use crate::rig::{Rig, until, within};

#[tokio::test]
async fn a_client_reset_cancels_the_upstream_request() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (response, body) = client.begin(request("GET", "/wait"), true).await;
    within(until("it arrives", || {
        Counters::count(&counters.requests) == 1
    }))
    .await;
    drop((response, body));
    within(until("it is cancelled", || {
        Counters::count(&counters.cancelled) == 1
    }))
    .await;
    // During the body of the response.
    let (response, _) = client.begin(request("GET", "/large?100000000"), true).await;
    let response = within(response).await.unwrap();
    drop(response);
    within(until("it is cancelled", || {
        Counters::count(&counters.cancelled) == 2
    }))
    .await;
    assert_eq!(client.get("/").await.status(), 200);
    assert_eq!(
        Counters::count(&counters.connections),
        1,
        "the connection stays open"
    );
    until("it is counted", || rig.totals().clients_left_total == 2).await;
}

#[tokio::test]
async fn a_client_reset_closes_the_http1_connection_upstream() {
    // The response is never complete, so that only the close ends it.
    let (backend, counters) = over_http1("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (response, _) = client.begin(request("GET", "/"), true).await;
    let response = within(response).await.unwrap();
    drop(response);
    until("it is closed", || Counters::count(&counters.cancelled) == 1).await;
    assert_eq!(rig.totals().clients_left_total, 1);
}

#[tokio::test]
async fn a_backend_reset_before_the_response() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let response = client.get("/reset").await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert!(
        response.text().contains("upstream.reset"),
        "{}",
        response.text()
    );
    assert!(Counters::count(&counters.requests) > 1, "GET is retried");
    let before = Counters::count(&counters.requests);
    let (response, mut body) = client.begin(request("POST", "/reset"), false).await;
    body.send_data("x".into(), true).unwrap();
    assert_eq!(whole(response).await.unwrap().status(), 502);
    assert_eq!(
        Counters::count(&counters.requests),
        before + 1,
        "POST is not retried"
    );
    // REFUSED_STREAM means that the request was not processed: every method is retried.
    let before = Counters::count(&counters.requests);
    let (response, mut body) = client.begin(request("POST", "/refuse"), false).await;
    body.send_data("x".into(), true).unwrap();
    let response = whole(response).await.unwrap();
    assert!(
        response.text().contains("upstream.overloaded"),
        "{}",
        response.text()
    );
    assert!(Counters::count(&counters.requests) > before + 1);
}

#[tokio::test]
async fn regression_a_reset_stream_is_not_a_stale_connection() {
    let (backend, counters) = over_http2().await;
    let (service, backends) = (ListenerService::Plain, [backend.to_string()]);
    let keys = json!({"retry": "none"});
    let rig = Rig::routed(service, Protocol::H2, &backends, &keys, |_| {});
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.get("/").await.status(), 200);
    for (asked, path) in [(2, "/reset"), (3, "/refuse")] {
        client.get(path).await;
        assert_eq!(
            Counters::count(&counters.requests),
            asked,
            "{path} was sent twice"
        );
    }
    assert_eq!(Counters::count(&counters.connections), 1);
}

#[tokio::test]
async fn an_incomplete_response_is_reset() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (response, _) = client.begin(request("GET", "/incomplete"), true).await;
    let response = within(response).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(within(body.data()).await.unwrap().unwrap(), "half");
    counters.release.notify_one();
    let error = within(body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::ENHANCE_YOUR_CALM));
    // The same with an HTTP/1.1 backend that closes.
    let (backend, _) = closing_within_the_body().await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (response, _) = client.begin(request("GET", "/"), true).await;
    let error = whole(response).await.unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR));
}

/// A backend whose body is shorter than its `Content-Length`.
async fn closing_within_the_body() -> (SocketAddr, tokio::task::JoinHandle<()>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut space = [0; 1024];
            let _ = tcp.read(&mut space).await;
            let response = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
            let _ = tcp.write_all(response).await;
        }
    });
    (address, task)
}

#[tokio::test]
async fn a_backend_that_sends_goaway() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (waiting, _) = client.begin(request("GET", "/wait"), true).await;
    within(until("it arrives", || {
        Counters::count(&counters.requests) == 1
    }))
    .await;
    assert_eq!(client.get("/goaway").await.status(), 200);
    // New requests use a new connection; the request in flight completes.
    for _ in 0..3 {
        assert_eq!(client.get("/").await.status(), 200);
    }
    assert_eq!(Counters::count(&counters.connections), 2);
    counters.release.notify_one();
    assert_eq!(whole(waiting).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_closed_backend_connection_is_replaced() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    for _ in 0..3 {
        assert_eq!(client.get("/").await.status(), 200);
        // The backend closes the connection during the request, once for each attempt.
        assert_eq!(client.get("/cut").await.status(), 502);
    }
    assert_eq!(client.get("/").await.status(), 200);
    assert!(Counters::count(&counters.connections) >= 4);
    let rig = Rig::new(Protocol::H2, &["127.0.0.1:1".parse().unwrap()]);
    let mut client = Client::connect(rig.address).await;
    let response = client.get("/").await;
    assert_eq!(response.status(), 502);
    assert!(
        response.text().contains("upstream.connect_failed"),
        "{}",
        response.text()
    );
}

#[tokio::test]
async fn requests_in_flight_complete_during_shutdown() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (waiting, _) = client.begin(request("GET", "/wait"), true).await;
    let (response, mut body) = client.begin(request("POST", "/echo"), false).await;
    send(&mut body, "before ".into()).await.unwrap();
    within(until("they arrive", || {
        Counters::count(&counters.requests) == 2
    }))
    .await;
    rig.drain();
    // After GOAWAY, no new request can be sent.
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
    assert_eq!(whole(response).await.unwrap().text(), "before and after");
    counters.release.notify_one();
    assert_eq!(whole(waiting).await.unwrap().status(), 200);
    within(client.driver).await.unwrap().unwrap();
    let totals = rig.join().await;
    assert_eq!((totals.requests_total, totals.clients_left_total), (2, 0));
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let (backend, _) = over_http2().await;
    let rig = Rig::with(Protocol::H2, &[backend], |settings| {
        settings.idle_timeout = std::time::Duration::from_millis(100);
    });
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.get("/").await.status(), 200);
    within(client.driver).await.unwrap().unwrap();
}

/// A backend that responds to its first request with a 503, and to no other.
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
async fn the_response_timeout_covers_retries() {
    for keys in [json!({"timeout": "300ms"}), json!({"try_timeout": "200ms"})] {
        let backend = bad_then_silent().await;
        let mut keys = keys;
        keys["retry"] = json!({"attempts": 1, "on": ["503"]});
        keys["idle_timeout"] = json!("1h");
        let backends = [backend.to_string()];
        let plain = ListenerService::Plain;
        let rig = Rig::routed(plain, Protocol::H2, &backends, &keys, |_| {});
        let response = Client::connect(rig.address).await.get("/").await;
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT, "{keys}");
        assert!(response.text().contains("upstream.timeout"));
    }
}

#[tokio::test]
async fn early_responses_to_uploads_keep_the_connection_open() {
    let (backend, _) = over_http1("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let backends = [backend.to_string()];
    let (plain, keys) = (ListenerService::Plain, json!({"max_body": "1KiB"}));
    let rig = Rig::routed(plain, Protocol::H1, &backends, &keys, |_| {});
    let mut client = Client::connect(rig.address).await;
    for _ in 0..600 {
        let mut large = request("POST", "/");
        large.headers_mut().insert("content-length", 16_000.into());
        let (response, mut body) = client.begin(large, false).await;
        body.reserve_capacity(16_000);
        for _ in 0..4 {
            // The gateway may have reset the stream already.
            let _ = body.send_data(Bytes::from_static(&[b'x'; 4_000]), false);
        }
        let response = whole(response).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(client.get("/").await.text(), "ok");
}
