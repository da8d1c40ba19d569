//! A backend that passes each request to the test, which responds to it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// A listening backend.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) address: String,
    requests: Receiver<ReceivedRequest>,
}

/// A received request. Dropping it closes its connection.
#[derive(Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    tcp: TcpStream,
}

impl Backend {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (to, requests) = channel();
        thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                let to = to.clone();
                thread::spawn(move || read(tcp, &to));
            }
        });
        Self { address, requests }
    }

    /// Waits for the next request.
    pub(crate) fn next(&self) -> ReceivedRequest {
        self.requests.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    /// Whether no request arrives for 200 ms.
    pub(crate) fn is_quiet(&self) -> bool {
        self.requests
            .recv_timeout(Duration::from_millis(200))
            .is_err()
    }
}

impl ReceivedRequest {
    /// Whether a line of the head starts with `field`, ignoring case.
    pub(crate) fn has(&self, field: &str) -> bool {
        let begins = |line: &str| {
            let line = line.to_ascii_lowercase();
            line.starts_with(field)
        };
        self.head.lines().any(begins)
    }

    pub(crate) fn respond(self, status: &str, fields: &str, body: &[u8]) {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n");
        self.raw(&[head.as_bytes(), body].concat());
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).unwrap();
    }
}

fn read(mut tcp: TcpStream, to: &Sender<ReceivedRequest>) {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                let body = bytes[end + 4..].to_vec();
                // The test may have ended.
                let _ = to.send(ReceivedRequest { head, body, tcp });
                return;
            }
        }
        match tcp.read(&mut piece) {
            Ok(length) if length > 0 => bytes.extend_from_slice(&piece[..length]),
            _ => return,
        }
    }
}
