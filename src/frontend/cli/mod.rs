//! The command line: what may be written on it, and which command that runs.
//!
//! A command makes an answer and prints nothing; only [`run`] writes.

use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::compile::LoadOptions;
use crate::frontend::cli::answer::Answer;
use crate::frontend::cli::explain::HeaderField;
use crate::frontend::cli::paint::Paint;
use crate::frontend::config_file::ConfigFile;
use crate::frontend::stdio;
use crate::frontend::stdio::forward::Forwarding;
use crate::frontend::stdio::values::Limits;
use crate::runtime::clock;
use crate::runtime::gateway::Gateway;
use crate::runtime::settings::Settings;

mod answer;
mod bench;
mod check;
mod examples;
mod explain;
mod paint;
mod routes;
mod schema;
mod serve;

/// Runs the command line and says how it went: 0 for yes, 1 for no, 2 for a command that could
/// not be carried out.
///
/// `args` begins with the name of the program.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command_line = match CommandLine::try_parse_from(args) {
        Ok(command_line) => command_line,
        Err(error) => {
            // Whoever closed the stream does not want to read it.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let paint = Paint::of(&io::stdout());
    let answer = match command_line.command() {
        Command::Stdio(args) => return run_stdio(&args),
        Command::Serve(args) => return serve::run(&args),
        Command::Check(args) => Ok(check::run(&args, paint)),
        Command::Routes(args) => routes::run(&args, paint),
        Command::Explain(args) => explain::run(&args, paint),
        Command::Schema => Ok(schema::run()),
        Command::Bench(args) => bench::run(&args, paint),
    };
    answer
        .unwrap_or_else(|unusable| Answer::refusal(&unusable, Paint::of(&io::stderr())))
        .deliver()
}

fn run_stdio(args: &StdioArgs) -> ExitCode {
    let file = ConfigFile::read_or_builtin(args.config.as_deref());
    let mut loaded = match file.and_then(|file| file.into_loaded(LoadOptions::FILE)) {
        Ok(loaded) => loaded,
        Err(unusable) => {
            return Answer::refusal(&unusable, Paint::of(&io::stderr())).deliver();
        }
    };
    if io::stdin().is_terminal() {
        // It reads all the same, so a hint that cannot be written is no matter.
        let _ = io::stderr().lock().write_all(HINT.as_bytes());
    }
    let settings = Settings::of(&std::mem::take(&mut loaded.serve), args.folder());
    let gateway = Gateway::new(loaded, args.max_registrations);
    let options = stdio::Options {
        is_verbose: args.verbose,
        limits: Limits {
            max_value_bytes: args.max_value_bytes.get(),
            ..Limits::default()
        },
    };
    let done = if args.forward {
        let forwarding = Forwarding {
            settings: Arc::new(settings),
            concurrency: args.concurrency,
            max_body_bytes: args.max_body_bytes.get(),
        };
        let (input, output) = (io::stdin(), io::stdout());
        let gateway = Arc::new(gateway);
        stdio::serve_forwarding(&gateway, options, forwarding, clock::now, input, output)
    } else {
        let (input, output) = (io::stdin().lock(), io::stdout().lock());
        stdio::serve(&gateway, options, clock::now, input, output)
    };
    match done {
        // Whoever closed the output has seen enough.
        Err(fault) if fault.kind() != ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr().lock(), "tollgate: {fault}");
            ExitCode::from(2)
        }
        _ => ExitCode::SUCCESS,
    }
}

#[derive(Debug, Parser)]
#[command(
    name = "tollgate",
    version,
    about = "An API gateway that one can ask why",
    after_help = examples::TOLLGATE,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    stdio: StdioArgs,
}

impl CommandLine {
    /// The command; without one it is `stdio`.
    fn command(self) -> Command {
        self.command.unwrap_or(Command::Stdio(self.stdio))
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer the JSON messages on standard input
    #[command(after_help = examples::STDIO)]
    Stdio(StdioArgs),
    /// Serve HTTP
    #[command(after_help = examples::SERVE)]
    Serve(ServeArgs),
    /// Say all that is wrong with configuration files
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Show the compiled table in its order of precedence
    #[command(after_help = examples::ROUTES)]
    Routes(RoutesArgs),
    /// Say where a request goes, and why not elsewhere
    #[command(after_help = examples::EXPLAIN)]
    Explain(ExplainArgs),
    /// Print the JSON Schema of configuration files
    #[command(after_help = examples::SCHEMA)]
    Schema,
    /// Measure what a decision costs on your table
    #[command(after_help = examples::BENCH)]
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
struct StdioArgs {
    /// The configuration to begin with; without it, the built-in table
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Add the route, the address and the upstream path to each response
    #[arg(long)]
    verbose: bool,
    /// Send each request to its backend over HTTP, and answer as these do
    #[arg(long)]
    forward: bool,
    /// How many requests may be on their way at once; until one is answered, no more is read
    #[arg(long, value_name = "COUNT", default_value = "64", value_parser = concurrency, requires = "forward")]
    concurrency: NonZeroUsize,
    /// The longest body of an answer, in bytes
    #[arg(long, value_name = "BYTES", default_value = "8388608", value_parser = whole_bytes, requires = "forward")]
    max_body_bytes: NonZeroUsize,
    /// The longest JSON value that is read, in bytes
    #[arg(long, value_name = "BYTES", default_value = "8388608", value_parser = whole_bytes)]
    max_value_bytes: NonZeroUsize,
    /// How many backends may be registered at once
    #[arg(long, value_name = "COUNT", default_value_t = Gateway::MAX_REGISTRATIONS)]
    max_registrations: usize,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Start the sample services of the built-in table as well, and show what to try
    #[arg(long, conflicts_with = "config")]
    demo: bool,
    /// The configuration; without it, the built-in table
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen, in place of what the file says; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// How many workers, in place of what the file says; without either, one a core
    #[arg(long, value_name = "COUNT")]
    workers: Option<NonZeroUsize>,
}

impl StdioArgs {
    /// Where relative names of files in the configuration start.
    fn folder(&self) -> &Path {
        let config = self.config.as_deref();
        config.and_then(Path::parent).unwrap_or(Path::new(""))
    }
}

fn concurrency(text: &str) -> Result<NonZeroUsize, &'static str> {
    let count = text.parse().ok();
    count
        .filter(|count: &NonZeroUsize| count.get() <= 10_000)
        .ok_or("write a whole number from 1 to 10000")
}

fn whole_bytes(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse()
        .map_err(|_| "write a whole number of bytes, at least 1, such as 8388608 for 8 MiB")
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Files to check; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Let a route that can never win be a warning
    #[arg(long)]
    allow_unreachable: bool,
}

#[derive(Debug, Args)]
struct RoutesArgs {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// The configuration; `-` is standard input; without it, the built-in table
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The method of the request, such as GET
    #[arg(value_name = "METHOD")]
    method: String,
    /// Its path and query, or a whole URL
    #[arg(value_name = "URL")]
    url: String,
    /// A header field; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = HeaderField::parse)]
    headers: Vec<HeaderField>,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
struct BenchArgs {
    /// The configuration; `-` is standard input; without it, the built-in table
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How long to measure, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    seconds: Duration,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How an answer is written: for people or for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let parsed = text.parse().ok();
    parsed
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| (Duration::from_millis(1)..=Duration::from_secs(3_600)).contains(time))
        .ok_or_else(|| "write a number from 0.001 to 3600".into())
}

const HINT: &str = "tollgate: reading JSON messages, one a line; Ctrl-D ends. For example:
  {\"type\":\"api_request\",\"path\":\"/api/users/123\"}
`tollgate --help` shows what else it can do.
";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn command(args: &[&str]) -> Result<Command, String> {
        CommandLine::try_parse_from(["tollgate"].iter().chain(args))
            .map(CommandLine::command)
            .map_err(|error| error.kind().to_string())
    }

    #[test]
    fn the_definition_is_sound() {
        <CommandLine as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_is_stdio() {
        for args in [
            &["--config", "f", "--verbose"][..],
            &["stdio", "--config", "f", "--verbose"],
        ] {
            let Ok(Command::Stdio(args)) = command(args) else {
                panic!("{args:?}");
            };
            assert_eq!((args.config, args.verbose), (Some("f".into()), true));
        }
        assert!(matches!(command(&[]), Ok(Command::Stdio(_))));
        assert!(command(&["--verbose", "check", "f"]).is_err());
    }

    #[test]
    fn how_long_to_measure() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "nan", "inf", "1e9", "x", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
