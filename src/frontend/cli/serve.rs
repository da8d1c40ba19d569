//! `tollgate serve`: the HTTP gateway, until it is told to stop.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::signal::unix::{SignalKind, signal};

use crate::config::compile::{LoadOptions, Loaded};
use crate::config::serve::{ListenAddress, LogTarget, Serve, resolved};
use crate::frontend::cli::ServeArgs;
use crate::frontend::cli::answer::Answer;
use crate::frontend::cli::paint::Paint;
use crate::frontend::config_file::{ConfigFile, Unusable};
use crate::frontend::http::server::Server;
use crate::observe::access_log::{AccessLog, LogOutput};
use crate::runtime::gateway::Gateway;
use crate::runtime::settings::Settings;

pub(super) fn run(args: &ServeArgs) -> ExitCode {
    let Loaded { serve, .. } = match load(args) {
        Ok(loaded) => loaded,
        Err(unusable) => return refuse(&unusable),
    };
    let gateway = match load(args) {
        Ok(loaded) => Arc::new(Gateway::new(loaded, Gateway::MAX_REGISTRATIONS)),
        Err(unusable) => return refuse(&unusable),
    };
    match serve_until_told(args, &serve, &gateway) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            tell(&sentence);
            ExitCode::from(2)
        }
    }
}

fn load(args: &ServeArgs) -> Result<Loaded, Unusable> {
    ConfigFile::read_or_builtin(args.config.as_deref())?.into_loaded(LoadOptions::FILE)
}

fn refuse(unusable: &Unusable) -> ExitCode {
    Answer::refusal(unusable, Paint::of(&io::stderr())).deliver()
}

fn serve_until_told(args: &ServeArgs, serve: &Serve, gateway: &Arc<Gateway>) -> Result<(), String> {
    let settings = Arc::new(Settings::of(serve));
    let log = start_log(args, serve)?;
    let mut listen = args.listen.clone();
    if listen.is_empty() {
        for listener in &serve.listeners {
            listen.push(address(&listener.address)?);
        }
    }
    let said = args.workers.or(serve.workers.map(NonZeroUsize::from));
    let workers = said
        .or(available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let server = Server::start(gateway, &settings, &listen, workers, log.as_ref())
        .map_err(|fault| fault.to_string())?;
    for address in server.addresses() {
        tell(&format!("listening on http://{address}"));
    }
    watch_signals(args, gateway, log.as_ref());
    server.drain();
    let totals = server.join();
    log.into_iter().for_each(AccessLog::end);
    tell(&serde_json::to_string(&totals).unwrap_or_default());
    Ok(())
}

fn start_log(args: &ServeArgs, serve: &Serve) -> Result<Option<AccessLog>, String> {
    let folder = args
        .config
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new(""));
    let output = match &serve.access_log.to {
        LogTarget::None => return Ok(None),
        LogTarget::Stdout => LogOutput::Stdout,
        LogTarget::Stderr => LogOutput::Stderr,
        LogTarget::File(path) => LogOutput::File(resolved(folder, path)),
    };
    let log = AccessLog::start(output, serve.access_log.format);
    log.map(Some)
        .map_err(|error| format!("cannot write the access log: {error}"))
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

/// Does what signals ask for, and returns when one asks to stop.
fn watch_signals(args: &ServeArgs, gateway: &Gateway, log: Option<&AccessLog>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        let (Ok(mut term), Ok(mut int), Ok(mut hup), Ok(mut usr1)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
            signal(SignalKind::hangup()),
            signal(SignalKind::user_defined1()),
        ) else {
            return;
        };
        loop {
            tokio::select! {
                _ = term.recv() => return,
                _ = int.recv() => return,
                _ = hup.recv() => reload(args, gateway),
                _ = usr1.recv() => log.into_iter().for_each(AccessLog::reopen),
            }
        }
    });
}

/// Reads the file again, and puts its table in force, or says what is wrong with it.
fn reload(args: &ServeArgs, gateway: &Gateway) {
    match load(args) {
        Ok(loaded) => {
            let routes = loaded.table.routes().len();
            gateway.reload(loaded);
            tell(&format!(
                "the configuration was read again: {routes} routes"
            ));
        }
        Err(unusable) => {
            let report = unusable.report(Paint::of(&io::stderr()).is_coloured());
            tell(&format!("the configuration stays as it was\n{report}"));
        }
    }
}

fn tell(sentence: &str) {
    let _ = writeln!(io::stderr().lock(), "tollgate: {sentence}");
}
