//! Backends that record each request before they respond to it.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};

use crate::message::{Connection, Message};

/// A request as a backend received it.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The cluster of the backend.
    pub(crate) cluster: Arc<str>,
    pub(crate) message: Message,
}

/// All backends of a test, with what they received.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    received: Arc<Mutex<Vec<Received>>>,
}

/// The response of every backend: fields that the gateway forwards, changes or removes.
const RESPONSE: &str = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
    Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nServer: backend\r\nX-Set: old\r\nX-Add: 1\r\n\
    Vary: Accept-Encoding\r\nAccess-Control-Allow-Origin: https://backend.test\r\n\
    Content-Type: text/plain\r\nContent-Length: 8\r\n\r\n";

/// The body of that response.
pub(crate) const BODY: &str = "recorded";

impl Recorder {
    /// Starts a backend of a cluster; returns its address.
    pub(crate) fn backend(&self, cluster: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let received = Arc::clone(&self.received);
        let cluster: Arc<str> = cluster.into();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (received, cluster) = (Arc::clone(&received), Arc::clone(&cluster));
                thread::spawn(move || serve(Connection::new(stream), &cluster, &received));
            }
        });
        address
    }

    /// Starts a backend of a cluster that speaks HTTP/2; returns its address.
    pub(crate) fn backend_of_http2(&self, cluster: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        listener.set_nonblocking(true).unwrap();
        let received = Arc::clone(&self.received);
        let cluster: Arc<str> = cluster.into();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve_http2(
                        stream,
                        Arc::clone(&cluster),
                        Arc::clone(&received),
                    ));
                }
            });
        });
        address
    }

    /// Takes what was received since the last call.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().unwrap())
    }
}

fn serve(mut connection: Connection, cluster: &Arc<str>, received: &Mutex<Vec<Received>>) {
    while let Ok(Some(mut message)) = connection.head() {
        if connection.request_body(&mut message).is_err() {
            return;
        }
        let body = if message.method() == "HEAD" { "" } else { BODY };
        // Recorded first: a test that has the response finds the request here.
        let cluster = Arc::clone(cluster);
        received.lock().unwrap().push(Received { cluster, message });
        if connection.send([RESPONSE, body].concat()).is_err() {
            return;
        }
    }
}

async fn serve_http2(
    stream: tokio::net::TcpStream,
    cluster: Arc<str>,
    received: Arc<Mutex<Vec<Received>>>,
) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let (cluster, received) = (Arc::clone(&cluster), Arc::clone(&received));
        // The connection must be polled meanwhile, because the body arrives over it.
        tokio::spawn(async move {
            let is_head = request.method() == http::Method::HEAD;
            let Some(message) = message_of(request).await else {
                return;
            };
            received.lock().unwrap().push(Received { cluster, message });
            let Ok(mut stream) = respond.send_response(response(), is_head) else {
                return;
            };
            if !is_head {
                let _ = stream.send_data(Bytes::from(BODY), true);
            }
        });
    }
}

/// A request over HTTP/2 as HTTP/1.1 would write it; `None` if it breaks off.
async fn message_of(request: Request<h2::RecvStream>) -> Option<Message> {
    let (parts, mut stream) = request.into_parts();
    let mut message = Message::default();
    while let Some(data) = stream.data().await {
        let data = data.ok()?;
        message.body.extend_from_slice(&data);
        let _ = stream.flow_control().release_capacity(data.len());
    }
    let target = parts.uri.path_and_query()?;
    message.start = format!("{} {target} HTTP/2", parts.method);
    let host = parts.uri.authority()?.to_string();
    message.fields.push(("host".to_owned(), host));
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        message.fields.push((name.to_string(), value));
    }
    Some(message)
}

/// [`RESPONSE`] without the fields of a connection.
fn response() -> Response<()> {
    let mut response = Response::new(());
    for line in RESPONSE.lines().skip(1) {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        if !["Connection", "X-Hop", "Keep-Alive"].contains(&name) {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let value = HeaderValue::from_str(value).unwrap();
            response.headers_mut().append(name, value);
        }
    }
    response
}
