//! The workers: a thread a core, each with a runtime, listeners and connections of its own.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::watch;
use tokio::task::spawn_local;

use crate::frontend::http::connection;
use crate::observe::access_log::AccessLog;
use crate::observe::counters::{Counters, Totals};
use crate::runtime::clock;
use crate::runtime::gateway::Gateway;
use crate::runtime::settings::Settings;
use crate::runtime::stream::Stream;
use crate::runtime::worker::Worker;

/// A gateway that serves HTTP, on threads of its own.
#[derive(Debug)]
pub struct Server {
    threads: Vec<JoinHandle<()>>,
    counters: Vec<Arc<Counters>>,
    stop: watch::Sender<bool>,
    addresses: Vec<SocketAddr>,
}

/// Why a server does not begin.
#[derive(Debug, Error)]
pub enum StartFault {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The system gives no thread or no runtime.
    #[error("cannot start a worker: {0}")]
    Worker(#[from] io::Error),
}

impl Server {
    /// Begins to serve on these addresses, with so many workers. It listens when this returns.
    ///
    /// # Errors
    /// If an address cannot be listened on, or a thread cannot be started.
    pub fn start(
        gateway: &Arc<Gateway>,
        settings: &Arc<Settings>,
        listen: &[SocketAddr],
        workers: usize,
        log: Option<&AccessLog>,
    ) -> Result<Self, StartFault> {
        let mut addresses = Vec::new();
        let mut listeners: Vec<Vec<StdListener>> = (0..workers).map(|_| Vec::new()).collect();
        for address in listen {
            let mut address = *address;
            let is_shared = address.port() == 0;
            for of_worker in &mut listeners {
                let listener =
                    bind(address).map_err(|error| StartFault::Listen { address, error })?;
                // Any free port: the first has found one, and the others take the same.
                if is_shared || of_worker.is_empty() {
                    address = listener.local_addr()?;
                }
                of_worker.push(listener);
            }
            addresses.push(address);
        }
        let (stop, _) = watch::channel(false);
        let mut server = Self {
            threads: Vec::new(),
            counters: Vec::new(),
            stop,
            addresses,
        };
        for (number, listeners) in listeners.into_iter().enumerate() {
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
                    .build_local(LocalOptions::default());
                match runtime {
                    Ok(runtime) => runtime.block_on(work(Rc::new(worker), listeners, stop)),
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

    /// Accepts no more connections, and has those that are open close when they can.
    pub fn drain(&self) {
        let _ = self.stop.send(true);
    }

    /// Waits until all workers have ended.
    pub fn join(self) -> Totals {
        for thread in self.threads {
            let _ = thread.join();
        }
        Totals::of(self.counters.iter().map(|counters| &**counters))
    }
}

/// A listener that others, in this process and the next, may share the port with.
fn bind(address: SocketAddr) -> io::Result<StdListener> {
    const BACKLOG: i32 = 4096;
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

async fn work(worker: Rc<Worker>, listeners: Vec<StdListener>, mut stop: watch::Receiver<bool>) {
    let start = clock::now();
    let clock = move || {
        let since = clock::now().saturating_duration_since(start);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    };
    let housekeeper = Rc::clone(&worker);
    let mut last = 0;
    spawn_local(Rc::clone(&worker.sweep).run(clock, move |now| {
        if now.saturating_sub(last) >= 1_000 {
            last = now;
            housekeeper.every_second(now);
        }
    }));
    for listener in listeners {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                spawn_local(accept(Rc::clone(&worker), listener, stop.clone()));
            }
            Err(error) => eprintln!("a worker cannot listen: {error}"),
        }
    }
    let _ = stop.wait_for(|stop| *stop).await;
    worker.drain();
    let _ = tokio::time::timeout(worker.settings.drain_timeout, worker.quiet()).await;
    if let Some(log) = &worker.log {
        log.flush(&worker.counters);
    }
}

async fn accept(worker: Rc<Worker>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    loop {
        worker.room().await;
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((tcp, peer)) => {
                let Some(open) = worker.open() else { continue };
                let _ = tcp.set_nodelay(true);
                let serving = connection::serve(Rc::clone(&worker), Stream::Plain(tcp), peer, open);
                spawn_local(serving);
            }
            // Out of descriptors, say: others will close some.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
