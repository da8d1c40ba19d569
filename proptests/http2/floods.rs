//! Floods of frames that cost work and carry no data: the gateway closes the connection.

use std::time::Duration;

use tollgate::engine::upstream::Protocol;
use tollgate::runtime::Settings;

use crate::backend::over_http2;
use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, End, GET, GOAWAY, HEADERS, PING, PRIORITY,
    RST_STREAM, Raw, SETTINGS, WINDOW_UPDATE, block, code, frame,
};
use crate::rig::{Rig, until};

/// How many frames a flood has.
const MANY: u32 = 100_000;
/// ENHANCE_YOUR_CALM (RFC 9113, section 7).
const CALM: u32 = 11;

/// Sends many frames, and checks that the gateway closes the connection.
async fn check(what: &str, begin: &[u8], next: impl Fn(u32) -> Vec<u8>) {
    let (backend, _) = over_http2().await;
    let rig = Rig::new(Protocol::H2, &[backend]);
    let mut raw = Raw::connect(rig.address).await;
    assert!(raw.send(begin).await);
    let mut number = 0;
    while number < MANY {
        let piece: Vec<u8> = (number..number + 100).flat_map(&next).collect();
        number += 100;
        if !raw.send(&piece).await {
            break;
        }
    }
    // The GOAWAY may be lost if the gateway did not read the rest of the flood; the close is not.
    while let Some(frame) = raw.next().await {
        if frame.kind == GOAWAY {
            let reason = code(&frame.payload[4..]);
            assert!([1, CALM].contains(&reason), "{what}: GOAWAY with {reason}");
        }
    }
    until("no connection is left", || {
        rig.totals().connections_total == 1
    })
    .await;
}

fn open(stream: u32, flags: u8) -> Vec<u8> {
    frame(HEADERS, flags, stream, &block(&GET))
}

#[tokio::test]
async fn continuation() {
    let open = open(1, END_STREAM);
    check("empty", &open, |_| frame(CONTINUATION, 0, 1, &[])).await;
    let fields = block(&[("x", "y")]);
    check("full", &open, |_| frame(CONTINUATION, 0, 1, &fields)).await;
}

#[tokio::test]
async fn frames_that_require_a_response() {
    check("ping", &[], |_| frame(PING, 0, 0, &[0; 8])).await;
    check("settings", &[], |_| frame(SETTINGS, 0, 0, &[])).await;
    let table_size = [0, 1, 0, 0, 16, 0];
    check("table sizes", &[], |_| frame(SETTINGS, 0, 0, &table_size)).await;
}

#[tokio::test]
async fn frames_without_effect() {
    check("pong", &[], |_| frame(PING, 1, 0, &[0; 8])).await;
    check("priority", &[], |_| frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])).await;
    check("unknown", &[], |_| frame(0xfa, 0, 0, &[])).await;
    let one = 1_u32.to_be_bytes();
    check("windows", &[], |_| frame(WINDOW_UPDATE, 0, 0, &one)).await;
    let open = open(1, END_HEADERS);
    check("window of a stream", &open, |_| {
        frame(WINDOW_UPDATE, 0, 1, &one)
    })
    .await;
}

#[tokio::test]
async fn empty_data() {
    let open = open(1, END_HEADERS);
    check("empty", &open, |_| frame(DATA, 0, 1, &[])).await;
    check("padded", &open, |_| frame(DATA, 8, 1, &[3, 0, 0, 0])).await;
}

#[tokio::test]
async fn rapid_reset() {
    let cancel = 8_u32.to_be_bytes();
    check("at once", &[], |number| {
        let stream = 2 * number + 1;
        let mut frames = open(stream, END_HEADERS | END_STREAM);
        frames.extend(frame(RST_STREAM, 0, stream, &cancel));
        frames
    })
    .await;
}

#[tokio::test]
async fn streams_that_the_gateway_must_reset() {
    check("a stream that depends on itself", &[], |number| {
        let stream = 2 * number + 1;
        let mut frames = open(stream, END_HEADERS);
        frames.extend(frame(PRIORITY, 0, stream, &{
            let mut payload = stream.to_be_bytes().to_vec();
            payload.push(1);
            payload
        }));
        frames
    })
    .await;
    check("a window that overflows", &[], |number| {
        let stream = 2 * number + 1;
        let mut frames = open(stream, END_HEADERS);
        let max = 0x7fff_ffff_u32.to_be_bytes();
        frames.extend(frame(WINDOW_UPDATE, 0, stream, &max));
        frames
    })
    .await;
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused() {
    let (backend, counters) = over_http2().await;
    let rig = Rig::with(Protocol::H2, &[backend], |settings| {
        settings.streams = 3;
    });
    let mut raw = Raw::connect(rig.address).await;
    let waiting = block(&[GET[0], GET[1], GET[2], (":path", "/wait")]);
    for stream in [1, 3, 5, 7] {
        let sent = frame(HEADERS, END_HEADERS | END_STREAM, stream, &waiting);
        assert!(raw.send(&sent).await);
    }
    let refused = 7; // REFUSED_STREAM
    assert_eq!(raw.end_of(7).await, End::Reset(refused));
    until("three requests wait", || {
        crate::backend::Counters::count(&counters.requests) == 3
    })
    .await;
    // After a stream has ended, another one is served.
    counters.release.notify_waiters();
    assert!(matches!(raw.next_of(HEADERS).await, Some(response) if response.stream < 7));
    let sent = frame(HEADERS, END_HEADERS | END_STREAM, 9, &block(&GET));
    assert!(raw.send(&sent).await);
    assert_eq!(raw.end_of(9).await, End::Response(200));
}

#[tokio::test]
async fn incomplete_heads_time_out() {
    let quick = |settings: &mut Settings| {
        settings.header_timeout = Duration::from_millis(200);
        settings.idle_timeout = Duration::from_secs(3_600);
    };
    for with_stream in [false, true] {
        for start in [open(1, END_STREAM), vec![0, 0, 1]] {
            let (backend, _) = over_http2().await;
            let rig = Rig::with(Protocol::H2, &[backend], quick);
            let mut raw = Raw::connect(rig.address).await;
            if with_stream {
                // A stream whose slow body is valid, on the same connection.
                let fields = block(&[(":method", "POST"), (":scheme", "http")]);
                let fields = [fields, block(&[(":authority", "a"), (":path", "/")])].concat();
                assert!(raw.send(&frame(HEADERS, END_HEADERS, 1, &fields)).await);
            }
            let start: Vec<u8> = match with_stream && start.len() > 3 {
                true => frame(HEADERS, END_STREAM, 3, &block(&GET)),
                false => start,
            };
            assert!(raw.send(&start).await);
            let goaway = raw.next_of(GOAWAY).await.expect("a GOAWAY");
            assert_eq!(code(&goaway.payload[4..]), CALM);
        }
    }
}
