//! The arguments of the command line: what may be written on it, and what `--help` shows.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing::Level;

use crate::control::Reconciler;
use crate::frontend::cli::examples;

#[derive(Debug, Parser)]
#[command(
    name = "tollgate",
    version,
    about = "An API gateway that explains every decision",
    after_help = examples::TOLLGATE,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    stdio: StdioArgs,
}

impl CommandLine {
    /// The command; `stdio` if none is given.
    pub(super) fn command(self) -> Command {
        self.command.unwrap_or(Command::Stdio(self.stdio))
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Reply to the JSON messages on standard input
    #[command(after_help = examples::STDIO)]
    Stdio(StdioArgs),
    /// Serve HTTP
    #[command(after_help = examples::SERVE)]
    Serve(ServeArgs),
    /// Report all errors in configuration files
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// List the compiled routes in order of precedence
    #[command(after_help = examples::ROUTES)]
    Routes(RoutesArgs),
    /// Explain where a request goes, and why no other route gets it
    #[command(after_help = examples::EXPLAIN)]
    Explain(ExplainArgs),
    /// Print the JSON Schema of configuration files
    #[command(after_help = examples::SCHEMA)]
    Schema,
    /// Measure the time of a routing decision with your configuration
    #[command(after_help = examples::BENCH)]
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
pub(super) struct StdioArgs {
    /// The configuration file to start with; without it, the built-in configuration
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Add the route, the address and the upstream path to each response
    #[arg(long)]
    pub(super) verbose: bool,
    /// Forward each request to its backend over HTTP, and return the response
    #[arg(long)]
    pub(super) forward: bool,
    /// Maximum number of requests in flight; at the maximum, no further input is read
    #[arg(long, value_name = "COUNT", default_value = "64", value_parser = concurrency, requires = "forward")]
    pub(super) concurrency: NonZeroUsize,
    /// Maximum size of a response body, in bytes
    #[arg(long, value_name = "BYTES", default_value = "8388608", value_parser = whole_bytes, requires = "forward")]
    pub(super) max_body_bytes: NonZeroUsize,
    /// Maximum size of a JSON value on standard input, in bytes
    #[arg(long, value_name = "BYTES", default_value = "8388608", value_parser = whole_bytes)]
    pub(super) max_value_bytes: NonZeroUsize,
    /// Maximum number of registered backends
    #[arg(long, value_name = "COUNT", default_value_t = Reconciler::DEFAULT_MAX_REGISTRATIONS)]
    pub(super) max_registrations: usize,
    #[command(flatten)]
    pub(super) log: LogArgs,
}

impl StdioArgs {
    /// The folder where relative file names in the configuration start.
    pub(super) fn folder(&self) -> &Path {
        let config = self.config.as_deref();
        config.and_then(Path::parent).unwrap_or(Path::new(""))
    }
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Also start the sample services of the built-in configuration, and print requests to try
    #[arg(long, conflicts_with = "config")]
    pub(super) demo: bool,
    /// The configuration file; without it, the built-in configuration
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Listen on this address instead of those in the file; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Vec<SocketAddr>,
    /// Number of worker threads, instead of that in the file; default: one per core
    #[arg(long, value_name = "COUNT")]
    pub(super) workers: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(super) log: LogArgs,
}

/// What the log shows.
#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Minimum severity of the events in the log on standard error
    #[arg(
        long = "log-level",
        env = "TOLLGATE_LOG",
        hide_env_values = true,
        value_name = "LEVEL",
        value_enum,
        default_value_t
    )]
    level: LogLevel,
}

impl LogArgs {
    pub(super) const fn level(&self) -> Level {
        match self.level {
            LogLevel::Error => Level::ERROR,
            LogLevel::Warn => Level::WARN,
            LogLevel::Info => Level::INFO,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Files to check; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Report a route that can never win as a warning, not as an error
    #[arg(long)]
    pub(super) allow_unreachable: bool,
}

#[derive(Debug, Args)]
pub(super) struct RoutesArgs {
    /// The configuration file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The configuration file, `-` is standard input; without it, the built-in configuration
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The method of the request, such as GET
    #[arg(value_name = "METHOD")]
    pub(super) method: String,
    /// The path and query of the request, or an absolute URL
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// A header field of the request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = HeaderField::parse)]
    pub(super) headers: Vec<HeaderField>,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// The configuration file, `-` is standard input; without it, the built-in configuration
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Duration of the measurement, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub(super) seconds: Duration,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// The output format of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
}

/// A header field of the request to explain, as `-H` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeaderField {
    pub(super) name: String,
    pub(super) value: String,
}

impl HeaderField {
    /// Parses `Name: value`.
    fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').ok_or(HEADER_FORM)?;
        let is_no_token = |c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
        if name.is_empty() || name.contains(is_no_token) {
            return Err(HEADER_FORM.into());
        }
        Ok(Self {
            name: name.into(),
            value: value.trim_matches([' ', '\t']).into(),
        })
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

fn seconds(text: &str) -> Result<Duration, String> {
    let parsed = text.parse().ok();
    parsed
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| (Duration::from_millis(1)..=Duration::from_secs(3_600)).contains(time))
        .ok_or_else(|| "write a number from 0.001 to 3600".into())
}

const HEADER_FORM: &str = "write a header as 'Name: value'";

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
    fn the_default_command_is_stdio() {
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
    fn log_levels() {
        let level = |args: &[&str]| match command(args) {
            Ok(Command::Serve(args)) => Some(args.log.level()),
            Ok(Command::Stdio(args)) => Some(args.log.level()),
            _ => None,
        };
        assert_eq!(level(&["serve", "--log-level", "warn"]), Some(Level::WARN));
        assert_eq!(level(&["--log-level", "error"]), Some(Level::ERROR));
        assert_eq!(level(&["--log-level", "trace"]), None);
        assert_eq!(level(&["serve", "--log-level", "all"]), None);
    }

    #[test]
    fn durations_of_a_measurement() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "nan", "inf", "1e9", "x", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn header_fields() {
        let parse = |text: &str| {
            HeaderField::parse(text)
                .map(|field| format!("{}={}", field.name, field.value))
                .ok()
        };
        assert_eq!(parse("A: b"), Some("A=b".into()));
        assert_eq!(parse("Host:a.test:80"), Some("Host=a.test:80".into()));
        assert_eq!(parse("A:"), Some("A=".into()));
        for wrong in ["A", ": b", "a b: c", "A : b", ""] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
