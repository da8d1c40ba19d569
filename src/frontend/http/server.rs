//! The workers: one thread per core, each with its own runtime, listeners and connections.

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
use crate::observe::{AccessLog, Counters, Totals};
use crate::runtime::cell::SnapshotReader;
use crate::runtime::tls::{CertificateReloader, ServerTls, TlsError};
use crate::runtime::{Settings, Worker};

/// A gateway that serves HTTP on its own threads.
#[derive(Debug)]
pub struct Server {
    threads: Vec<JoinHandle<()>>,
    /// The metrics of each worker, and of the access log.
    counters: Vec<Arc<Counters>>,
    stop: watch::Sender<bool>,
    addresses: Vec<SocketAddr>,
    /// Reloads certificates that change, until it is dropped.
    _watcher: Option<CertificateReloader>,
}

/// How long exchanges may take to report the end after the drain timeout.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// How many DNS lookups and file reads of one worker run at a time.
const MAX_BLOCKING_THREADS: usize = 16;

/// The socket of one worker for a listener.
type WorkerListener = (StdListener, Service);

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// It cannot listen on an address.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        error: io::Error,
    },
    /// The certificates of a listener cannot be used.
    #[error("cannot serve TLS on {address}: {error}")]
    Tls {
        /// The address.
        address: SocketAddr,
        /// The cause.
        error: TlsError,
    },
    /// The system provides no thread or no runtime.
    #[error("cannot start a worker: {0}")]
    Worker(#[from] io::Error),
}

impl Server {
    /// Starts to serve these listeners with `workers` workers. It listens when this returns.
    /// Certificates that change on disk are reloaded until the server is dropped.
    ///
    /// # Errors
    /// If it cannot listen on an address, a certificate cannot be used, or a thread cannot be started.
    pub fn start(
        snapshots: &SnapshotReader,
        settings: &Arc<Settings>,
        listeners: &[Listener],
        workers: usize,
        log: Option<&AccessLog>,
    ) -> Result<Self, StartError> {
        let mut addresses = Vec::new();
        let mut certificates = Vec::new();
        let mut shares: Vec<Vec<WorkerListener>> = (0..workers).map(|_| Vec::new()).collect();
        for Listener { address, service } in listeners {
            let service = load(*address, service)?;
            if let Service::Tls(tls) = &service {
                certificates.push(Arc::clone(tls));
            }
            addresses.push(bind_all(*address, &service, &mut shares)?);
        }
        let watcher = CertificateReloader::start(certificates)?;
        // Only now, because nothing else in the configuration can be wrong.
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
            let (snapshots, settings) = (snapshots.clone(), Arc::clone(settings));
            let stop = server.stop.subscribe();
            let log = log.map(AccessLog::writer);
            let thread = std::thread::Builder::new().name(format!("worker-{number}"));
            server.threads.push(thread.spawn(move || {
                let worker = Worker::new(snapshots, settings, counters, log);
                let runtime = Builder::new_current_thread()
                    .enable_all()
                    .max_blocking_threads(MAX_BLOCKING_THREADS)
                    .build_local(LocalOptions::default());
                match runtime {
                    Ok(runtime) => {
                        runtime.block_on(run_worker(Rc::new(worker), shares, stop));
                        // A DNS lookup in progress must not delay the exit.
                        runtime.shutdown_background();
                    }
                    Err(error) => tracing::error!("cannot start worker {number}: {error}"),
                }
            })?);
        }
        Ok(server)
    }

    /// The addresses that it listens on, in the order of the listeners.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The sums of the metrics of all workers.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(self.counters.iter().map(|counters| &**counters))
    }

    /// The metrics of each worker, and of the access log.
    #[must_use]
    pub fn counters(&self) -> Vec<Arc<Counters>> {
        self.counters.clone()
    }

    /// Whether all workers have finished.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Starts to drain: it accepts no more connections, and closes those that are open after their
    /// current request.
    pub fn drain(&self) {
        let _ = self.stop.send(true);
    }

    /// Waits until all workers have finished.
    pub fn join(mut self) -> Totals {
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.totals()
    }
}

/// Binds one socket per worker, and returns their address.
fn bind_all(
    mut address: SocketAddr,
    service: &Service,
    shares: &mut [Vec<WorkerListener>],
) -> Result<SocketAddr, StartError> {
    for of_worker in shares {
        let listener = bind(address).map_err(|error| StartError::Listen { address, error })?;
        // For port 0 the first socket finds a free port, and the others share it.
        address = listener.local_addr()?;
        of_worker.push((listener, service.clone()));
    }
    Ok(address)
}

/// Loads what a listener needs.
fn load(address: SocketAddr, service: &ListenerService) -> Result<Service, StartError> {
    Ok(match service {
        ListenerService::Plain => Service::Plain,
        ListenerService::RedirectToHttps { port } => Service::RedirectToHttps(*port),
        ListenerService::Tls(files) => {
            let mut files = files.clone();
            files.alpn.retain(|protocol| SERVED.contains(protocol));
            let loaded = ServerTls::load(files);
            let (tls, remarks) = loaded.map_err(|error| StartError::Tls { address, error })?;
            for remark in remarks {
                tracing::warn!("{remark}");
            }
            Service::Tls(Arc::new(tls))
        }
    })
}

async fn run_worker(
    worker: Rc<Worker>,
    shares: Vec<WorkerListener>,
    mut stop: watch::Receiver<bool>,
) {
    spawn_local(Rc::clone(&worker).maintain());
    let mut accepting = Vec::new();
    for (listener, service) in shares {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                let worker = Rc::clone(&worker);
                accepting.push(spawn_local(accept(worker, listener, service, stop.clone())));
            }
            Err(error) => tracing::error!("a worker cannot listen: {error}"),
        }
    }
    let _ = stop.wait_for(|stop| *stop).await;
    worker.drain();
    for task in accepting {
        let _ = task.await;
    }
    let drained = tokio::time::timeout(worker.settings.drain_timeout, worker.all_closed());
    if drained.await.is_err() {
        // Exchanges in flight report the end to the client and to the access log.
        worker.deadlines.shut_down();
        let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, worker.all_closed()).await;
    }
    if let Some(log) = &worker.log {
        log.flush(&worker.counters);
    }
}
