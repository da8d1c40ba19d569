//! Durations and sizes as a configuration writes them.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;

/// A duration as the configuration writes it: `15s`, `1m 30s`.
#[derive(Clone, Copy, Debug)]
pub struct DurationText(pub Duration);

/// A size as the configuration writes it, in the largest unit that gives a whole number: `64KiB`.
#[derive(Clone, Copy, Debug)]
pub struct SizeText(pub u64);

/// The units of a size and their bytes, smallest first.
pub(super) const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SignedDuration::try_from(self.0) {
            Ok(duration) => write!(f, "{duration:#}"),
            Err(_) => f.write_str("forever"),
        }
    }
}

impl fmt::Display for SizeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, unit): &&(&str, u64)| self.0 >= *unit && self.0.is_multiple_of(*unit);
        match UNITS.iter().rev().find(fits) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (millis, expected) in [
            (0, "0s"),
            (500, "500ms"),
            (2_000, "2s"),
            (90_000, "1m 30s"),
            (86_400_000, "24h"),
        ] {
            let text = DurationText(Duration::from_millis(millis)).to_string();
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn sizes() {
        for (bytes, expected) in [
            (0, "0"),
            (1_000, "1000"),
            (1 << 10, "1KiB"),
            (1_536, "1536"),
            (3 << 20, "3MiB"),
            (1 << 40, "1024GiB"),
        ] {
            assert_eq!(SizeText(bytes).to_string(), expected);
        }
    }
}
