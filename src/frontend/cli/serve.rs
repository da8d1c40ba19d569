//! `tollgate serve`: starts the HTTP gateway, reloads it on SIGHUP, and drains it when it stops.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_local;

use crate::config::Loaded;
use crate::config::serve::{ListenAddress, LogTarget, Serve, resolved};
use crate::control::source::{LoadError, ReloadError, Reloaded, Reloader, load, sighup};
use crate::control::{Handle, Reconciler};
use crate::frontend::admin::{self, AdminState};
use crate::frontend::cli::args::ServeArgs;
use crate::frontend::cli::output::Output;
use crate::frontend::cli::paint::Paint;
use crate::frontend::http::demo::Demo;
use crate::frontend::http::listener::{Listener, bind, listen};
use crate::frontend::http::server::Server;
use crate::observe::{AccessLog, LogOutput, Totals, log};
use crate::runtime::{Settings, Worker};

pub(super) fn run(args: &ServeArgs) -> ExitCode {
    log::init(args.log.level());
    let loaded = match load(args.config.as_deref()) {
        Ok(loaded) => loaded,
        Err(LoadError::Unusable(unusable)) => {
            return Output::unusable(&unusable, Paint::of(&io::stderr())).write();
        }
        Err(error) => return fail(&error),
    };
    serve(args, loaded).map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
}

/// Serves until a signal stops the process. The error is a message for the log.
fn serve(args: &ServeArgs, loaded: Loaded) -> Result<(), String> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .map_err(|error| format!("cannot start: {error}"))?;
    // Before anything is logged: a supervisor that reads the first line may send signals.
    let signals = runtime.block_on(async { Signals::install() });
    let Signals {
        mut stop,
        hangup,
        reopen_log,
    } = signals.map_err(|error| format!("cannot handle signals: {error}"))?;
    let mut gateway = Gateway::start(args, loaded)?;
    let stopped = runtime.block_on(async {
        let admin = gateway.start_admin()?;
        start_sources(args, hangup, &gateway);
        tokio::select! {
            () = stop.recv() => {}
            () = reopen_log_on(reopen_log, gateway.log.as_ref()) => {}
        }
        admin.is_draining.set(true);
        gateway.drain(&mut stop).await
    });
    // A reload that is still compiling must not delay the end.
    runtime.shutdown_background();
    stopped?;
    gateway.finish();
    Ok(())
}

/// Starts every source of updates. A new source is one more line here; it gets a clone of the handle.
fn start_sources(args: &ServeArgs, hangup: Signal, gateway: &Gateway) {
    let (serve, control) = (gateway.serve.clone(), gateway.control.clone());
    let reloader = Reloader::new(args.config.as_deref(), serve, control);
    spawn_local(sighup::run(hangup, reloader, report_reload));
}

/// A running gateway.
struct Gateway {
    server: Server,
    log: Option<AccessLog>,
    /// Sends updates to the reconciler.
    control: Handle,
    /// The process settings of the configuration.
    serve: Serve,
    /// The admin listener, bound, with the worker that serves it.
    admin: Option<(StdListener, Worker)>,
}

impl Gateway {
    /// Starts the log, the reconciler and the workers; logs where it listens.
    fn start(args: &ServeArgs, mut loaded: Loaded) -> Result<Self, String> {
        let demo = args.demo.then(|| Demo::bind(&mut loaded));
        let demo = demo.transpose().map_err(demo_error)?;
        let serve = std::mem::take(&mut loaded.serve);
        let folder = folder(args);
        let workers = workers(args, &serve);
        let settings = Arc::new(Settings {
            workers: u32::try_from(workers).unwrap_or(u32::MAX),
            ..Settings::of(&serve, folder)
        });
        let log = start_log(folder, &serve)?;
        let listeners = listeners(args, &serve, folder)?;
        let admin = serve.admin.as_ref().map(bind_admin).transpose()?;
        let reconciler = Reconciler::new(loaded, Reconciler::DEFAULT_MAX_REGISTRATIONS);
        let snapshots = reconciler.reader();
        let control = Handle::start(reconciler)
            .map_err(|error| format!("cannot start the reconciler: {error}"))?;
        let server = Server::start(&snapshots, &settings, &listeners, workers, log.as_ref())
            .map_err(|error| error.to_string())?;
        for (address, listener) in server.addresses().iter().zip(&listeners) {
            tracing::info!("listening on {}://{address}", listener.scheme());
        }
        if let Some(demo) = demo {
            let (backends, address) = (demo.backends(), server.addresses().first().copied());
            demo.start(&snapshots).map_err(demo_error)?;
            tracing::info!("{backends} sample backends are running; try");
            address.into_iter().for_each(print_examples);
        }
        let admin = admin.map(|listener| {
            let worker = Worker::new(snapshots, settings, Arc::default(), None);
            (listener, worker)
        });
        Ok(Self {
            server,
            log,
            control,
            serve,
            admin,
        })
    }

    /// Starts the admin listener, if there is one. The result has the state that it reports.
    fn start_admin(&mut self) -> Result<Rc<AdminState>, String> {
        let counters = self.server.counters();
        let state = Rc::new(AdminState {
            is_draining: Cell::new(false),
            totals: Box::new(move || Totals::of(counters.iter().map(|counters| &**counters))),
        });
        let Some((bound, worker)) = self.admin.take() else {
            return Ok(state);
        };
        let listener = listen(&bound).and_then(|()| TcpListener::from_std(bound));
        let listener =
            listener.map_err(|error| format!("cannot serve the admin interface: {error}"))?;
        if let Ok(address) = listener.local_addr() {
            tracing::info!("admin interface on http://{address}");
        }
        let worker = Rc::new(worker);
        spawn_local(Rc::clone(&worker).maintain());
        spawn_local(admin::serve(worker, listener, Rc::clone(&state)));
        Ok(state)
    }

    /// Stops accepting connections and waits until all requests have finished, the drain timeout
    /// is over, or a second signal comes, which is an error.
    async fn drain(&self, stop: &mut StopSignals) -> Result<(), String> {
        self.server.drain();
        while !self.server.is_finished() {
            tokio::select! {
                () = tokio::time::sleep(DRAIN_POLL_INTERVAL) => {}
                () = stop.recv() => return Err(STOPPED_TWICE.to_owned()),
            }
        }
        Ok(())
    }

    /// Joins the workers, writes the rest of the access log and logs the totals.
    fn finish(self) {
        let totals = self.server.join();
        if self.log.is_some_and(|log| !log.finish(LOG_END_TIMEOUT)) {
            tracing::warn!("the last lines of the access log could not be written and are lost");
        }
        let totals = serde_json::to_string(&totals).unwrap_or_default();
        tracing::info!("totals: {totals}");
    }
}

/// The signals that the gateway handles.
struct Signals {
    stop: StopSignals,
    /// SIGHUP.
    hangup: Signal,
    /// SIGUSR1.
    reopen_log: Signal,
}

/// SIGTERM and SIGINT.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self {
            stop: StopSignals {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            },
            hangup: signal(SignalKind::hangup())?,
            reopen_log: signal(SignalKind::user_defined1())?,
        })
    }
}

impl StopSignals {
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Reopens the access log on each signal, forever.
async fn reopen_log_on(mut reopen_log: Signal, log: Option<&AccessLog>) {
    while reopen_log.recv().await.is_some() {
        log.into_iter().for_each(AccessLog::reopen);
    }
}

/// Logs the result of a reload.
fn report_reload(result: Result<Reloaded, ReloadError>) {
    match result {
        Ok(Reloaded {
            routes,
            needs_restart,
        }) => {
            if needs_restart {
                tracing::warn!(
                    "the file changes process settings, such as listen, workers or limits; restart \
                     to apply them"
                );
            }
            let plural = if routes == 1 { "" } else { "s" };
            tracing::info!("configuration reloaded: {routes} route{plural}");
        }
        Err(ReloadError::Load(LoadError::Unusable(unusable))) => {
            let report = unusable.report(false);
            tracing::error!("{RELOAD_FAILED}\n{report}");
        }
        Err(error) => tracing::error!("{RELOAD_FAILED}: {error}"),
    }
}

/// The number of workers: of the command line, else of the file, else one a core.
fn workers(args: &ServeArgs, serve: &Serve) -> usize {
    let stated = args.workers.or(serve.workers.map(NonZeroUsize::from));
    let workers = stated.or(available_parallelism().ok());
    workers.map_or(1, NonZeroUsize::get)
}

/// The listeners of the command line, else those of the file.
fn listeners(args: &ServeArgs, serve: &Serve, folder: &Path) -> Result<Vec<Listener>, String> {
    if !args.listen.is_empty() {
        return Ok(args.listen.iter().copied().map(Listener::plain).collect());
    }
    let listeners = serve.listeners.iter().map(|listener| {
        let address = resolve(&listener.address)?;
        Ok(Listener::of(address, &listener.service, folder))
    });
    listeners.collect()
}

fn start_log(folder: &Path, serve: &Serve) -> Result<Option<AccessLog>, String> {
    let output = match &serve.access_log.to {
        LogTarget::None => return Ok(None),
        LogTarget::Stdout => LogOutput::Stdout,
        LogTarget::Stderr => LogOutput::Stderr,
        LogTarget::File(path) => LogOutput::File(resolved(folder, path)),
    };
    let log = AccessLog::start(output, serve.access_log.format);
    log.map(Some).map_err(|error| {
        let to = &serve.access_log.to;
        format!("cannot write the access log `{to}`: {error}")
    })
}

/// The folder that relative file names in the configuration start from.
fn folder(args: &ServeArgs) -> &Path {
    let config = args.config.as_deref();
    config.and_then(Path::parent).unwrap_or(Path::new(""))
}

/// Resolves a listen address; of several addresses, the first.
fn resolve(listen: &ListenAddress) -> Result<SocketAddr, String> {
    let name = format!("{}:{}", listen.host, listen.port);
    let resolved = (&*listen.host, listen.port).to_socket_addrs();
    let mut resolved = resolved.map_err(|error| format!("cannot listen on `{name}`: {error}"))?;
    resolved
        .next()
        .ok_or_else(|| format!("cannot listen on `{name}`: the name has no address"))
}

/// Binds the admin listener. It does not listen yet: a process that is replacing this one may
/// share its port.
fn bind_admin(admin: &ListenAddress) -> Result<StdListener, String> {
    let address = resolve(admin)?;
    bind(address).map_err(|error| format!("cannot listen on `{address}`: {error}"))
}

/// Prints requests to try with the sample backends.
fn print_examples(address: SocketAddr) {
    let mut out = io::stdout().lock();
    for line in [
        format!("curl http://{address}/api/users/123"),
        format!("curl http://{address}/api/v2/users/123"),
        format!("curl -i -H 'Accept-Version: v2' http://{address}/api/users/123"),
        format!("curl -i http://{address}/api/unknown"),
    ] {
        // A closed standard output is no reason to stop.
        let _ = writeln!(out, "{line}");
    }
}

fn demo_error(error: io::Error) -> String {
    format!("cannot start the sample backends: {error}")
}

/// Logs an error; the exit code says that the command could not run.
fn fail(error: &impl fmt::Display) -> ExitCode {
    tracing::error!("{error}");
    ExitCode::from(2)
}

const DRAIN_POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long the access log may take to write its last lines.
const LOG_END_TIMEOUT: Duration = Duration::from_secs(2);
const RELOAD_FAILED: &str = "reload failed, the configuration is unchanged";
const STOPPED_TWICE: &str = "stopped by a second signal; requests in flight were cut off";
