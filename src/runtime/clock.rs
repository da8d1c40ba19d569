//! The only module that reads the clock. All other code takes the time as an argument.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The monotonic clock.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock module: the only place that may read the clock"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// A clock that returns milliseconds since this call.
pub fn milliseconds() -> impl Fn() -> u64 {
    let start = now();
    move || {
        let since = now().saturating_duration_since(start);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The wall clock: seconds since 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock module: the only place that may read the clock"
)]
pub fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The wall clock `us_ago` microseconds ago.
#[must_use]
pub fn timestamp(us_ago: u64) -> jiff::Timestamp {
    let ago = jiff::SignedDuration::from_micros(i64::try_from(us_ago).unwrap_or(i64::MAX));
    let now = jiff::Timestamp::now();
    now.checked_sub(ago).unwrap_or(now)
}

/// A date in the HTTP format (RFC 9110, section 5.6.7).
#[must_use]
pub fn http_date(unix_seconds: u64) -> String {
    let seconds = i64::try_from(unix_seconds).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    printer
        .timestamp_to_rfc9110_string(&time)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
