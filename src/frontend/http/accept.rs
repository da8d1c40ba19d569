//! Accepts connections: plain ones are served at once, those over TLS after the handshake.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::spawn_local;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::config::serve::Alpn;
use crate::engine::semantics::error::{Cause, RequestError};
use crate::frontend::http::connection;
use crate::frontend::http::http2;
use crate::frontend::http::listener::Service;
use crate::frontend::http::own::send_cause;
use crate::runtime::boxed::boxed;
use crate::runtime::connection::Http1Connection;
use crate::runtime::connection::Socket;
use crate::runtime::deadline::{Deadline, TICK};
use crate::runtime::tls::server::ServerTls;
use crate::runtime::worker::{Open, Worker};

/// The protocols that [`serve_by_alpn`] serves; no other is offered.
pub(super) const SERVED: &[Alpn] = &[Alpn::H2, Alpn::Http11];

/// Serves a connection over TLS in the protocol that was agreed on.
async fn serve_by_alpn(worker: Rc<Worker>, stream: Socket, peer: SocketAddr, open: Open) {
    if stream.alpn() == Some(b"h2") {
        boxed(|| http2::serve(worker, stream, peer, open, None)).await;
    } else {
        connection::serve(worker, stream, peer, open, None).await;
    }
}

/// Accepts connections until it is told to stop.
pub(super) async fn accept(
    worker: Rc<Worker>,
    listener: TcpListener,
    service: Service,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = async { worker.room().await; listener.accept().await } => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                serve(&worker, tcp, peer, &service);
            }
            // Out of descriptors, say: others will close some.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    // With the listener goes whoever waits at it, and whose handshake is not over: so others are
    // turned away first, and who is left is served, of whom the runtime may not have heard yet.
    if turn_away(&listener).is_ok() {
        tokio::time::sleep(TICK).await;
    }
    while let Ok((tcp, peer)) = accept_at_once(&listener) {
        serve(&worker, tcp, peer, &service);
    }
}

/// Has the kernel drop each SYN that would come to this listener. Its client sends it again after a
/// second, and then to a listener that is there: that of the next process, if there is one.
#[cfg(target_os = "linux")]
fn turn_away(listener: &TcpListener) -> io::Result<()> {
    /// Reads the flags of the TCP header, lets nothing through that has SYN, and all else.
    const NO_SYN: [socket2::SockFilter; 4] = [
        socket2::SockFilter::new(0x30, 0, 0, 13),
        socket2::SockFilter::new(0x45, 0, 1, 0x02),
        socket2::SockFilter::new(0x06, 0, 0, 0),
        socket2::SockFilter::new(0x06, 0, 0, u32::MAX),
    ];
    socket2::SockRef::from(listener).attach_filter(&NO_SYN)
}

/// Other systems have no such means.
#[cfg(not(target_os = "linux"))]
fn turn_away(_: &TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A connection that waits at a listener, as the kernel knows.
fn accept_at_once(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = socket2::SockRef::from(listener).accept()?;
    socket.set_nonblocking(true)?;
    let peer = peer.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    Ok((TcpStream::from_std(socket.into())?, peer))
}

fn serve(worker: &Rc<Worker>, tcp: TcpStream, peer: SocketAddr, service: &Service) {
    let (worker, open) = (Rc::clone(worker), worker.open());
    match service {
        Service::Plain => {
            let stream = Socket::Plain(tcp);
            spawn_local(connection::serve(worker, stream, peer, open, None));
        }
        Service::RedirectToHttps(port) => {
            let stream = Socket::Plain(tcp);
            spawn_local(connection::serve(worker, stream, peer, open, Some(*port)));
        }
        Service::Tls(tls) => {
            spawn_local(serve_tls(worker, tcp, peer, open, Arc::clone(tls)));
        }
    }
}

async fn serve_tls(
    worker: Rc<Worker>,
    tcp: TcpStream,
    peer: SocketAddr,
    open: Open,
    tls: Arc<ServerTls>,
) {
    let deadline = worker.deadlines.register();
    deadline.set(deadline.after(Some(worker.settings.header_timeout)));
    // Boxed, for a handshake needs far more room than what comes after it.
    let shaken = deadline.within(boxed(|| shake(tls, tcp))).await;
    deadline.clear();
    match shaken {
        Some(Ok(stream)) => {
            drop(deadline);
            worker.counters.handshakes.add(1);
            serve_by_alpn(worker, stream, peer, open).await;
        }
        Some(Err(failed)) => {
            worker.counters.failed_handshakes.add(1);
            end(&worker, &deadline, failed).await;
            drop(open);
        }
        None => {
            worker.counters.failed_handshakes.add(1);
            drop(open);
        }
    }
}

/// A client with whom TLS was not agreed upon.
enum Failed {
    /// It speaks HTTP in plain text.
    Plain(TcpStream),
    /// It has been told why, if it still listens.
    Told(TcpStream),
}

async fn shake(tls: Arc<ServerTls>, tcp: TcpStream) -> Result<Socket, Failed> {
    let mut first = [0];
    // A method begins with a capital letter, and nothing in TLS does.
    if tcp.peek(&mut first).await.is_ok() && first.first().is_some_and(u8::is_ascii_uppercase) {
        return Err(Failed::Plain(tcp));
    }
    let config: Arc<ServerConfig> = tls.config();
    let accepting = TlsAcceptor::from(config).accept(tcp).into_fallible();
    match accepting.await {
        Ok(tls) => Ok(Socket::Tls(Box::new(TlsStream::Server(tls)))),
        Err((_, tcp)) => Err(Failed::Told(tcp)),
    }
}

/// Closes so that the client gets what it was told.
async fn end(worker: &Worker, deadline: &Deadline, failed: Failed) {
    let connection = match failed {
        Failed::Told(tcp) => Http1Connection::new(Socket::Plain(tcp)),
        Failed::Plain(tcp) => {
            let mut connection = Http1Connection::new(Socket::Plain(tcp));
            let cause = Cause::from(RequestError::PlainHttp);
            send_cause(worker, deadline, &mut connection, &cause).await;
            connection.release_buffers(&worker.buffers);
            connection
        }
    };
    connection::linger(worker, deadline, connection).await;
}
