//! Connections that switch protocols.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::{fs, thread};

use crate::backend::Backend;
use crate::client::Client;
use crate::gateway::{Gateway, table};
use crate::message::TEST_TIMEOUT;

const UPGRADE_REQUEST: &str = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
                     Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
const SWITCHING_RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                        Upgrade: websocket\r\n\r\n";

/// A backend that switches protocols and then echoes until its peer closes its sending side.
fn echo() -> Backend {
    Backend::start(|peer| {
        peer.head().unwrap();
        peer.send(SWITCHING_RESPONSE);
        while let Ok(bytes) = peer.connection.some() {
            peer.send(bytes);
        }
        peer.send("bye");
    })
}

fn switched(gateway: &Gateway) -> Client {
    let mut client = gateway.client();
    let response = client.ask(UPGRADE_REQUEST);
    assert_eq!(response.status(), 101);
    assert_eq!(response.field("upgrade"), Some("websocket"));
    let connection = response.field("connection").unwrap_or_default();
    assert!(connection.eq_ignore_ascii_case("upgrade"), "{response:?}");
    client
}

#[test]
fn each_direction_of_a_tunnel_ends_alone() {
    let backend = echo();
    let gateway = Gateway::before(&backend);
    let mut client = switched(&gateway);
    for sent in ["\x01\x00hello", "GET / HTTP/1.1\r\n\r\n"] {
        client.send(sent);
        assert_eq!(
            client.connection.exactly(sent.len()).unwrap(),
            sent.as_bytes()
        );
    }
    let large = vec![0xa5; 3 << 20];
    thread::scope(|scope| {
        let mut writer = Client {
            connection: crate::message::Connection::new(
                client.connection.stream().try_clone().unwrap(),
            ),
        };
        let sent = large.clone();
        scope.spawn(move || writer.send(sent));
        assert!(client.connection.exactly(large.len()).unwrap() == large);
    });
    client.connection.shut_down_write();
    assert_eq!(
        client.connection.rest(),
        b"bye",
        "the other direction stays open"
    );
    let request = backend.only_request();
    assert_eq!(request.field("upgrade"), Some("websocket"));
    assert_eq!(
        request.field("connection").map(str::to_lowercase),
        Some("upgrade".into())
    );
}

#[test]
fn bytes_sent_with_the_upgrade_request_are_forwarded() {
    let backend = Backend::start(|peer| {
        peer.head().unwrap();
        peer.send(format!("{SWITCHING_RESPONSE}first"));
        let early = peer.connection.exactly(5).unwrap();
        peer.send(early);
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    assert_eq!(client.ask(format!("{UPGRADE_REQUEST}early")).status(), 101);
    assert_eq!(client.connection.rest(), b"firstearly");
}

#[test]
fn timeouts_close_a_tunnel() {
    for keys in ["idle_timeout: 300ms", "max_duration: 300ms"] {
        let backend = echo();
        let gateway = Gateway::start(&table(&[backend.address()], keys, ""));
        let mut client = switched(&gateway);
        client.send("x");
        assert_eq!(client.connection.exactly(1).unwrap(), b"x");
        client.expect_closed();
        backend.wait(|state| state.closed == 1);
    }
}

#[test]
fn a_close_of_one_side_of_a_tunnel_closes_the_other() {
    let backend = Backend::start(|peer| {
        peer.head().unwrap();
        peer.send(format!("{SWITCHING_RESPONSE}bye"));
    });
    let gateway = Gateway::before(&backend);
    let mut client = switched(&gateway);
    assert_eq!(client.connection.exactly(3).unwrap(), b"bye");
    client.expect_closed();
    let backend = echo();
    let gateway = Gateway::before(&backend);
    let client = switched(&gateway);
    client.connection.reset_on_close();
    drop(client);
    backend.wait(|state| state.closed == 1);
}

/// RFC 9110, section 9.3.6: bytes that the closed side sent are delivered, although it accepts none.
#[test]
fn regression_the_last_bytes_of_a_backend_reach_a_client_that_still_sends() {
    const LENGTH: usize = 300_000;
    let (sender, receiver) = mpsc::channel();
    let backend = Backend::start(move |peer| {
        peer.head().unwrap();
        peer.send(SWITCHING_RESPONSE);
        peer.send(vec![b'x'; LENGTH]);
        let stream = peer.connection.stream();
        let ends = [stream.local_addr(), stream.peer_addr()].map(Result::unwrap);
        // The kernel of the peer has acknowledged all bytes.
        wait_until(|| connection(ends).is_some_and(|it| it.contains(" 00000000:")));
        sender.send(ends).unwrap();
    });
    let gateway = Gateway::before(&backend);
    let mut client = switched(&gateway);
    let [to, from] = receiver.recv().unwrap();
    backend.wait(|state| state.closed == 1);
    client.send("first");
    // The backend has closed, and the kernel of the gateway has removed the connection.
    wait_until(|| connection([from, to]).is_none());
    client.send("second");
    assert_eq!(client.connection.rest().len(), LENGTH);
}

/// The entry of the kernel for a connection between two ports; `None` if it is closed.
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
    let started = tollgate::runtime::clock::now();
    while !holds() {
        assert!(started.elapsed() < TEST_TIMEOUT, "timed out");
        thread::yield_now();
    }
}

#[test]
fn an_ordinary_response_to_an_upgrade_request_is_forwarded() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    assert_eq!(client.ask(UPGRADE_REQUEST).text(), "hello");
    assert_eq!(client.get("/").text(), "hello");
}

#[test]
fn an_upgrade_request_with_a_body_loses_its_upgrade() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    let asked = UPGRADE_REQUEST
        .replace("GET", "POST")
        .replace("Host: a", "Host: a\r\nContent-Length: 4");
    assert_eq!(gateway.client().ask(format!("{asked}body")).text(), "hello");
    let request = backend.only_request();
    assert_eq!(request.field("upgrade"), None);
    assert_eq!(request.text(), "body");
}

#[test]
fn an_unrequested_upgrade_is_a_bad_response() {
    let backend = Backend::start(|peer| {
        let _ = peer.request();
        peer.send(format!("{SWITCHING_RESPONSE}GET / HTTP/1.1\r\n\r\n"));
        peer.wait_closed();
    });
    let gateway = Gateway::before(&backend);
    let response = gateway.client().get("/");
    assert_eq!(response.status(), 502);
}
