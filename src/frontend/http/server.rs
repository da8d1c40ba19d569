//! The workers: a thread a core, each with a runtime, listeners and connections of its own.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::watch;
use tokio::task::spawn_local;

use crate::frontend::http::accept::{SERVED, accept};
use crate::frontend::http::listener::{Listener, ListenerService, Service, bind, listen};
use crate::observe::access_log::AccessLog;
use crate::observe::counters::{Counters, Totals};
use crate::runtime::gateway::Gateway;
use crate::runtime::settings::Settings;
use crate::runtime::tls::error::TlsError;
use crate::runtime::tls::server::ServerTls;
use crate::runtime::tls::watcher::Watcher;
use crate::runtime::worker::Worker;

/// A gateway that serves HTTP, on threads of its own.
#[derive(Debug)]
pub struct Server {
    threads: Vec<JoinHandle<()>>,
    /// Of the workers and of the log.
    counters: Vec<Arc<Counters>>,
    stop: watch::Sender<bool>,
    addresses: Vec<SocketAddr>,
    /// As long as this is there, certificates that change are read again.
    _watcher: Option<Watcher>,
}

/// How long it may take to say that time is over.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// How many names one worker looks up at once, and files it reads; others wait for their turn.
const MAX_LOOKUPS: usize = 16;

/// One worker's share of a listener.
type Share = (StdListener, Service);

/// Why a server does not begin.
#[derive(Debug, Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The certificates of a listener cannot be used.
    #[error("cannot speak TLS on {address}: {fault}")]
    Tls {
        /// The address.
        address: SocketAddr,
        /// Why.
        fault: TlsError,
    },
    /// The system gives no thread or no runtime.
    #[error("cannot start a worker: {0}")]
    Worker(#[from] io::Error),
}

impl Server {
    /// Begins to serve on these listeners, with so many workers. It listens when this returns.
    /// Certificates that change on disk are read again, as long as this is there.
    ///
    /// # Errors
    /// If an address cannot be listened on, a certificate cannot be used, or a thread cannot be
    /// started.
    pub fn start(
        gateway: &Arc<Gateway>,
        settings: &Arc<Settings>,
        listeners: &[Listener],
        workers: usize,
        log: Option<&AccessLog>,
    ) -> Result<Self, StartError> {
        let mut addresses = Vec::new();
        let mut certificates = Vec::new();
        let mut shares: Vec<Vec<Share>> = (0..workers).map(|_| Vec::new()).collect();
        for Listener { address, service } in listeners {
            let service = ready(*address, service)?;
            if let Service::Tls(tls) = &service {
                certificates.push(Arc::clone(tls));
            }
            addresses.push(bind_all(*address, &service, &mut shares)?);
        }
        let watcher = Watcher::start(certificates)?;
        // Only now that all are bound, and nothing else can be wrong with what was asked for.
        for ((listener, _), address) in shares.iter().flat_map(|own| own.iter().zip(&addresses)) {
            let address = *address;
            listen(listener).map_err(|error| StartError::Listen { address, error })?;
        }
        let (stop, _) = watch::channel(false);
        let mut server = Self {
            threads: Vec::new(),
            counters: Vec::new(),
            stop,
            addresses,
            _watcher: watcher,
        };
        server.counters.extend(log.map(AccessLog::counters));
        for (number, shares) in shares.into_iter().enumerate() {
            let counters = Arc::new(Counters::default());
            server.counters.push(Arc::clone(&counters));
            let (gateway, settings) = (Arc::clone(gateway), Arc::clone(settings));
            let stop = server.stop.subscribe();
            let log = log.map(AccessLog::writer);
            let thread = std::thread::Builder::new().name(format!("worker-{number}"));
            server.threads.push(thread.spawn(move || {
                let worker = Worker::new(gateway, settings, counters, log);
                let runtime = Builder::new_current_thread()
                    .enable_all()
                    .max_blocking_threads(MAX_LOOKUPS)
                    .build_local(LocalOptions::default());
                match runtime {
                    Ok(runtime) => {
                        runtime.block_on(work(Rc::new(worker), shares, stop));
                        // A name that is still looked up holds nobody up.
                        runtime.shutdown_background();
                    }
                    Err(error) => eprintln!("worker {number} cannot start: {error}"),
                }
            })?);
        }
        Ok(server)
    }

    /// The addresses that it listens on, in the order in which they were given.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What all workers have done so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(self.counters.iter().map(|counters| &**counters))
    }

    /// The counts of each worker, and of the log.
    #[must_use]
    pub fn counters(&self) -> Vec<Arc<Counters>> {
        self.counters.clone()
    }

    /// Whether all workers have ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Accepts no more connections, and has those that are open close when they can.
    pub fn drain(&self) {
        let _ = self.stop.send(true);
    }

    /// Waits until all workers have ended.
    pub fn join(mut self) -> Totals {
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.totals()
    }
}

/// Binds one socket for each worker, and gives the address that they have.
fn bind_all(
    mut address: SocketAddr,
    service: &Service,
    shares: &mut [Vec<Share>],
) -> Result<SocketAddr, StartError> {
    for of_worker in shares {
        let listener = bind(address).map_err(|error| StartError::Listen { address, error })?;
        // Any free port: the first has found one, and the others take the same.
        address = listener.local_addr()?;
        of_worker.push((listener, service.clone()));
    }
    Ok(address)
}

/// Reads what a listener needs.
fn ready(address: SocketAddr, service: &ListenerService) -> Result<Service, StartError> {
    Ok(match service {
        ListenerService::Plain => Service::Plain,
        ListenerService::RedirectToHttps { port } => Service::RedirectToHttps(*port),
        ListenerService::Tls(files) => {
            let mut files = files.clone();
            files.alpn.retain(|protocol| SERVED.contains(protocol));
            let loaded = ServerTls::load(files);
            let (tls, remarks) = loaded.map_err(|fault| StartError::Tls { address, fault })?;
            for remark in remarks {
                eprintln!("tollgate: warning: {remark}");
            }
            Service::Tls(Arc::new(tls))
        }
    })
}

async fn work(worker: Rc<Worker>, shares: Vec<Share>, mut stop: watch::Receiver<bool>) {
    spawn_local(Rc::clone(&worker).keep_house());
    let mut accepting = Vec::new();
    for (listener, service) in shares {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                let worker = Rc::clone(&worker);
                accepting.push(spawn_local(accept(worker, listener, service, stop.clone())));
            }
            Err(error) => eprintln!("a worker cannot listen: {error}"),
        }
    }
    let _ = stop.wait_for(|stop| *stop).await;
    worker.drain();
    for task in accepting {
        let _ = task.await;
    }
    let drained = tokio::time::timeout(worker.settings.drain_timeout, worker.quiet());
    if drained.await.is_err() {
        // Who still waits is told, and leaves its line in the log.
        worker.deadlines.shut_down();
        let _ = tokio::time::timeout(LAST_ANSWERS, worker.quiet()).await;
    }
    if let Some(log) = &worker.log {
        log.flush(&worker.counters);
    }
}
