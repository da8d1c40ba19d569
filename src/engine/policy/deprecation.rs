//! The end of a version's life, as responses announce it.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;
use thiserror::Error;

/// The response headers of a version that is deprecated or will end, as names and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    headers: Box<[(&'static str, Box<str>)]>,
}

/// A lifecycle that cannot be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LifecycleError {
    /// Text that is no date.
    #[error("{0:?} is no date; write one such as 2026-01-31 or 2026-01-31T12:00:00Z")]
    Date(String),
    /// A version that ends before it is deprecated (RFC 9745, section 4).
    #[error("a version cannot end ({sunset}) before it is deprecated ({deprecated})")]
    Order {
        /// When it ends.
        sunset: String,
        /// Since when it is deprecated.
        deprecated: String,
    },
    /// A link that is no URL.
    #[error("{0:?} is no link; write a URL that begins with https:// or http://")]
    Link(String),
}

impl Lifecycle {
    /// The headers `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` of a version; none if
    /// neither date is given. Dates are days, or instants as of RFC 3339.
    ///
    /// # Errors
    /// If a date or the link is none, or the version ends before it is deprecated.
    pub fn new(
        deprecated: Option<&str>,
        sunset: Option<&str>,
        link: Option<&str>,
    ) -> Result<Option<Arc<Self>>, LifecycleError> {
        let deprecated_at = deprecated.map(instant).transpose()?;
        let sunset_at = sunset.map(instant).transpose()?;
        if let (Some(end), Some(start)) = (sunset_at, deprecated_at)
            && end < start
        {
            return Err(LifecycleError::Order {
                sunset: sunset.unwrap_or_default().into(),
                deprecated: deprecated.unwrap_or_default().into(),
            });
        }
        let mut headers: Vec<(&'static str, Box<str>)> = Vec::new();
        if let Some(at) = deprecated_at {
            headers.push(("deprecation", format!("@{}", at.as_second()).into()));
        }
        if let (Some(at), Some(text)) = (sunset_at, sunset) {
            let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&at);
            headers.push((
                "sunset",
                date.map_err(|_| LifecycleError::Date(text.into()))?.into(),
            ));
        }
        if let Some(url) = link {
            let relation = if deprecated_at.is_some() {
                "deprecation"
            } else {
                "sunset"
            };
            let url = checked_link(url)?;
            headers.push(("link", format!("<{url}>; rel=\"{relation}\"").into()));
        }
        let dated = deprecated_at.is_some() || sunset_at.is_some();
        Ok(dated.then(|| {
            Arc::new(Self {
                headers: headers.into(),
            })
        }))
    }

    /// The headers to add to each response of the version, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, &**value))
    }
}

fn instant(text: &str) -> Result<Timestamp, LifecycleError> {
    let fault = || LifecycleError::Date(text.chars().take(40).collect());
    if text.contains(['T', 't', ' ']) {
        return text.parse().map_err(|_| fault());
    }
    let day: Date = text.parse().map_err(|_| fault())?;
    day.to_zoned(TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .map_err(|_| fault())
}

fn checked_link(url: &str) -> Result<&str, LifecycleError> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let clean = |rest: &&str| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b))
    };
    match rest.filter(clean) {
        Some(_) => Ok(url),
        None => Err(LifecycleError::Link(url.chars().take(80).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(deprecated: Option<&str>, sunset: Option<&str>, link: Option<&str>) -> Vec<String> {
        match Lifecycle::new(deprecated, sunset, link) {
            Ok(None) => Vec::new(),
            Ok(Some(life)) => life
                .headers()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect(),
            Err(fault) => vec![fault.to_string()],
        }
    }

    #[test]
    fn headers() {
        assert_eq!(lines(None, None, None), [""; 0]);
        assert_eq!(
            lines(
                Some("2026-01-31"),
                Some("2026-12-31T12:00:00Z"),
                Some("https://a.test/v1")
            ),
            [
                "deprecation: @1769817600",
                "sunset: Thu, 31 Dec 2026 12:00:00 GMT",
                "link: <https://a.test/v1>; rel=\"deprecation\"",
            ]
        );
        assert_eq!(
            lines(None, Some("1994-11-06"), None),
            ["sunset: Sun, 06 Nov 1994 00:00:00 GMT"]
        );
    }

    #[test]
    fn faults() {
        assert_eq!(
            lines(Some("soon"), None, None),
            ["\"soon\" is no date; write one such as 2026-01-31 or 2026-01-31T12:00:00Z"]
        );
        assert_eq!(
            lines(Some("2026-02-01"), Some("2026-01-01"), None),
            ["a version cannot end (2026-01-01) before it is deprecated (2026-02-01)"]
        );
        assert_eq!(
            lines(Some("2026-02-01"), None, Some("a.test")),
            ["\"a.test\" is no link; write a URL that begins with https:// or http://"]
        );
    }
}
