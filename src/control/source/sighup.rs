//! SIGHUP: reloads the configuration file.

use tokio::signal::unix::Signal;

use crate::control::source::reload::{ReloadError, Reloaded, Reloader};

/// Reloads on each signal and reports the result. Signals that arrive during a reload cause one
/// more.
pub async fn run(
    mut hangups: Signal,
    reloader: Reloader,
    report: impl Fn(Result<Reloaded, ReloadError>),
) {
    while hangups.recv().await.is_some() {
        report(reloader.reload().await);
    }
}
