//! The `tollgate` command: its arguments go in, its exit code comes out.

use std::process::ExitCode;

fn main() -> ExitCode {
    tollgate::frontend::cli::run(std::env::args_os())
}
