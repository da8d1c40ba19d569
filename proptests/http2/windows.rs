//! Flow control: a slow receiver slows its sender down.

use bytes::Bytes;
use tollgate::engine::upstream::Protocol;

use crate::backend::{Counters, over_http1, over_http2};
use crate::client::{Client, read, request, send, whole};
use crate::rig::{Rig, until, within};

const LARGE: usize = 5_000_000;
/// The maximum number of bytes of a body in the gateway and its two connections.
const MAX_BUFFERED: usize = 2_500_000;

#[tokio::test]
async fn large_bodies_are_forwarded_both_ways() {
    let (backend, _) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let response = client.get(&format!("/large?{LARGE}")).await;
    assert_eq!(response.body.len(), LARGE);
    let data: Vec<u8> = (0..LARGE)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    let (response, mut body) = client.begin(request("POST", "/echo"), false).await;
    send(&mut body, Bytes::from(data.clone())).await.unwrap();
    body.send_data(Bytes::new(), true).unwrap();
    assert!(whole(response).await.unwrap().body == data);
}

#[tokio::test]
async fn a_slow_client_slows_its_backend_down() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (response, _) = client.begin(request("GET", "/large?50000000"), true).await;
    let response = within(response).await.unwrap();
    let mut before = 0;
    let mut same = 0;
    // Other requests of the same client continue meanwhile, and serve as the clock.
    while same < 50 {
        assert_eq!(client.get("/").await.status(), 200);
        let now = Counters::count(&counters.sent_bytes);
        same = if now == before { same + 1 } else { 0 };
        before = now;
    }
    assert!(before < MAX_BUFFERED, "{before} bytes were sent");
    let (data, _) = read(response.into_body()).await.unwrap();
    assert_eq!(data.len(), 50_000_000);
}

#[tokio::test]
async fn a_slow_backend_slows_its_client_down() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let mut other = Client::connect(rig.address).await;
    let (response, mut body) = client.begin(request("POST", "/deaf"), false).await;
    let sending = tokio::spawn(async move {
        let piece = Bytes::from(vec![b'y'; 10_000]);
        for _ in 0..1_000 {
            send(&mut body, piece.clone()).await.unwrap();
        }
        body.send_data(Bytes::new(), true).unwrap();
    });
    for _ in 0..100 {
        assert_eq!(other.get("/").await.status(), 200);
    }
    assert!(!sending.is_finished(), "the backend does not read");
    counters.release.notify_one();
    within(sending).await.unwrap();
    assert_eq!(whole(response).await.unwrap().text(), "10000000");
}

#[tokio::test]
async fn large_bodies_from_http2_to_http1_and_back() {
    let (backend, _) =
        over_http1("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n").await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (response, mut body) = client.begin(request("POST", "/"), false).await;
    let data = Bytes::from(vec![b'z'; 1_000_000]);
    send(&mut body, data).await.unwrap();
    body.send_data(Bytes::new(), true).unwrap();
    let response = whole(response).await.unwrap();
    let count = response.body.iter().filter(|byte| **byte == b'z').count();
    assert_eq!(count, 1_000_000);
    until("it is counted", || rig.totals().requests_total == 1).await;
}
