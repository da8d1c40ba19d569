//! Listeners: addresses that accept connections, and what they do with them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::config::serve;
use crate::runtime::tls::{ServerTls, TlsFiles};

/// An address that accepts connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address.
    pub address: SocketAddr,
    /// What it does with a connection.
    pub service: ListenerService,
}

/// What a listener does with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerService {
    /// Serves it without TLS.
    Plain,
    /// Serves it over TLS.
    Tls(TlsFiles),
    /// Redirects each request to https on the same host.
    RedirectToHttps {
        /// The port of the redirect; 443 is left out of the URL.
        port: u16,
    },
}

/// A [`ListenerService`] with its certificates loaded; workers share it.
#[derive(Clone, Debug)]
pub(super) enum Service {
    Plain,
    Tls(Arc<ServerTls>),
    RedirectToHttps(u16),
}

impl Listener {
    /// A listener without TLS.
    #[must_use]
    pub const fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            service: ListenerService::Plain,
        }
    }

    /// A listener of the configuration at this address. `folder` is the base of relative file names.
    #[must_use]
    pub fn of(address: SocketAddr, service: &serve::ListenerService, folder: &Path) -> Self {
        let service = match service {
            serve::ListenerService::Plain => ListenerService::Plain,
            serve::ListenerService::Tls(tls) => ListenerService::Tls(TlsFiles::of(tls, folder)),
            serve::ListenerService::RedirectToHttps { port } => {
                ListenerService::RedirectToHttps { port: *port }
            }
        };
        Self { address, service }
    }

    /// The URL scheme.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        match &self.service {
            ListenerService::Plain | ListenerService::RedirectToHttps { .. } => "http",
            ListenerService::Tls(_) => "https",
        }
    }
}

/// Binds a socket that shares its port with others, of this process and the next. It accepts nothing
/// until [`listen`]: a process that fails to start must not lose connections.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Accepted sockets inherit it: small responses must not wait for acknowledgements.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Starts to accept connections on a bound socket.
pub(crate) fn listen(bound: &TcpListener) -> io::Result<()> {
    const BACKLOG: i32 = 4096;
    SockRef::from(bound).listen(BACKLOG)
}
