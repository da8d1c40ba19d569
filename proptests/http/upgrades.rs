//! Connections that change protocols.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::{fs, thread};

use crate::backend::Backend;
use crate::client::Client;
use crate::gateway::{Gateway, table};
use crate::message::PATIENCE;

const ASKED: &str = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
                     Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                        Upgrade: websocket\r\n\r\n";

/// A backend that switches, and then sends back what it gets until the other side ends.
fn echo() -> Backend {
    Backend::start(|peer| {
        peer.head().unwrap();
        peer.send(SWITCHED);
        while let Ok(bytes) = peer.wire.some() {
            peer.send(bytes);
        }
        peer.send("bye");
    })
}

fn switched(gateway: &Gateway) -> Client {
    let mut client = gateway.client();
    let response = client.ask(ASKED);
    assert_eq!(response.status(), 101);
    assert_eq!(response.field("upgrade"), Some("websocket"));
    let connection = response.field("connection").unwrap_or_default();
    assert!(connection.eq_ignore_ascii_case("upgrade"), "{response:?}");
    client
}

#[test]
fn bytes_pass_both_ways_after_an_upgrade_and_each_way_ends_alone() {
    let backend = echo();
    let gateway = Gateway::before(&backend);
    let mut client = switched(&gateway);
    for sent in ["\x01\x00hello", "GET / HTTP/1.1\r\n\r\n"] {
        client.send(sent);
        assert_eq!(client.wire.exactly(sent.len()).unwrap(), sent.as_bytes());
    }
    let large = vec![0xa5; 3 << 20];
    thread::scope(|scope| {
        let mut writer = Client {
            wire: crate::message::Wire::new(client.wire.stream().try_clone().unwrap()),
        };
        let sent = large.clone();
        scope.spawn(move || writer.send(sent));
        assert!(client.wire.exactly(large.len()).unwrap() == large);
    });
    client.wire.end();
    assert_eq!(client.wire.rest(), b"bye", "the other way went on");
    let request = backend.only_request();
    assert_eq!(request.field("upgrade"), Some("websocket"));
    assert_eq!(
        request.field("connection").map(str::to_lowercase),
        Some("upgrade".into())
    );
}

#[test]
fn what_was_sent_with_the_request_for_an_upgrade_arrives() {
    let backend = Backend::start(|peer| {
        peer.head().unwrap();
        peer.send(format!("{SWITCHED}first"));
        let early = peer.wire.exactly(5).unwrap();
        peer.send(early);
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    assert_eq!(client.ask(format!("{ASKED}early")).status(), 101);
    assert_eq!(client.wire.rest(), b"firstearly");
}

#[test]
fn a_tunnel_is_closed_when_it_is_idle_or_must_end() {
    for keys in ["idle_timeout: 300ms", "max_duration: 300ms"] {
        let backend = echo();
        let gateway = Gateway::start(&table(&[backend.address()], keys, ""));
        let mut client = switched(&gateway);
        client.send("x");
        assert_eq!(client.wire.exactly(1).unwrap(), b"x");
        client.expect_closed();
        backend.wait(|seen| seen.closed == 1);
    }
}

#[test]
fn the_end_of_one_side_of_a_tunnel_reaches_the_other() {
    let backend = Backend::start(|peer| {
        peer.head().unwrap();
        peer.send(format!("{SWITCHED}bye"));
    });
    let gateway = Gateway::before(&backend);
    let mut client = switched(&gateway);
    assert_eq!(client.wire.exactly(3).unwrap(), b"bye");
    client.expect_closed();
    let backend = echo();
    let gateway = Gateway::before(&backend);
    let client = switched(&gateway);
    client.wire.break_off();
    drop(client);
    backend.wait(|seen| seen.closed == 1);
}

/// RFC 9110, section 9.3.6: what the closed side has sent is delivered, though nothing more can be
/// sent to it.
#[test]
fn regression_the_last_words_of_a_backend_arrive_at_a_client_that_still_talks() {
    const LENGTH: usize = 300_000;
    let (tell, told) = mpsc::channel();
    let backend = Backend::start(move |peer| {
        peer.head().unwrap();
        peer.send(SWITCHED);
        peer.send(vec![b'x'; LENGTH]);
        let stream = peer.wire.stream();
        let ends = [stream.local_addr(), stream.peer_addr()].map(Result::unwrap);
        // The kernel of the other side has all of it.
        wait_until(|| connection(ends).is_some_and(|it| it.contains(" 00000000:")));
        tell.send(ends).unwrap();
    });
    let gateway = Gateway::before(&backend);
    let mut client = switched(&gateway);
    let [to, from] = told.recv().unwrap();
    backend.wait(|seen| seen.closed == 1);
    client.send("anybody there?");
    // Nobody is, and the gateway's kernel knows.
    wait_until(|| connection([from, to]).is_none());
    client.send("anybody at all?");
    assert_eq!(client.wire.rest().len(), LENGTH);
}

/// What the kernel says of a connection between two ports, unless it is over.
fn connection(ends: [SocketAddr; 2]) -> Option<String> {
    let [from, to] = ends.map(|end| format!(":{:04X}", end.port()));
    let connections = fs::read_to_string("/proc/net/tcp").unwrap();
    let line = connections.lines().find(|line| {
        let mut columns = line.split_whitespace().skip(1);
        columns.next().is_some_and(|it| it.ends_with(&from))
            && columns.next().is_some_and(|it| it.ends_with(&to))
    });
    line.map(str::to_owned)
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let begun = tollgate::runtime::clock::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it does not come about");
        thread::yield_now();
    }
}

#[test]
fn an_upgrade_that_is_not_granted_is_an_answer_like_others() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    assert_eq!(client.ask(ASKED).text(), "hello");
    assert_eq!(client.get("/").text(), "hello");
}

#[test]
fn an_upgrade_behind_a_body_is_not_asked_for() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    let asked = ASKED
        .replace("GET", "POST")
        .replace("Host: a", "Host: a\r\nContent-Length: 4");
    assert_eq!(gateway.client().ask(format!("{asked}body")).text(), "hello");
    let request = backend.only_request();
    assert_eq!(request.field("upgrade"), None);
    assert_eq!(request.text(), "body");
}

#[test]
fn an_upgrade_that_nobody_asked_for_is_a_bad_answer() {
    let backend = Backend::start(|peer| {
        let _ = peer.request();
        peer.send(format!("{SWITCHED}GET / HTTP/1.1\r\n\r\n"));
        peer.wait_closed();
    });
    let gateway = Gateway::before(&backend);
    let response = gateway.client().get("/");
    assert_eq!(response.status(), 502);
}
