//! A backend that returns what it received, with or without TLS, one request per connection.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use tokio_rustls::rustls::{ServerConfig, ServerConnection, Stream};

use crate::certificates::Pair;
use crate::client::TEST_TIMEOUT;

/// Starts a backend over TLS with this certificate. It runs until the process exits.
pub(crate) fn over_tls(pair: &Pair) -> SocketAddr {
    let config = ServerConfig::builder().with_no_client_auth();
    let mut config = config
        .with_single_cert(pair.chain(), pair.private())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let config = Arc::new(config);
    launch(move |mut tcp| {
        let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        // A client that rejects the certificate disconnects; the backend accepts the next one.
        while tls.is_handshaking() {
            if tls.complete_io(&mut tcp).is_err() {
                return;
            }
        }
        let name = tls.server_name().unwrap_or("none").to_owned();
        let alpn = tls.alpn_protocol().unwrap_or(b"none").to_vec();
        let facts = format!(
            "sni={name} alpn={} kind={:?}",
            String::from_utf8_lossy(&alpn),
            tls.handshake_kind().unwrap()
        );
        respond(&mut Stream::new(&mut tls, &mut tcp), &facts);
        tls.send_close_notify();
        let _ = tls.complete_io(&mut tcp);
    })
}

/// Starts a backend in plain text.
pub(crate) fn in_plain_text() -> SocketAddr {
    launch(|mut tcp| respond(&mut tcp, "plain"))
}

/// Starts a backend that reads once, sends these bytes, and closes.
pub(crate) fn sending(bytes: &'static str) -> SocketAddr {
    launch(move |mut tcp| {
        let _ = tcp.read(&mut [0; 4096]);
        let _ = tcp.write_all(bytes.as_bytes());
    })
}

fn launch(serve: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            tcp.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
            serve(tcp);
        }
    });
    address
}

/// Responds with these facts and with the head of the request.
fn respond(stream: &mut (impl Read + Write), facts: &str) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.extend_from_slice(&byte),
            Ok(_) | Err(_) => return,
        }
    }
    let body = format!("{facts}\n{}", String::from_utf8_lossy(&head));
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    let _ = stream.write_all((head + &body).as_bytes());
    let _ = stream.flush();
}
