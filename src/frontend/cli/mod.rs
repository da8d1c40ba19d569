//! The command line.
//!
//! `args` defines it, and each command has a file of its own. A command returns its output and
//! prints nothing; [`run`] writes the output. `serve` and `stdio` are the exceptions: they run until
//! they are stopped.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::frontend::cli::args::{Command, CommandLine};
use crate::frontend::cli::output::Output;
use crate::frontend::cli::paint::Paint;

mod args;
mod bench;
mod check;
mod examples;
mod explain;
mod output;
mod paint;
mod routes;
mod schema;
mod serve;
mod stdio;

/// Runs the command line and returns its exit code: 0 for success, 1 for a negative result, such as
/// an invalid configuration or a rejected request, 2 if the command could not run.
///
/// `args` starts with the name of the program.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command_line = match CommandLine::try_parse_from(args) {
        Ok(command_line) => command_line,
        Err(error) => {
            // A closed stream has no reader.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let paint = Paint::of(&io::stdout());
    let output = match command_line.command() {
        Command::Stdio(args) => return stdio::run(&args),
        Command::Serve(args) => return serve::run(&args),
        Command::Check(args) => Ok(check::run(&args, paint)),
        Command::Routes(args) => routes::run(&args, paint),
        Command::Explain(args) => explain::run(&args, paint),
        Command::Schema => Ok(schema::run()),
        Command::Bench(args) => bench::run(&args, paint),
    };
    output
        .unwrap_or_else(|unusable| Output::unusable(&unusable, Paint::of(&io::stderr())))
        .write()
}
