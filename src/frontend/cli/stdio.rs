//! `tollgate stdio`: responses to the JSON messages on standard input, until it ends.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use crate::config::LoadOptions;
use crate::control::Reconciler;
use crate::control::source::ConfigFile;
use crate::frontend::cli::args::StdioArgs;
use crate::frontend::cli::output::Output;
use crate::frontend::cli::paint::Paint;
use crate::frontend::stdio;
use crate::frontend::stdio::forward::{self, Forwarding};
use crate::frontend::stdio::values::Limits;
use crate::observe::log;
use crate::runtime::{Settings, clock};

pub(super) fn run(args: &StdioArgs) -> ExitCode {
    log::init(args.log.level());
    let file = ConfigFile::read_or_builtin(args.config.as_deref());
    let mut loaded = match file.and_then(|file| file.into_loaded(LoadOptions::FILE)) {
        Ok(loaded) => loaded,
        Err(unusable) => {
            return Output::unusable(&unusable, Paint::of(&io::stderr())).write();
        }
    };
    if io::stdin().is_terminal() {
        // The input is read in any case, so a hint that cannot be written does not matter.
        let _ = io::stderr().lock().write_all(HINT.as_bytes());
    }
    let settings = Settings::of(&std::mem::take(&mut loaded.serve), args.folder());
    let mut reconciler = Reconciler::new(loaded, args.max_registrations);
    let options = stdio::Options {
        is_verbose: args.verbose,
        limits: Limits {
            max_value_bytes: args.max_value_bytes.get(),
            ..Limits::default()
        },
        head_limits: settings.head_limits,
    };
    let served = if args.forward {
        let forwarding = Forwarding {
            settings: Arc::new(settings),
            concurrency: args.concurrency,
            max_body_bytes: args.max_body_bytes.get(),
        };
        let (input, output) = (io::stdin(), io::stdout());
        forward::serve(reconciler, options, forwarding, clock::now, input, output)
    } else {
        let (input, output) = (io::stdin().lock(), io::stdout().lock());
        stdio::serve(&mut reconciler, options, clock::now, input, output)
    };
    match served {
        // A reader that closes the output needs no more of it.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr().lock(), "tollgate: {error}");
            ExitCode::from(2)
        }
        _ => ExitCode::SUCCESS,
    }
}

const HINT: &str = "tollgate: reading JSON messages, one per line; Ctrl-D ends. For example:
  {\"type\":\"api_request\",\"path\":\"/api/users/123\"}
`tollgate --help` lists all commands.
";
