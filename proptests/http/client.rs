//! A client that sends exactly the given bytes.

use std::io;
use std::net::{SocketAddr, TcpStream};

use crate::message::{Connection, Message};

pub(crate) struct Client {
    pub(crate) connection: Connection,
}

impl Client {
    pub(crate) fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).expect("the gateway accepts connections");
        Self {
            connection: Connection::new(stream),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.connection.send(bytes).expect("the gateway reads on");
    }

    /// The next response, interim or final.
    pub(crate) fn response(&mut self) -> Message {
        self.response_to("GET").expect("a whole response")
    }

    /// The next response to a request with this method; an error if it is incomplete.
    pub(crate) fn response_to(&mut self, method: &str) -> io::Result<Message> {
        let head = self.connection.head()?;
        let mut message = head.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.connection.response_body(&mut message, method)?;
        Ok(message)
    }

    /// Sends a request and reads the response.
    pub(crate) fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Message {
        self.send(bytes);
        self.response()
    }

    pub(crate) fn get(&mut self, target: &str) -> Message {
        self.ask(get(target))
    }

    pub(crate) fn post(&mut self, target: &str, body: &str) -> Message {
        self.ask(post(target, body))
    }

    /// Whether another request on the same connection gets a response.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.connection.send(get("/alive")).is_ok() && self.response_to("GET").is_ok()
    }

    /// Expects the gateway to close the connection without sending anything more.
    pub(crate) fn expect_closed(&mut self) {
        let rest = self.connection.rest();
        assert_eq!(String::from_utf8_lossy(&rest), "", "no more bytes arrive");
    }
}

pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n")
}

pub(crate) fn post(target: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {target} HTTP/1.1\r\nHost: a.test\r\nContent-Length: {length}\r\n\r\n{body}")
}
