//! The announcement of the end of a version: `Deprecation`, `Sunset` and `Link`.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;
use thiserror::Error;

use crate::engine::semantics::Edits;

/// The response fields that announce the end of a version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deprecation {
    headers: Box<[(&'static str, Box<str>)]>,
}

/// An invalid deprecation.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DeprecationError {
    /// Text that is not a date.
    #[error("{0:?} is not a date; write one such as 2026-01-31 or 2026-01-31T12:00:00Z")]
    Date(String),
    /// A version that ends before it is deprecated (RFC 9745, section 4).
    #[error("a version cannot end ({sunset}) before it is deprecated ({deprecated})")]
    Order {
        /// The date of its end.
        sunset: String,
        /// The date of its deprecation.
        deprecated: String,
    },
    /// A link that is not a URL.
    #[error("{0:?} is not a link; write a URL that begins with https:// or http://")]
    Link(String),
}

impl Deprecation {
    /// The fields `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` of a version; `None` if
    /// both dates are. Dates are days or instants (RFC 3339).
    ///
    /// # Errors
    /// If a date or the link is invalid, or the version ends before it is deprecated.
    pub fn new(
        deprecated: Option<&str>,
        sunset: Option<&str>,
        link: Option<&str>,
    ) -> Result<Option<Arc<Self>>, DeprecationError> {
        let deprecated_at = deprecated.map(instant).transpose()?;
        let sunset_at = sunset.map(instant).transpose()?;
        if let (Some(end), Some(start)) = (sunset_at, deprecated_at)
            && end < start
        {
            return Err(DeprecationError::Order {
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
                date.map_err(|_| DeprecationError::Date(text.into()))?
                    .into(),
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
        let has_date = deprecated_at.is_some() || sunset_at.is_some();
        Ok(has_date.then(|| {
            Arc::new(Self {
                headers: headers.into(),
            })
        }))
    }

    /// The fields, with names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, &**value))
    }
}

impl Deprecation {
    /// Adds the fields to the edits of a response. The dates replace those of the backend; the link
    /// is appended.
    pub(super) fn on_response(&self, edits: &mut Edits) {
        for (name, value) in self.headers() {
            if name == "link" {
                edits.add(name, value.as_bytes());
            } else {
                edits.set(name, value.as_bytes());
            }
        }
    }

    /// What the policy does, in one sentence.
    pub(super) fn explain(&self) -> String {
        let fields: Vec<_> = self
            .headers()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        format!("response adds {}", fields.join("; "))
    }
}

fn instant(text: &str) -> Result<Timestamp, DeprecationError> {
    let error = || DeprecationError::Date(text.chars().take(40).collect());
    if text.contains(['T', 't', ' ']) {
        return text.parse().map_err(|_| error());
    }
    let day: Date = text.parse().map_err(|_| error())?;
    day.to_zoned(TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .map_err(|_| error())
}

fn checked_link(url: &str) -> Result<&str, DeprecationError> {
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
        None => Err(DeprecationError::Link(url.chars().take(80).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::semantics::tests::applied;

    fn lines(deprecated: Option<&str>, sunset: Option<&str>, link: Option<&str>) -> Vec<String> {
        match Deprecation::new(deprecated, sunset, link) {
            Ok(None) => Vec::new(),
            Ok(Some(deprecation)) => deprecation
                .headers()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect(),
            Err(error) => vec![error.to_string()],
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
    fn errors() {
        assert_eq!(
            lines(Some("soon"), None, None),
            ["\"soon\" is not a date; write one such as 2026-01-31 or 2026-01-31T12:00:00Z"]
        );
        assert_eq!(
            lines(Some("2026-02-01"), Some("2026-01-01"), None),
            ["a version cannot end (2026-01-01) before it is deprecated (2026-02-01)"]
        );
        assert_eq!(
            lines(Some("2026-02-01"), None, Some("a.test")),
            ["\"a.test\" is not a link; write a URL that begins with https:// or http://"]
        );
    }

    #[test]
    fn responses_announce_the_end_of_a_version() {
        let deprecation = Deprecation::new(Some("2026-01-31"), None, Some("https://a.test/v2"));
        let headers = [("Deprecation", "@1"), ("Link", "</>; rel=\"up\"")];
        let mut edits = Edits::new();
        deprecation.unwrap().unwrap().on_response(&mut edits);
        let own = "<https://a.test/v2>; rel=\"deprecation\"";
        assert_eq!(
            applied(&edits, &headers[..]),
            [
                ("link", "</>; rel=\"up\""),
                ("deprecation", "@1769817600"),
                ("link", own),
            ]
            .map(|(name, value)| (name.into(), value.into()))
        );
    }
}
