//! The `tollgate` command: its arguments go in, its exit code comes out.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tollgate::frontend::cli::run(std::env::args_os())
}
