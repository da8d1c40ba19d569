//! Listeners: where connections come in, and what is done with them.

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
    /// Serves it in plain text.
    Plain,
    /// Serves it over TLS.
    Tls(TlsFiles),
    /// Answers each request with a redirect to https on this port of the same host.
    RedirectToHttps {
        /// The port; 443 is not written into the redirect.
        port: u16,
    },
}

/// The same, made ready; workers share it.
#[derive(Clone, Debug)]
pub(super) enum Service {
    Plain,
    Tls(Arc<ServerTls>),
    RedirectToHttps(u16),
}

impl Listener {
    /// An address that is served in plain text.
    #[must_use]
    pub const fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            service: ListenerService::Plain,
        }
    }

    /// What the configuration says of a listener that has this address; relative names of files
    /// start at `folder`.
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

    /// How one asks it.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        match &self.service {
            ListenerService::Plain | ListenerService::RedirectToHttps { .. } => "http",
            ListenerService::Tls(_) => "https",
        }
    }
}

/// A socket that others, in this process and the next, may share the port with. It takes no
/// connection before it [`listen`]s: one that did, of a process that then cannot start, would lose
/// those that came.
pub(in crate::frontend) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Those that are accepted inherit it: small answers shall not wait for acknowledgements.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Has connections come to a socket that is bound.
pub(in crate::frontend) fn listen(bound: &TcpListener) -> io::Result<()> {
    const BACKLOG: i32 = 4096;
    SockRef::from(bound).listen(BACKLOG)
}
