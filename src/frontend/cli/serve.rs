//! `tollgate serve`: the HTTP gateway.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::signal::unix::{SignalKind, signal};

use crate::config::compile::LoadOptions;
use crate::frontend::cli::ServeArgs;
use crate::frontend::cli::answer::Answer;
use crate::frontend::cli::paint::Paint;
use crate::frontend::config_file::ConfigFile;
use crate::frontend::http::listener::Listener;
use crate::frontend::http::server::Server;
use crate::runtime::gateway::Gateway;
use crate::runtime::settings::Settings;

pub(super) fn run(args: &ServeArgs) -> ExitCode {
    let file = ConfigFile::read_or_builtin(args.config.as_deref());
    let loaded = match file.and_then(|file| file.into_loaded(LoadOptions::FILE)) {
        Ok(loaded) => loaded,
        Err(unusable) => return Answer::refusal(&unusable, Paint::of(&io::stderr())).deliver(),
    };
    let gateway = Arc::new(Gateway::new(loaded, Gateway::MAX_REGISTRATIONS));
    let settings = Arc::new(Settings::default());
    let workers = args
        .workers
        .or(available_parallelism().ok())
        .map_or(1, |count| count.get());
    let listeners: Vec<_> = args.listen.iter().copied().map(Listener::plain).collect();
    let server = match Server::start(&gateway, &settings, &listeners, workers) {
        Ok(server) => server,
        Err(fault) => {
            let _ = writeln!(io::stderr().lock(), "tollgate: {fault}");
            return ExitCode::from(2);
        }
    };
    for address in server.addresses() {
        let _ = writeln!(
            io::stderr().lock(),
            "tollgate: listening on http://{address}"
        );
    }
    wait_for_end();
    server.drain();
    let totals = server.join();
    let _ = writeln!(
        io::stderr().lock(),
        "{}",
        serde_json::to_string(&totals).unwrap_or_default()
    );
    ExitCode::SUCCESS
}

fn wait_for_end() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        let (Ok(mut term), Ok(mut int)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            return;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    });
}
