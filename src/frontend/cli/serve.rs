//! `tollgate serve`: the HTTP gateway, until it is told to stop.

use std::cell::Cell;
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

use crate::config::compile::{LoadOptions, Loaded};
use crate::config::serve::{ListenAddress, LogTarget, Serve, resolved};
use crate::frontend::admin::{self, AdminState};
use crate::frontend::cli::args::ServeArgs;
use crate::frontend::cli::output::Output;
use crate::frontend::cli::paint::Paint;
use crate::frontend::config_file::{ConfigFile, Unusable};
use crate::frontend::http::demo::Demo;
use crate::frontend::http::listener::{Listener, bind, listen};
use crate::frontend::http::server::Server;
use crate::observe::{AccessLog, LogOutput, Totals, log};
use crate::runtime::tls::trusted_roots;
use crate::runtime::{Gateway, Settings, TICK, Worker};

pub(super) fn run(args: &ServeArgs) -> ExitCode {
    log::init(args.log.level());
    let loaded = match load(args) {
        Ok(loaded) => loaded,
        Err(unusable) => return refuse(&unusable),
    };
    match serve_until_told(args, loaded) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            tracing::error!("{sentence}");
            ExitCode::from(2)
        }
    }
}

fn load(args: &ServeArgs) -> Result<Loaded, Unusable> {
    ConfigFile::read_or_builtin(args.config.as_deref())?.into_loaded(LoadOptions::FILE)
}

fn refuse(unusable: &Unusable) -> ExitCode {
    Output::unusable(unusable, Paint::of(&io::stderr())).write()
}

fn serve_until_told(args: &ServeArgs, mut loaded: Loaded) -> Result<(), String> {
    // From here on a signal does what it should, and not what it does to those who expect none.
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default());
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    let signals = runtime.block_on(async { signals() });
    let signals = signals.map_err(|error| format!("cannot wait for signals: {error}"))?;
    let no_sample = |error| format!("the sample services cannot start: {error}");
    let demo = args.demo.then(|| Demo::bind(&mut loaded));
    let demo = demo.transpose().map_err(no_sample)?;
    let serve = std::mem::take(&mut loaded.serve);
    let folder = folder(args);
    check_authorities(&loaded, folder)?;
    let gateway = Arc::new(Gateway::new(loaded, Gateway::MAX_REGISTRATIONS));
    let said = args.workers.or(serve.workers.map(NonZeroUsize::from));
    let workers = said
        .or(available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let settings = Arc::new(Settings {
        workers: u32::try_from(workers).unwrap_or(u32::MAX),
        ..Settings::of(&serve, folder)
    });
    let log = start_log(folder, &serve)?;
    let listeners = listeners(args, &serve, folder)?;
    let operators = serve.admin.as_ref().map(for_operators).transpose()?;
    let server = Server::start(&gateway, &settings, &listeners, workers, log.as_ref())
        .map_err(|fault| fault.to_string())?;
    for (address, listener) in server.addresses().iter().zip(&listeners) {
        tell(&format!("listening on {}://{address}", listener.scheme()));
    }
    if let Some(demo) = demo {
        let (backends, first) = (demo.backends(), server.addresses().first().copied());
        demo.start(&gateway).map_err(no_sample)?;
        tell(&format!(
            "{backends} sample backends are there to be asked; try"
        ));
        first.into_iter().for_each(show_what_to_try);
    }
    let log_ref = log.as_ref();
    let operators = operators.map(|listener| {
        let (gateway, settings) = (Arc::clone(&gateway), Arc::clone(&settings));
        (
            listener,
            Worker::new(gateway, settings, Arc::default(), None),
        )
    });
    runtime.block_on(control(
        args, &serve, &gateway, &server, operators, log_ref, signals,
    ))?;
    let totals = server.join();
    if log.is_some_and(|log| !log.finish(LAST_LINES)) {
        tracing::warn!("the last lines of the access log are not taken, and lost");
    }
    tracing::info!(
        "totals: {}",
        serde_json::to_string(&totals).unwrap_or_default()
    );
    Ok(())
}

/// Whether the authorities that backends are checked by can be read.
fn check_authorities(loaded: &Loaded, folder: &Path) -> Result<(), String> {
    let configured = loaded.configured.iter();
    let mut files: Vec<_> = configured
        .filter_map(|it| it.upstream.tls.ca.as_deref())
        .collect();
    files.sort_unstable();
    files.dedup();
    let unusable = |fault| format!("cannot check backends over TLS: {fault}");
    let mut paths = files.iter().map(|file| resolved(folder, file));
    paths.try_for_each(|path| trusted_roots(&path).map(drop).map_err(unusable))
}

/// What the command line says, else what the file says.
fn listeners(args: &ServeArgs, serve: &Serve, folder: &Path) -> Result<Vec<Listener>, String> {
    if !args.listen.is_empty() {
        return Ok(args.listen.iter().copied().map(Listener::plain).collect());
    }
    let listeners = serve.listeners.iter().map(|listener| {
        let address = address(&listener.address)?;
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
        format!(
            "cannot write the access log {}: {error}",
            serve.access_log.to
        )
    })
}

/// Where relative names of files in the configuration start.
fn folder(args: &ServeArgs) -> &Path {
    let config = args.config.as_deref();
    config.and_then(Path::parent).unwrap_or(Path::new(""))
}

/// The first address that a name has.
fn address(listen: &ListenAddress) -> Result<SocketAddr, String> {
    let said = format!("{}:{}", listen.host, listen.port);
    let found = (&*listen.host, listen.port).to_socket_addrs();
    let mut found = found.map_err(|error| format!("cannot listen on {said}: {error}"))?;
    found
        .next()
        .ok_or_else(|| format!("cannot listen on {said}: the name has no address"))
}

/// The listener for operators, bound before any other listens. The next process may share its port.
fn for_operators(admin: &ListenAddress) -> Result<StdListener, String> {
    let address = address(admin)?;
    bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// Does what signals and operators ask for, until the server has come to its end.
async fn control(
    args: &ServeArgs,
    serve: &Serve,
    gateway: &Gateway,
    server: &Server,
    operators: Option<(StdListener, Worker)>,
    log: Option<&AccessLog>,
    mut signals: [Signal; 4],
) -> Result<(), String> {
    let counters = server.counters();
    let told = Rc::new(AdminState {
        is_draining: Cell::new(false),
        totals: Box::new(move || Totals::of(counters.iter().map(|counters| &**counters))),
    });
    if let Some((bound, worker)) = operators {
        let listener = listen(&bound).and_then(|()| TcpListener::from_std(bound));
        let listener = listener.map_err(|error| format!("cannot answer operators: {error}"))?;
        if let Ok(address) = listener.local_addr() {
            tell(&format!("operators are answered on http://{address}"));
        }
        let worker = Rc::new(worker);
        spawn_local(Rc::clone(&worker).maintain());
        spawn_local(admin::serve(worker, listener, Rc::clone(&told)));
    }
    until_told(args, serve, gateway, log, &mut signals).await;
    told.is_draining.set(true);
    server.drain();
    let [term, int, ..] = &mut signals;
    while !server.is_finished() {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = term.recv() => return Err(TOLD_TWICE.to_owned()),
            _ = int.recv() => return Err(TOLD_TWICE.to_owned()),
        }
    }
    Ok(())
}

/// How long the access log may take to write what is left of it.
const LAST_LINES: Duration = Duration::from_secs(2);
const TOLD_TWICE: &str = "told to stop once more: what was in flight is cut off";

fn signals() -> io::Result<[Signal; 4]> {
    Ok([
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
        signal(SignalKind::user_defined1())?,
    ])
}

/// Does what signals ask for, and returns when one asks to stop.
async fn until_told(
    args: &ServeArgs,
    serve: &Serve,
    gateway: &Gateway,
    log: Option<&AccessLog>,
    [term, int, hup, usr1]: &mut [Signal; 4],
) {
    loop {
        tokio::select! {
            _ = term.recv() => return,
            _ = int.recv() => return,
            _ = hup.recv() => reload(args, serve, gateway),
            _ = usr1.recv() => log.into_iter().for_each(AccessLog::reopen),
        }
    }
}

/// Reads the file again, and puts its table in force, or says what is wrong with it.
fn reload(args: &ServeArgs, serve: &Serve, gateway: &Gateway) {
    let is_file = args
        .config
        .as_deref()
        .is_some_and(|it| it != Path::new("-"));
    if !is_file {
        return tracing::warn!(
            "there is no file to be read again; the configuration stays as it was"
        );
    }
    match load(args) {
        Ok(loaded) => {
            if let Err(unusable) = check_authorities(&loaded, folder(args)) {
                return tracing::error!("the configuration stays as it was: {unusable}");
            }
            if loaded.serve != *serve {
                tracing::warn!(
                    "what the file says of the process, such as listen, workers or limits, has \
                     changed; that comes into force with the next start",
                );
            }
            let routes = loaded.table.routes().len();
            gateway.reload(loaded);
            tell(&format!(
                "the configuration was read again: {routes} routes"
            ));
        }
        Err(unusable) => {
            let report = unusable.report(false);
            tracing::error!("the configuration stays as it was\n{report}");
        }
    }
}

fn show_what_to_try(at: SocketAddr) {
    let mut out = io::stdout().lock();
    for line in [
        format!("curl http://{at}/api/users/123"),
        format!("curl http://{at}/api/v2/users/123"),
        format!("curl -i -H 'Accept-Version: v2' http://{at}/api/users/123"),
        format!("curl -i http://{at}/api/unknown"),
    ] {
        // Nobody has to read it.
        let _ = writeln!(out, "{line}");
    }
}

fn tell(sentence: &str) {
    tracing::info!("{sentence}");
}
