//! Durations, sizes and counts as a configuration writes them, each within bounds that its fault
//! names.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::SignedDuration;

use crate::config::compile::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::raw::At;

/// A duration as a configuration writes it: `15s`, `1m 30s`.
#[derive(Clone, Copy, Debug)]
pub struct DurationText(pub Duration);

/// A size as a configuration writes it, in the largest unit that gives a whole number: `64KiB`.
#[derive(Clone, Copy, Debug)]
pub struct SizeText(pub u64);

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

/// From the least that the clock of the data plane can tell to a day.
pub(super) const UP_TO_A_DAY: RangeInclusive<Duration> = Duration::from_millis(1)..=DAY;
/// The same, and no time at all.
pub(super) const UP_TO_A_DAY_OR_NONE: RangeInclusive<Duration> = Duration::ZERO..=DAY;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Compiler<'_> {
    /// Puts a duration where one is stated.
    pub(super) fn set_duration(
        &mut self,
        place: &mut Duration,
        text: Option<&At<String>>,
        bounds: RangeInclusive<Duration>,
    ) {
        if let Some(duration) = text.and_then(|text| self.duration(text, bounds)) {
            *place = duration;
        }
    }

    /// Puts a duration, or `none`, where one is stated.
    pub(super) fn set_limit(&mut self, place: &mut Option<Duration>, text: Option<&At<String>>) {
        match text {
            Some(text) if text.value == NONE => *place = None,
            Some(text) => *place = self.duration(text, UP_TO_A_DAY).or(*place),
            None => {}
        }
    }

    /// A duration; a fault if it is none or out of bounds.
    pub(super) fn duration(
        &mut self,
        text: &At<String>,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let parsed = text.value.parse::<SignedDuration>().ok();
        let parsed = parsed.and_then(|duration| Duration::try_from(duration).ok());
        if let Some(duration) = parsed.filter(|duration| bounds.contains(duration)) {
            return Some(duration);
        }
        let shown = excerpt(&text.value);
        let (least, most) = bounds.into_inner();
        let (least, most) = (DurationText(least), DurationText(most));
        if parsed.is_some() {
            let message = format!("{shown} is out of bounds: from {least} to {most}");
            self.fault(text.place, "config.value", message, None);
            return None;
        }
        let message = format!("`{shown}` is no duration");
        let help = match text.value.parse::<u32>() {
            Ok(number) => format!("write the unit: {number}s"),
            Err(_) if text.value == NONE => {
                format!("there is always an end here; the longest is {most}")
            }
            Err(_) => "write one such as 2s, 500ms, 1m30s or 1h".into(),
        };
        self.fault(text.place, "config.value", message, Some(help));
        None
    }

    /// A size in bytes; a fault if it is none or out of bounds.
    pub(super) fn size(&mut self, text: &At<String>, bounds: RangeInclusive<u64>) -> Option<u64> {
        let written = text.value.as_str();
        let unit = UNITS.iter().find(|(name, _)| written.ends_with(name));
        let (name, unit) = unit.map_or(("", 1), |(name, unit)| (*name, *unit));
        let digits = written.strip_suffix(name).unwrap_or(written).trim_end();
        let number = Some(digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        let parsed = number
            .and_then(|digits| digits.parse::<u64>().ok())
            .and_then(|number| number.checked_mul(unit));
        if let Some(size) = parsed.filter(|size| bounds.contains(size)) {
            return Some(size);
        }
        let (least, most) = bounds.into_inner();
        let (message, help) = if parsed.is_some() {
            let (least, most) = (SizeText(least), SizeText(most));
            let message = format!("{written} is out of bounds: from {least} to {most}");
            (message, None)
        } else {
            let help = "write bytes, or KiB, MiB or GiB of them: 4096, 32KiB, 8MiB";
            let message = format!("`{}` is no size", excerpt(written));
            (message, Some(help.into()))
        };
        self.fault(text.place, "config.value", message, help);
        None
    }

    /// A whole number; a fault if it is none or out of bounds.
    pub(super) fn count<T>(&mut self, text: &At<String>, bounds: RangeInclusive<T>) -> Option<T>
    where
        T: std::str::FromStr + PartialOrd + fmt::Display,
    {
        let is_digits = text.value.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = text.value.parse::<T>().ok().filter(|_| is_digits);
        if let Some(count) = parsed.filter(|count| bounds.contains(count)) {
            return Some(count);
        }
        let (least, most) = bounds.into_inner();
        let message = format!(
            "`{}` is no whole number from {least} to {most}",
            excerpt(&text.value)
        );
        self.fault(text.place, "config.value", message, None);
        None
    }
}

/// What stands for no limit.
pub(super) const NONE: &str = "none";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_they_are_written() {
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
