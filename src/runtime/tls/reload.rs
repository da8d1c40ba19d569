//! A thread that reloads certificates when their files change, so that no handshake waits for a disk.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::runtime::tls::server::{Reload, ServerTls};

/// Checks the files once a second, until it is dropped.
#[derive(Debug)]
pub(crate) struct CertificateReloader {
    _stop: Sender<()>,
}

const INTERVAL: Duration = Duration::from_secs(1);

impl CertificateReloader {
    /// Starts the thread for the files of these listeners; `None` if there are no listeners.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub(crate) fn start(listeners: Vec<Arc<ServerTls>>) -> io::Result<Option<Self>> {
        if listeners.is_empty() {
            return Ok(None);
        }
        let (stop, stopped) = channel();
        thread::Builder::new()
            .name("certificates".into())
            .spawn(move || {
                while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    listeners
                        .iter()
                        .for_each(|tls| log(&tls.reload_if_changed()));
                }
            })?;
        Ok(Some(Self { _stop: stop }))
    }
}

fn log(reload: &Reload) {
    match reload {
        Reload::Unchanged => {}
        Reload::Reloaded { files, warnings } => {
            tracing::info!("certificates reloaded: {files}");
            for warning in warnings {
                tracing::warn!("{warning}");
            }
        }
        Reload::Failed(error) => {
            tracing::error!("{error}; the previous certificates stay in use");
        }
    }
}
