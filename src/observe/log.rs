//! The log: one line per event on standard error, for operators.
//!
//! The log is for what happens to the process: start, reload, drain, files that cannot be read. What
//! happens to a request goes to the [access log](crate::observe::access_log) and the counters, never
//! here: no event and no span may depend on the number of requests.

use std::io;

use tracing::Level;
use tracing_subscriber::fmt;

/// Installs the log for the rest of the process: events up to `level`, with their time in UTC.
///
/// Events before this call, and those of a program that never calls it, are dropped.
///
/// # Panics
/// If it is called twice.
pub(crate) fn init(level: Level) {
    fmt()
        .with_max_level(level)
        .with_target(false)
        .with_writer(io::stderr)
        // Where standard error is closed, there is nowhere left to report it.
        .log_internal_errors(false)
        .init();
}
