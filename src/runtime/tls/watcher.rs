//! Looks whether certificates have changed on disk, once a second, on a thread of its own: no
//! handshake waits for a file.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::runtime::tls::server::ServerTls;

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    _stop: Sender<()>,
}

const EVERY: Duration = Duration::from_secs(1);

impl Watcher {
    /// Watches the files of these listeners; not at all if there are none.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(listeners: Vec<Arc<ServerTls>>) -> io::Result<Option<Self>> {
        if listeners.is_empty() {
            return Ok(None);
        }
        let (stop, stopped) = channel();
        thread::Builder::new()
            .name("certificates".into())
            .spawn(move || {
                while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    for remark in listeners.iter().flat_map(|tls| tls.look()) {
                        eprintln!("tollgate: {remark}");
                    }
                }
            })?;
        Ok(Some(Self { _stop: stop }))
    }
}
