//! Large bodies: what one side does not take, the other is not asked for.

use bytes::Bytes;
use tollgate::engine::upstream::Protocol;

use crate::backend::{Seen, over_stream, over_wire};
use crate::client::{Client, read, request, send, whole};
use crate::rig::{Rig, until, within};

const LARGE: usize = 5_000_000;
/// What the gateway and the two connections may hold of a body between them.
const MAX_HELD: usize = 2_500_000;

#[tokio::test]
async fn large_bodies_go_both_ways() {
    let (backend, _) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let answer = client.get(&format!("/large?{LARGE}")).await;
    assert_eq!(answer.body.len(), LARGE);
    let data: Vec<u8> = (0..LARGE)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    let (answer, mut body) = client.begin(request("POST", "/echo"), false).await;
    send(&mut body, Bytes::from(data.clone())).await.unwrap();
    body.send_data(Bytes::new(), true).unwrap();
    assert!(whole(answer).await.unwrap().body == data);
}

#[tokio::test]
async fn a_slow_client_holds_its_backend_back() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (answer, _) = client.begin(request("GET", "/large?50000000"), true).await;
    let answer = within(answer).await.unwrap();
    let mut before = 0;
    let mut same = 0;
    // Other requests of the same client go on meanwhile, and are what time is measured by.
    while same < 50 {
        assert_eq!(client.get("/").await.status(), 200);
        let now = Seen::count(&seen.sent_bytes);
        same = if now == before { same + 1 } else { 0 };
        before = now;
    }
    assert!(before < MAX_HELD, "{before} bytes were taken");
    let (data, _) = read(answer.into_body()).await.unwrap();
    assert_eq!(data.len(), 50_000_000);
}

#[tokio::test]
async fn a_slow_backend_holds_its_client_back() {
    let (backend, seen) = over_stream().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let mut other = Client::connect(rig.address).await;
    let (answer, mut body) = client.begin(request("POST", "/deaf"), false).await;
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
    assert!(!sending.is_finished(), "nobody reads it");
    seen.go_on.notify_one();
    within(sending).await.unwrap();
    assert_eq!(whole(answer).await.unwrap().text(), "10000000");
}

#[tokio::test]
async fn large_bodies_between_the_versions() {
    let (backend, _) =
        over_wire("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n").await;
    let rig = Rig::new(Protocol::H1, &[backend]);
    let mut client = Client::connect(rig.address).await;
    let (answer, mut body) = client.begin(request("POST", "/"), false).await;
    let data = Bytes::from(vec![b'z'; 1_000_000]);
    send(&mut body, data).await.unwrap();
    body.send_data(Bytes::new(), true).unwrap();
    let answer = whole(answer).await.unwrap();
    let count = answer.body.iter().filter(|byte| **byte == b'z').count();
    assert_eq!(count, 1_000_000);
    until("it is counted", || rig.totals().requests_total == 1).await;
}
