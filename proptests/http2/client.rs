//! A client over HTTP/2.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::net::TcpStream;

use crate::rig::within;

/// A connection to the gateway.
pub(crate) struct Client {
    pub(crate) requests: SendRequest<Bytes>,
    /// Completes when the connection closes.
    pub(crate) driver: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) head: Response<()>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Client {
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        let tcp = TcpStream::connect(to).await.unwrap();
        let mut builder = client::Builder::new();
        builder
            .initial_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .enable_push(false);
        let (requests, connection) = within(builder.handshake(tcp)).await.unwrap();
        Self {
            requests,
            driver: tokio::spawn(connection),
        }
    }

    /// Starts a request.
    pub(crate) async fn begin(
        &mut self,
        request: Request<()>,
        is_whole: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let mut ready = within(self.requests.clone().ready()).await.unwrap();
        ready.send_request(request, is_whole).unwrap()
    }

    /// Sends a request without a body and returns the complete response.
    pub(crate) async fn get(&mut self, path: &str) -> Whole {
        let (response, _) = self.begin(request("GET", path), true).await;
        whole(response).await.unwrap()
    }
}

impl Whole {
    pub(crate) fn status(&self) -> StatusCode {
        self.head.status()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.headers().get(name).map(|it| it.to_str().unwrap())
    }
}

pub(crate) fn request(method: &str, path: &str) -> Request<()> {
    Request::builder()
        .method(method)
        .uri(format!("http://a.test{path}"))
        .body(())
        .unwrap()
}

/// Waits for the complete response.
pub(crate) async fn whole(response: ResponseFuture) -> Result<Whole, h2::Error> {
    let (parts, body) = within(response).await?.into_parts();
    let (body, trailers) = read(body).await?;
    Ok(Whole {
        head: Response::from_parts(parts, ()),
        body,
        trailers,
    })
}

/// Reads a whole body and its trailers.
pub(crate) async fn read(mut body: RecvStream) -> Result<(Vec<u8>, Option<HeaderMap>), h2::Error> {
    let mut data = Vec::new();
    while let Some(piece) = within(body.data()).await {
        let piece = piece?;
        data.extend_from_slice(&piece);
        let _ = body.flow_control().release_capacity(piece.len());
    }
    let trailers = within(body.trailers()).await?;
    Ok((data, trailers))
}

/// Sends data as fast as the windows allow.
pub(crate) async fn send(to: &mut SendStream<Bytes>, mut data: Bytes) -> Result<(), h2::Error> {
    while !data.is_empty() {
        to.reserve_capacity(data.len());
        if to.capacity() == 0 {
            let grown = within(std::future::poll_fn(|cx| to.poll_capacity(cx))).await;
            match grown {
                Some(room) => room?,
                None => return Err(h2::Reason::CANCEL.into()),
            };
        }
        let length = to.capacity().min(data.len());
        to.send_data(data.split_to(length), false)?;
    }
    Ok(())
}
