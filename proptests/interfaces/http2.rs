//! The HTTP/2 interface: the `h2` crate, by prior knowledge, on a connection of its own.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{self, ResponseFuture};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use tokio::net::TcpStream;

use crate::message::{Message, TEST_TIMEOUT};
use crate::request::ClientRequest;

/// Sends a request, and returns the response as HTTP/1.1 would write it. `None` if HTTP/2 cannot
/// express the request.
pub(crate) fn exchange(gateway: SocketAddr, request: &ClientRequest) -> Option<Message> {
    let head = head(request)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let body = request.body.clone().map(Bytes::from);
    let response = runtime.block_on(async {
        let patience: Duration = TEST_TIMEOUT;
        tokio::time::timeout(patience, send(gateway, head, body)).await
    });
    Some(
        response
            .expect("a response in time")
            .unwrap_or_else(|error| Message {
                // No interface may respond like this; it differs from every response.
                start: format!("HTTP/2 0 {error}"),
                ..Message::default()
            }),
    )
}

async fn send(
    gateway: SocketAddr,
    head: Request<()>,
    body: Option<Bytes>,
) -> Result<Message, h2::Error> {
    let tcp = TcpStream::connect(gateway).await.unwrap();
    let (requests, connection) = client::handshake(tcp).await?;
    let driver = tokio::spawn(connection);
    let mut requests = requests.ready().await?;
    let (response, mut stream) = requests.send_request(head, body.is_none())?;
    if let Some(body) = body {
        // It fails where the gateway has responded already and wants no more.
        let _ = stream.send_data(body, true);
    }
    let message = receive(response).await;
    driver.abort();
    message
}

async fn receive(response: ResponseFuture) -> Result<Message, h2::Error> {
    let (parts, mut stream) = response.await?.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        body.extend_from_slice(&data);
        let _ = stream.flow_control().release_capacity(data.len());
    }
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let fields = parts.headers.iter();
    Ok(Message {
        start: format!("HTTP/2 {}", parts.status.as_u16()),
        fields: fields
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body,
        trailers: Vec::new(),
    })
}

/// The head of the request; `None` if HTTP/2 or the `h2` crate cannot express it.
fn head(request: &ClientRequest) -> Option<Request<()>> {
    // `Host` is omitted beside an absolute form, and so cannot be invalid.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    if request.absolute.is_some() && !request.host.bytes().all(is_plain) {
        return None;
    }
    // `:authority` is never empty (RFC 9113, section 8.3.1), and the crate wants a valid one.
    let authority: Authority = request.authority().parse().ok()?;
    let scheme = request
        .absolute
        .as_ref()
        .map_or("http", |(scheme, _)| scheme);
    let target = match &*request.target {
        // RFC 9113, section 8.3.1.
        "" if request.method == "OPTIONS" => "*".to_owned(),
        target if request.absolute.is_some() && !target.starts_with('/') => format!("/{target}"),
        target => target.to_owned(),
    };
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query(target.parse::<PathAndQuery>().ok()?)
        .build()
        .ok()?;
    let mut head = Request::new(());
    *head.method_mut() = Method::from_bytes(request.method.as_bytes()).ok()?;
    *head.uri_mut() = uri;
    *head.version_mut() = Version::HTTP_2;
    *head.headers_mut() = fields(request);
    Some(head)
}

/// The fields without `Host`, which `:authority` replaces.
fn fields(request: &ClientRequest) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in &request.fields {
        if !request.is_of_connection(name) {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            // White space around a value is malformed (RFC 9113, section 8.2.1), and no part of
            // it in HTTP/1.1 (RFC 9110, section 5.5).
            let value = value.trim_matches([' ', '\t']);
            fields.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
    }
    if let Some(body) = request.body.as_ref().filter(|_| !request.is_chunked) {
        fields.insert("content-length", body.len().into());
    }
    fields
}
