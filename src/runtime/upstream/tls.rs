//! TLS with one backend, loaded for the first connection.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsStream;

use crate::engine::upstream::{Address, Upstream};
use crate::runtime::connection::Socket;
use crate::runtime::tls::{ClientTls, HandshakeError};
use crate::runtime::upstream::error::UpstreamError;

/// TLS with one backend.
#[derive(Debug)]
pub(crate) struct BackendTls {
    address: Address,
    upstream: Upstream,
    folder: Rc<Path>,
    loaded: RefCell<Option<Rc<ClientTls>>>,
    /// The last error that was logged.
    logged: RefCell<String>,
}

impl BackendTls {
    /// TLS by these settings, not loaded yet. `folder` is the base of relative file names.
    #[must_use]
    pub(crate) fn new(address: Address, upstream: Upstream, folder: Rc<Path>) -> Self {
        Self {
            address,
            upstream,
            folder,
            loaded: RefCell::default(),
            logged: RefCell::default(),
        }
    }

    /// Performs the handshake. After a failure the files are read again with the next connection,
    /// because they may have changed with the certificate of the backend. Clients get no names of
    /// files, so the error is logged, once while it stays the same.
    ///
    /// # Errors
    /// If a file cannot be used, or the handshake fails.
    pub(crate) async fn connect(&self, tcp: TcpStream) -> Result<Socket, UpstreamError> {
        let connected = match self.load().await {
            Ok(tls) => tls.connect(tcp).await,
            Err(failed) => Err(failed),
        };
        match connected {
            Ok(tls) => Ok(Socket::Tls(Box::new(TlsStream::Client(tls)))),
            Err(failed) => {
                *self.loaded.borrow_mut() = None;
                let mut logged = self.logged.borrow_mut();
                if *logged != failed.detail {
                    let address = &self.address;
                    tracing::warn!("the TLS handshake with {address} failed: {failed}");
                    logged.clone_from(&failed.detail);
                }
                Err(UpstreamError::TlsFailed(failed))
            }
        }
    }

    async fn load(&self) -> Result<Rc<ClientTls>, HandshakeError> {
        let loaded = self.loaded.borrow().clone();
        if let Some(loaded) = loaded {
            return Ok(loaded);
        }
        let (address, upstream) = (self.address.clone(), self.upstream.clone());
        let folder = self.folder.to_path_buf();
        let loading = spawn_blocking(move || ClientTls::load(&address, &upstream, &folder));
        let loaded = loading
            .await
            .map_err(|error| HandshakeError::setup(error.to_string()))??;
        let mut cached = self.loaded.borrow_mut();
        // If another connection has loaded it meanwhile, its sessions are resumed.
        Ok(Rc::clone(cached.get_or_insert_with(|| Rc::new(loaded))))
    }
}
