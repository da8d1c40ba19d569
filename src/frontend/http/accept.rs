//! Accepts client connections, and performs the TLS handshake where the listener has TLS.

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
use crate::engine::semantics::{Cause, RequestError};
use crate::frontend::http::listener::Service;
use crate::frontend::http::{http1, http2};
use crate::runtime::proxy::ExchangeContext;
use crate::runtime::tls::ServerTls;
use crate::runtime::{Http1Connection, OpenConnection, Socket, TICK, Worker, boxed};

/// The protocols that [`serve_by_alpn`] serves. No other is offered.
pub(super) const SERVED: &[Alpn] = &[Alpn::H2, Alpn::Http11];

/// Serves a TLS connection in the protocol that ALPN selected.
async fn serve_by_alpn(worker: Rc<Worker>, socket: Socket, peer: SocketAddr, open: OpenConnection) {
    if socket.alpn() == Some(b"h2") {
        boxed(|| http2::serve(worker, socket, peer, open, None)).await;
    } else {
        http1::serve(worker, socket, peer, open, None).await;
    }
}

/// Accepts connections until `stop` is set.
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
            // For example without file descriptors: other connections will close some.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    // Closing the listener resets connections in its queue. So the kernel first stops to queue new ones,
    // and then the loop serves the rest, which the runtime may not have reported yet.
    if stop_queueing(&listener).is_ok() {
        tokio::time::sleep(TICK).await;
    }
    while let Ok((tcp, peer)) = accept_now(&listener) {
        serve(&worker, tcp, peer, &service);
    }
}

/// Makes the kernel drop each SYN for this listener. The client sends it again after a second, and it
/// then reaches another listener of the port, such as that of the next process.
#[cfg(target_os = "linux")]
fn stop_queueing(listener: &TcpListener) -> io::Result<()> {
    /// Loads the flags of the TCP header, drops what has SYN, and admits the rest.
    const NO_SYN: [socket2::SockFilter; 4] = [
        socket2::SockFilter::new(0x30, 0, 0, 13),
        socket2::SockFilter::new(0x45, 0, 1, 0x02),
        socket2::SockFilter::new(0x06, 0, 0, 0),
        socket2::SockFilter::new(0x06, 0, 0, u32::MAX),
    ];
    socket2::SockRef::from(listener).attach_filter(&NO_SYN)
}

/// Other systems have no socket filters.
#[cfg(not(target_os = "linux"))]
fn stop_queueing(_: &TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A connection from the queue of a listener.
fn accept_now(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = socket2::SockRef::from(listener).accept()?;
    socket.set_nonblocking(true)?;
    let peer = peer.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    Ok((TcpStream::from_std(socket.into())?, peer))
}

fn serve(worker: &Rc<Worker>, tcp: TcpStream, peer: SocketAddr, service: &Service) {
    let (worker, open) = (Rc::clone(worker), worker.open());
    match service {
        Service::Plain => {
            let socket = Socket::Plain(tcp);
            spawn_local(http1::serve(worker, socket, peer, open, None));
        }
        Service::RedirectToHttps(port) => {
            let socket = Socket::Plain(tcp);
            spawn_local(http1::serve(worker, socket, peer, open, Some(*port)));
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
    open: OpenConnection,
    tls: Arc<ServerTls>,
) {
    let deadline = worker.deadlines.register();
    deadline.set(deadline.after(Some(worker.settings.header_timeout)));
    // Boxed, because a handshake needs far more space than what follows.
    let accepted = deadline.within(boxed(|| handshake(tls, tcp))).await;
    deadline.clear();
    match accepted {
        Some(Ok(socket)) => {
            drop(deadline);
            worker.counters.handshakes.add(1);
            serve_by_alpn(worker, socket, peer, open).await;
        }
        Some(Err(failed)) => {
            worker.counters.failed_handshakes.add(1);
            let context = ExchangeContext {
                worker: &worker,
                deadline: &deadline,
                peer: peer.ip(),
                is_tls: false,
                https_port: None,
            };
            end(&context, failed).await;
            drop(open);
        }
        None => {
            worker.counters.failed_handshakes.add(1);
            drop(open);
        }
    }
}

/// A client whose handshake failed.
enum Failed {
    /// It sent HTTP in plain text.
    Plain(TcpStream),
    /// It was sent a TLS alert.
    Alerted(TcpStream),
}

async fn handshake(tls: Arc<ServerTls>, tcp: TcpStream) -> Result<Socket, Failed> {
    let mut first = [0];
    // A method starts with a capital letter, and no TLS record does.
    if tcp.peek(&mut first).await.is_ok() && first.first().is_some_and(u8::is_ascii_uppercase) {
        return Err(Failed::Plain(tcp));
    }
    let config: Arc<ServerConfig> = tls.config();
    let accepting = TlsAcceptor::from(config).accept(tcp).into_fallible();
    match accepting.await {
        Ok(tls) => Ok(Socket::Tls(Box::new(TlsStream::Server(tls)))),
        Err((_, tcp)) => Err(Failed::Alerted(tcp)),
    }
}

/// Closes the connection so that the client gets the reason.
async fn end(context: &ExchangeContext<'_>, failed: Failed) {
    let connection = match failed {
        Failed::Alerted(tcp) => Http1Connection::new(Socket::Plain(tcp)),
        Failed::Plain(tcp) => {
            let mut connection = Http1Connection::new(Socket::Plain(tcp));
            let cause = Cause::from(RequestError::PlainHttp);
            http1::reject_unreadable(context, &mut connection, cause).await;
            connection.release_buffers(&context.worker.buffers);
            connection
        }
    };
    http1::linger(context.worker, context.deadline, connection).await;
}
