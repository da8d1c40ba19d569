//! The one place that reads the clock. All else takes the time as an argument.

use std::time::Instant;

/// The time that it is.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock module: the only place that may read the clock"
)]
pub fn now() -> Instant {
    Instant::now()
}
