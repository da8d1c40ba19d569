//! The HTTP/1.1 interface: raw bytes on a connection of their own.

use std::net::{SocketAddr, TcpStream};

use crate::message::{Connection, Message};
use crate::request::ClientRequest;

/// Sends a request, and returns the response.
pub(crate) fn exchange(gateway: SocketAddr, request: &ClientRequest) -> Message {
    let mut connection = Connection::new(TcpStream::connect(gateway).unwrap());
    connection.send(bytes(request)).unwrap();
    let head = connection.head().expect("a whole head");
    let mut response = head.expect("a response");
    connection
        .response_body(&mut response, &request.method)
        .unwrap();
    response
}

fn bytes(request: &ClientRequest) -> String {
    let (method, target) = (&request.method, request.written_target());
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", request.host);
    for (name, value) in &request.fields {
        bytes += &format!("{name}: {value}\r\n");
    }
    match &request.body {
        Some(body) if request.is_chunked && body.is_empty() => {
            bytes += "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        }
        Some(body) if request.is_chunked => {
            let length = body.len();
            bytes +=
                &format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n");
        }
        Some(body) => bytes += &format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        None => bytes += "\r\n",
    }
    bytes
}
