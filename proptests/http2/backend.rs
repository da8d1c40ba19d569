//! Backends: one over HTTP/2 whose behaviour depends on the path, and one over HTTP/1.1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::client::{read, send};

/// The counters of a backend. They are independent numbers and order nothing.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    /// Streams that the gateway reset, or HTTP/1.1 connections that it closed.
    pub(crate) cancelled: AtomicUsize,
    /// Bytes of bodies that were sent or that fit into the windows.
    pub(crate) sent_bytes: AtomicUsize,
    /// Releases waiting requests.
    pub(crate) release: Notify,
}

impl Counters {
    pub(crate) fn count(counter: &AtomicUsize) -> usize {
        counter.load(Ordering::Relaxed)
    }
}

/// Starts a backend over HTTP/2.
pub(crate) async fn over_http2() -> (SocketAddr, Arc<Counters>) {
    over_http2_with(server::Builder::new()).await
}

pub(crate) async fn over_http2_with(builder: server::Builder) -> (SocketAddr, Arc<Counters>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counters = Arc::new(Counters::default());
    let shared = Arc::clone(&counters);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve(tcp, builder.clone(), Arc::clone(&shared)));
        }
    });
    (address, counters)
}

async fn serve(tcp: TcpStream, builder: server::Builder, counters: Arc<Counters>) {
    let Ok(mut connection) = builder.handshake::<_, Bytes>(tcp).await else {
        return;
    };
    while let Some(Ok((request, respond))) = connection.accept().await {
        counters.requests.fetch_add(1, Ordering::Relaxed);
        match request.uri().path() {
            "/goaway" => connection.graceful_shutdown(),
            "/cut" => return,
            _ => {}
        }
        tokio::spawn(respond_to(request, respond, Arc::clone(&counters)));
    }
}

async fn respond_to(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    counters: Arc<Counters>,
) {
    let (parts, body) = request.into_parts();
    match parts.uri.path() {
        "/wait" => {
            // Until the test releases it, or the gateway resets the stream.
            tokio::select! {
                () = counters.release.notified() => {}
                _ = std::future::poll_fn(|cx| respond.poll_reset(cx)) => {
                    counters.cancelled.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
            let _ = respond.send_response(Response::new(()), true);
        }
        "/reset" => respond.send_reset(Reason::INTERNAL_ERROR),
        "/refuse" => respond.send_reset(Reason::REFUSED_STREAM),
        "/incomplete" => {
            let mut to = respond.send_response(Response::new(()), false).unwrap();
            to.send_data("half".into(), false).unwrap();
            counters.release.notified().await;
            to.send_reset(Reason::ENHANCE_YOUR_CALM);
        }
        "/only-trailers" => {
            let head = Response::builder()
                .header("content-type", "application/grpc")
                .header("grpc-status", "12");
            respond.send_response(head.body(()).unwrap(), true).unwrap();
        }
        "/too-much" => {
            let head = Response::builder().status(204).body(()).unwrap();
            let mut to = respond.send_response(head, false).unwrap();
            let _ = to.send_data("HTTP/1.1 200 OK\r\n\r\n".into(), true);
        }
        "/hints" => {
            let hints = Response::builder().status(103).header("link", "</a>");
            respond.send_informational(hints.body(()).unwrap()).unwrap();
            respond.send_response(Response::new(()), true).unwrap();
        }
        "/large" => large(parts.uri.query(), respond, &counters).await,
        "/deaf" => {
            counters.release.notified().await;
            let (data, _) = read(body).await.unwrap();
            echo(&parts, data.len().to_string(), None, respond).await;
        }
        path if path.starts_with("/status/") => {
            let status: u16 = path.trim_start_matches("/status/").parse().unwrap();
            let head = Response::builder().status(status).body(()).unwrap();
            respond.send_response(head, true).unwrap();
        }
        _ => match read(body).await {
            Ok((data, trailers)) => echo(&parts, data, trailers, respond).await,
            Err(_) => drop(counters.cancelled.fetch_add(1, Ordering::Relaxed)),
        },
    }
}

/// Sends a body of as many bytes as the query states.
async fn large(query: Option<&str>, mut respond: SendResponse<Bytes>, counters: &Counters) {
    let bytes: usize = query.unwrap().parse().unwrap();
    let mut to = respond.send_response(Response::new(()), false).unwrap();
    let piece = Bytes::from(vec![b'x'; 16 << 10]);
    let mut left = bytes;
    while left > 0 {
        let length = left.min(piece.len());
        if send(&mut to, piece.slice(..length)).await.is_err() {
            counters.cancelled.fetch_add(1, Ordering::Relaxed);
            return;
        }
        counters.sent_bytes.fetch_add(length, Ordering::Relaxed);
        left -= length;
    }
    to.send_data(Bytes::new(), true).unwrap();
}

/// Echoes the body and the trailers; request line, authority and fields go into response fields.
async fn echo(
    parts: &http::request::Parts,
    body: impl Into<Bytes>,
    trailers: Option<HeaderMap>,
    mut respond: SendResponse<Bytes>,
) {
    let mut head = Response::new(());
    let fields = head.headers_mut();
    for (name, value) in &parts.headers {
        let name = format!("got-{name}");
        let name = http::HeaderName::try_from(name).unwrap();
        fields.append(name, value.clone());
    }
    let value = |text: &str| HeaderValue::try_from(text).unwrap();
    let line = format!("{} {}", parts.method, parts.uri.path_and_query().unwrap());
    fields.insert("line", value(&line));
    fields.insert("authority", value(parts.uri.authority().unwrap().as_str()));
    let Ok(mut to) = respond.send_response(head, false) else {
        return;
    };
    let _ = send(&mut to, body.into()).await;
    let _ = match trailers {
        Some(trailers) => to.send_trailers(trailers),
        None => to.send_data(Bytes::new(), true),
    };
}

/// Starts a backend over HTTP/1.1. It responds with `response`, in which a chunk with the request, its
/// line ends shown as `|`, replaces `{}`.
pub(crate) async fn over_http1(response: &'static str) -> (SocketAddr, Arc<Counters>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counters = Arc::new(Counters::default());
    let shared = Arc::clone(&counters);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve_http1(tcp, response, Arc::clone(&shared)));
        }
    });
    (address, counters)
}

async fn serve_http1(mut tcp: TcpStream, response: &'static str, counters: Arc<Counters>) {
    let mut received = Vec::new();
    loop {
        let mut piece = vec![0; 64 << 10];
        let length = tcp.read(&mut piece).await.unwrap_or(0);
        if length == 0 {
            counters.cancelled.fetch_add(1, Ordering::Relaxed);
            return;
        }
        received.extend_from_slice(&piece[..length]);
        let Some(head) = received.windows(4).position(|it| it == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&received[..head]).to_ascii_lowercase();
        let is_whole = if text.contains("transfer-encoding: chunked") {
            received.windows(3).any(|it| it == b"\r\n0") && received.ends_with(b"\r\n\r\n")
        } else {
            let length = text.split("content-length: ").nth(1);
            let length = length.map_or(0, |it| it.lines().next().unwrap().parse().unwrap());
            received.len() >= head + 4 + length
        };
        if !is_whole {
            continue;
        }
        counters.requests.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(&received).replace("\r\n", "|");
        let body = format!("{:x}\r\n{text}\r\n", text.len());
        let response = response.replace("{}", &body);
        if tcp.write_all(response.as_bytes()).await.is_err() {
            return;
        }
        received.clear();
    }
}
