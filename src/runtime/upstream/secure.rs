//! What a worker knows about TLS with one backend: made for the first connection, and kept.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsStream;

use crate::engine::policy::Upstream;
use crate::engine::upstream::backend::Address;
use crate::runtime::connection::Socket;
use crate::runtime::tls::client::ClientTls;
use crate::runtime::tls::reasons::Failed;
use crate::runtime::upstream::error::UpstreamError;

/// TLS with one backend.
#[derive(Debug)]
pub(crate) struct Secure {
    address: Address,
    upstream: Upstream,
    folder: Rc<Path>,
    ready: RefCell<Option<Rc<ClientTls>>>,
    /// What went wrong last, and has been told.
    told: RefCell<String>,
}

impl Secure {
    /// TLS as it is asked for, not yet made ready; relative names of files start at `folder`.
    #[must_use]
    pub(crate) fn new(address: Address, upstream: Upstream, folder: Rc<Path>) -> Self {
        Self {
            address,
            upstream,
            folder,
            ready: RefCell::default(),
            told: RefCell::default(),
        }
    }

    /// Shakes hands. After a failure the files are read again: they may have changed with the
    /// backend's certificate. Clients are told no names or files, so all of it is said on standard
    /// error, once as long as it is the same.
    ///
    /// # Errors
    /// If a file cannot be used, or the backend is not who it should be.
    pub(crate) async fn connect(&self, tcp: TcpStream) -> Result<Socket, UpstreamError> {
        let shaken = match self.ready().await {
            Ok(ready) => ready.connect(tcp).await,
            Err(failed) => Err(failed),
        };
        match shaken {
            Ok(tls) => Ok(Socket::Tls(Box::new(TlsStream::Client(tls)))),
            Err(failed) => {
                *self.ready.borrow_mut() = None;
                let mut told = self.told.borrow_mut();
                if *told != failed.words {
                    eprintln!("tollgate: no TLS with {}: {failed}", self.address);
                    told.clone_from(&failed.words);
                }
                Err(UpstreamError::TlsFailed(failed))
            }
        }
    }

    async fn ready(&self) -> Result<Rc<ClientTls>, Failed> {
        let known = self.ready.borrow().clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let (address, upstream) = (self.address.clone(), self.upstream.clone());
        let folder = self.folder.to_path_buf();
        let loading = spawn_blocking(move || ClientTls::load(&address, &upstream, &folder));
        let loaded = loading
            .await
            .map_err(|error| Failed::setup(error.to_string()))??;
        let mut ready = self.ready.borrow_mut();
        // Another connection may have been quicker: its sessions are those to resume.
        Ok(Rc::clone(ready.get_or_insert_with(|| Rc::new(loaded))))
    }
}
