//! What a worker knows about TLS with one backend: made for the first connection, and kept.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsStream;

use crate::engine::backend::Address;
use crate::engine::policy::Upstream;
use crate::runtime::stream::Stream;
use crate::runtime::tls::client::ClientTls;
use crate::runtime::upstream::fault::UpstreamFault;

/// TLS with one backend.
#[derive(Debug)]
pub struct Secure {
    address: Address,
    upstream: Upstream,
    folder: Rc<Path>,
    ready: RefCell<Option<Rc<ClientTls>>>,
}

impl Secure {
    /// TLS as it is asked for, not yet made ready; relative names of files start at `folder`.
    #[must_use]
    pub fn new(address: Address, upstream: Upstream, folder: Rc<Path>) -> Self {
        Self {
            address,
            upstream,
            folder,
            ready: RefCell::default(),
        }
    }

    /// Shakes hands. After a failure the files are read again: they may have changed with the
    /// backend's certificate.
    ///
    /// # Errors
    /// If a file cannot be used, or the backend is not who it should be.
    pub async fn connect(&self, tcp: TcpStream) -> Result<Stream, UpstreamFault> {
        let shaken = match self.ready().await {
            Ok(ready) => ready.connect(tcp).await,
            Err(why) => Err(why),
        };
        match shaken {
            Ok(tls) => Ok(Stream::Tls(Box::new(TlsStream::Client(tls)))),
            Err(why) => {
                *self.ready.borrow_mut() = None;
                Err(UpstreamFault::TlsFailed(why))
            }
        }
    }

    async fn ready(&self) -> Result<Rc<ClientTls>, String> {
        let known = self.ready.borrow().clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let (address, upstream) = (self.address.clone(), self.upstream.clone());
        let folder = self.folder.to_path_buf();
        let loading = spawn_blocking(move || ClientTls::load(&address, &upstream, &folder));
        let loaded = loading.await.map_err(|error| error.to_string())??;
        let mut ready = self.ready.borrow_mut();
        // Another connection may have been quicker: its sessions are those to resume.
        Ok(Rc::clone(ready.get_or_insert_with(|| Rc::new(loaded))))
    }
}
