//! Backends: one that speaks HTTP/2 and does as the path says, and one that speaks HTTP/1.1.

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

/// What a backend has seen. Each count is a number to be looked at, and orders nothing.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    /// Streams that the gateway reset, or connections over HTTP/1.1 that it closed.
    pub(crate) cancelled: AtomicUsize,
    /// Bytes of bodies that were sent, or at least taken by a window.
    pub(crate) sent_bytes: AtomicUsize,
    /// Lets requests go on that wait for it.
    pub(crate) go_on: Notify,
}

impl Seen {
    pub(crate) fn count(counter: &AtomicUsize) -> usize {
        counter.load(Ordering::Relaxed)
    }
}

/// A backend that speaks HTTP/2.
pub(crate) async fn over_stream() -> (SocketAddr, Arc<Seen>) {
    over_stream_with(server::Builder::new()).await
}

pub(crate) async fn over_stream_with(builder: server::Builder) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Seen::default());
    let known = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            known.connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve(tcp, builder.clone(), Arc::clone(&known)));
        }
    });
    (address, seen)
}

async fn serve(tcp: TcpStream, builder: server::Builder, seen: Arc<Seen>) {
    let Ok(mut connection) = builder.handshake::<_, Bytes>(tcp).await else {
        return;
    };
    while let Some(Ok((request, respond))) = connection.accept().await {
        seen.requests.fetch_add(1, Ordering::Relaxed);
        match request.uri().path() {
            "/goodbye" => connection.graceful_shutdown(),
            "/cut" => return,
            _ => {}
        }
        tokio::spawn(answer(request, respond, Arc::clone(&seen)));
    }
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>, seen: Arc<Seen>) {
    let (parts, body) = request.into_parts();
    match parts.uri.path() {
        "/wait" => {
            // Until it may go on, or the gateway gives up.
            tokio::select! {
                () = seen.go_on.notified() => {}
                _ = std::future::poll_fn(|cx| respond.poll_reset(cx)) => {
                    seen.cancelled.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
            let _ = respond.send_response(Response::new(()), true);
        }
        "/reset" => respond.send_reset(Reason::INTERNAL_ERROR),
        "/refuse" => respond.send_reset(Reason::REFUSED_STREAM),
        "/torn" => {
            let mut to = respond.send_response(Response::new(()), false).unwrap();
            to.send_data("half".into(), false).unwrap();
            seen.go_on.notified().await;
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
        "/large" => large(parts.uri.query(), respond, &seen).await,
        "/deaf" => {
            seen.go_on.notified().await;
            let (data, _) = read(body).await.unwrap();
            tell(&parts, data.len().to_string(), None, respond).await;
        }
        path if path.starts_with("/status/") => {
            let status: u16 = path.trim_start_matches("/status/").parse().unwrap();
            let head = Response::builder().status(status).body(()).unwrap();
            respond.send_response(head, true).unwrap();
        }
        _ => match read(body).await {
            Ok((data, trailers)) => tell(&parts, data, trailers, respond).await,
            Err(_) => drop(seen.cancelled.fetch_add(1, Ordering::Relaxed)),
        },
    }
}

/// So many bytes, as the windows allow.
async fn large(query: Option<&str>, mut respond: SendResponse<Bytes>, seen: &Seen) {
    let bytes: usize = query.unwrap().parse().unwrap();
    let mut to = respond.send_response(Response::new(()), false).unwrap();
    let piece = Bytes::from(vec![b'x'; 16 << 10]);
    let mut left = bytes;
    while left > 0 {
        let length = left.min(piece.len());
        if send(&mut to, piece.slice(..length)).await.is_err() {
            seen.cancelled.fetch_add(1, Ordering::Relaxed);
            return;
        }
        seen.sent_bytes.fetch_add(length, Ordering::Relaxed);
        left -= length;
    }
    to.send_data(Bytes::new(), true).unwrap();
}

/// Gives the body back, with what was asked in the fields, and the trailers if there were any.
async fn tell(
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

/// A backend that speaks HTTP/1.1: to each request, which must end with the text `end` or have no
/// body, it answers with `answer`, in which `{}` is what came.
pub(crate) async fn over_wire(answer: &'static str) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Seen::default());
    let known = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            known.connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve_wire(tcp, answer, Arc::clone(&known)));
        }
    });
    (address, seen)
}

async fn serve_wire(mut tcp: TcpStream, answer: &'static str, seen: Arc<Seen>) {
    let mut came = Vec::new();
    loop {
        let mut piece = vec![0; 64 << 10];
        let length = tcp.read(&mut piece).await.unwrap_or(0);
        if length == 0 {
            seen.cancelled.fetch_add(1, Ordering::Relaxed);
            return;
        }
        came.extend_from_slice(&piece[..length]);
        let Some(head) = came.windows(4).position(|it| it == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&came[..head]).to_ascii_lowercase();
        let is_whole = if text.contains("transfer-encoding: chunked") {
            came.windows(3).any(|it| it == b"\r\n0") && came.ends_with(b"\r\n\r\n")
        } else {
            let length = text.split("content-length: ").nth(1);
            let length = length.map_or(0, |it| it.lines().next().unwrap().parse().unwrap());
            came.len() >= head + 4 + length
        };
        if !is_whole {
            continue;
        }
        seen.requests.fetch_add(1, Ordering::Relaxed);
        let told = String::from_utf8_lossy(&came).replace("\r\n", "|");
        let body = format!("{:x}\r\n{told}\r\n", told.len());
        let answer = answer.replace("{}", &body);
        if tcp.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        came.clear();
    }
}
