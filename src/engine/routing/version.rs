//! API versions: their syntax and order, and the segment of a pattern that states one.

use std::fmt;
use std::num::NonZeroU32;

use jiff::civil::Date;
use thiserror::Error;

/// An API version: a number (`v2`) or a date (`2026-01-31`). All dates come after all numbers.
///
/// Four bytes with a niche: the number plus one, or the date as `YYYYMMDD` with the top bit set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiVersion(NonZeroU32);

/// An invalid version.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{text:?} is not a version; write v2, 2 or a date such as 2026-01-31")]
pub struct VersionError {
    /// The text as received, truncated to 40 characters.
    pub text: String,
}

impl ApiVersion {
    /// Parses `v2`, `V2`, `2` or `2026-01-31`, ignoring surrounding white space.
    ///
    /// # Errors
    /// If it is anything else: also a number of more than nine digits or with a leading zero, and a
    /// date that does not exist.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let trimmed = text.trim_matches([' ', '\t']);
        let digits = trimmed.strip_prefix(['v', 'V']).unwrap_or(trimmed);
        Self::from_digits(digits)
            .or_else(|| Self::from_date(trimmed))
            .ok_or_else(|| VersionError {
                text: text.chars().take(40).collect(),
            })
    }

    /// The version that a pattern segment states: a lower-case `v` and one to nine digits without a
    /// leading zero.
    #[must_use]
    pub fn of_segment(segment: &str) -> Option<Self> {
        segment.strip_prefix('v').and_then(Self::from_digits)
    }

    /// Whether the version is a number: only numbers can be stated in a path.
    #[must_use]
    pub fn is_number(self) -> bool {
        self.0.get() < DATED
    }

    /// The canonical text, without an allocation.
    #[must_use]
    pub fn text(self) -> VersionText {
        let packed = self.0.get();
        let mut text = VersionText {
            bytes: [0; 10],
            length: 0,
        };
        if self.is_number() {
            text.push(b'v');
            text.push_digits(packed - 1, 1);
        } else {
            let date = packed & !DATED;
            text.push_digits(date / 10_000, 4);
            text.push(b'-');
            text.push_digits(date / 100 % 100, 2);
            text.push(b'-');
            text.push_digits(date % 100, 2);
        }
        text
    }

    fn from_digits(digits: &str) -> Option<Self> {
        let plain = (1..=9).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'));
        let number: u32 = plain.then(|| digits.parse().ok())??;
        NonZeroU32::new(number + 1).map(Self)
    }

    fn from_date(text: &str) -> Option<Self> {
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| match at {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        let date: Date = shaped.then(|| text.parse().ok())??;
        let year = u32::try_from(date.year()).ok()?;
        let month = u32::try_from(date.month()).ok()?;
        let day = u32::try_from(date.day()).ok()?;
        NonZeroU32::new(DATED | (year * 10_000 + month * 100 + day)).map(Self)
    }
}

impl fmt::Display for ApiVersion {
    /// The canonical text, `v2` or `2026-01-31`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

/// The text of a version, stored inline.
#[derive(Clone, Copy, Debug)]
pub struct VersionText {
    bytes: [u8; 10],
    length: usize,
}

impl VersionText {
    /// `v2` or `2026-01-31`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(next) = self.bytes.get_mut(self.length) {
            *next = byte;
            self.length += 1;
        }
    }

    fn push_digits(&mut self, number: u32, at_least: u32) {
        if number >= 10 || at_least > 1 {
            self.push_digits(number / 10, at_least.saturating_sub(1).max(1));
        }
        self.push(u8::try_from(number % 10).map_or(b'0', |digit| b'0' + digit));
    }
}

/// The bit that marks a date: larger than any packed number, so that dates come after numbers.
const DATED: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ApiVersion {
        ApiVersion::parse(text).unwrap()
    }

    #[test]
    fn valid_versions() {
        for (text, canonical) in [
            ("v2", "v2"),
            ("V2", "v2"),
            (" 2\t", "v2"),
            ("0", "v0"),
            ("v999999999", "v999999999"),
            ("2026-01-31", "2026-01-31"),
            ("2024-02-29", "2024-02-29"),
        ] {
            assert_eq!(version(text).to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn invalid_versions() {
        for text in [
            "",
            " ",
            "v",
            "vv2",
            "v02",
            "00",
            "v1.2",
            "-1",
            "+1",
            "1234567890",
            "latest",
            "v2 v3",
            "2026-02-30",
            "2026-13-01",
            "2026-1-31",
            "v2026-01-31",
            "20260131x",
            "२",
        ] {
            assert!(ApiVersion::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            ApiVersion::parse("latest").unwrap_err().to_string(),
            "\"latest\" is not a version; write v2, 2 or a date such as 2026-01-31"
        );
    }

    #[test]
    fn numbers_order_as_numbers_and_dates_come_last() {
        let order = [
            "v0",
            "v2",
            "v10",
            "v999999999",
            "0001-01-01",
            "2025-12-31",
            "2026-01-01",
        ];
        assert!(order.map(version).is_sorted());
    }

    #[test]
    fn segments_that_state_a_version() {
        assert_eq!(ApiVersion::of_segment("v2"), Some(version("v2")));
        for segment in [
            "V2",
            "2",
            "v",
            "v02",
            "v2x",
            "v1234567890",
            "2026-01-31",
            "",
        ] {
            assert_eq!(ApiVersion::of_segment(segment), None, "{segment}");
        }
    }
}
