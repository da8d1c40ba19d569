//! How requests state an API version, and the default if they state none.

use thiserror::Error;

use crate::engine::request::Headers;
use crate::engine::routing::constraint::trim_ows;
use crate::engine::routing::version::{ApiVersion, VersionError};

/// The versioning settings: where requests state a version, and the default if they state none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioning {
    /// The version for requests that state none. Default: [`DefaultVersion::Oldest`].
    pub default: DefaultVersion,
    /// The sources to read. Default: all.
    pub from: VersionSources,
    /// Whether to derive patterns within families of versions. Default: `true`.
    pub derive: bool,
}

/// The version for requests that state none, where no neutral route matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultVersion {
    /// The oldest, so that new versions do not affect existing clients.
    #[default]
    Oldest,
    /// The newest.
    Newest,
    /// None: the request is rejected.
    Require,
}

/// Where a request states a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionSource {
    /// The version segment of the pattern that matches.
    Path,
    /// `Accept-Version`.
    AcceptVersion,
    /// `X-API-Version`.
    XApiVersion,
    /// `Api-Version`.
    ApiVersion,
    /// A vendor media type in `Accept`, which is only a preference.
    Accept,
}

/// A set of sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionSources(u8);

impl VersionSources {
    /// Whether the set contains a source.
    #[inline]
    #[must_use]
    pub const fn contains(self, source: VersionSource) -> bool {
        self.0 & source.bit() != 0
    }
}

impl FromIterator<VersionSource> for VersionSources {
    fn from_iter<I: IntoIterator<Item = VersionSource>>(sources: I) -> Self {
        Self(
            sources
                .into_iter()
                .fold(0, |bits, source| bits | source.bit()),
        )
    }
}

impl VersionSource {
    const fn bit(self) -> u8 {
        match self {
            Self::Path => 1,
            Self::AcceptVersion => 1 << 1,
            Self::XApiVersion => 1 << 2,
            Self::ApiVersion => 1 << 3,
            Self::Accept => 1 << 4,
        }
    }

    /// Every source.
    pub const ALL: [Self; 5] = [
        Self::Path,
        Self::AcceptVersion,
        Self::XApiVersion,
        Self::ApiVersion,
        Self::Accept,
    ];

    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::AcceptVersion => "accept-version",
            Self::XApiVersion => "x-api-version",
            Self::ApiVersion => "api-version",
            Self::Accept => "accept",
        }
    }

    #[inline]
    fn of_header(name: &[u8]) -> Option<Self> {
        let source = match name.len() {
            6 => Self::Accept,
            11 => Self::ApiVersion,
            13 => Self::XApiVersion,
            14 => Self::AcceptVersion,
            _ => return None,
        };
        name.eq_ignore_ascii_case(source.name().as_bytes())
            .then_some(source)
    }
}

impl Default for Versioning {
    fn default() -> Self {
        Self {
            default: DefaultVersion::default(),
            from: VersionSource::ALL.into_iter().collect(),
            derive: true,
        }
    }
}

impl Versioning {
    /// Whether the version segment of a pattern states a version.
    #[must_use]
    pub fn path_counts(&self) -> bool {
        self.from.contains(VersionSource::Path)
    }

    /// Whether the header fields may state or prefer a version: a fast check with false positives.
    #[inline]
    pub(crate) fn is_mentioned<H: Headers + ?Sized>(&self, headers: &H) -> bool {
        headers
            .fields()
            .any(|(name, value)| match VersionSource::of_header(name) {
                None => false,
                Some(VersionSource::Accept) => names_vendor(value),
                Some(_) => true,
            })
    }

    pub(crate) fn derives(&self) -> bool {
        self.derive && self.path_counts()
    }

    /// Reads the version that the header fields state, or the versions that they prefer.
    pub(crate) fn read<H: Headers + ?Sized>(&self, headers: &H) -> Result<Stated, StatedError> {
        let mut stated = Stated::default();
        let mut conflict = None;
        for (name, value) in headers.fields() {
            let Some(source) = VersionSource::of_header(name).filter(|s| self.from.contains(*s))
            else {
                continue;
            };
            if source == VersionSource::Accept {
                if names_vendor(value) {
                    read_accept(value, &mut stated.preferred);
                }
                continue;
            }
            let text = str::from_utf8(value);
            let version = text
                .map_or_else(
                    |_| ApiVersion::parse(&String::from_utf8_lossy(value)),
                    ApiVersion::parse,
                )
                .map_err(|error| StatedError::Invalid {
                    source_name: source.name(),
                    error,
                })?;
            match stated.version {
                Some((other, first)) if other != version => {
                    conflict = conflict.or(Some(StatedError::Conflict {
                        one: first.name(),
                        one_version: other,
                        other: source.name(),
                        other_version: version,
                    }));
                }
                Some(_) => {}
                None => stated.version = Some((version, source)),
            }
        }
        // A stable sort keeps the order of equal weights.
        stated
            .preferred
            .sort_by_key(|preference| std::cmp::Reverse(preference.0));
        conflict.map_or(Ok(stated), Err)
    }

    /// Whether `Accept` can prefer this version.
    pub(crate) fn prefers(&self, version: ApiVersion) -> bool {
        self.from.contains(VersionSource::Accept) && version.is_number()
    }

    /// Whether header fields can state a version.
    pub(crate) fn headers_count(&self) -> bool {
        use VersionSource::{AcceptVersion, ApiVersion, XApiVersion};
        [AcceptVersion, XApiVersion, ApiVersion]
            .iter()
            .any(|s| self.from.contains(*s))
    }
}

/// The version that header fields state, and those that they prefer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stated {
    /// The stated version, and the first field that states it.
    pub(crate) version: Option<(ApiVersion, VersionSource)>,
    /// The preferred versions with their weights in thousandths, best first.
    pub(crate) preferred: Vec<(u16, ApiVersion)>,
}

/// Header fields that state an invalid version, or two that differ.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum StatedError {
    #[error("{source_name}: {error}")]
    Invalid {
        source_name: &'static str,
        error: VersionError,
    },
    #[error("{}", conflict(one, *one_version, other, *other_version))]
    Conflict {
        one: &'static str,
        one_version: ApiVersion,
        other: &'static str,
        other_version: ApiVersion,
    },
}

fn conflict(one: &str, one_version: ApiVersion, other: &str, other_version: ApiVersion) -> String {
    if one == other {
        return format!("{one} occurs twice, with {one_version} and {other_version}");
    }
    format!("{one} states {one_version}, but {other} states {other_version}")
}

/// Whether a value contains `vnd.`.
fn names_vendor(value: &[u8]) -> bool {
    memchr::memchr2_iter(b'v', b'V', value).any(|at| {
        let rest = value.get(at..at + 4);
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(b"vnd."))
    })
}

/// Adds the versions of vendor media types, `application/vnd.NAME.v2+json;q=0.5`
/// (RFC 9110, section 12.5.1), with their weights.
fn read_accept(value: &[u8], preferred: &mut Vec<(u16, ApiVersion)>) {
    const VENDOR: &[u8] = b"application/vnd.";
    for range in value.split(|b| *b == b',') {
        let mut parts = range.split(|b| *b == b';').map(trim_ows);
        let media_type = parts.next().unwrap_or_default();
        let name = match media_type.get(..VENDOR.len()) {
            Some(head) if head.eq_ignore_ascii_case(VENDOR) => media_type.get(VENDOR.len()..),
            _ => None,
        };
        let version = name
            .and_then(|name| std::str::from_utf8(name).ok())
            .and_then(|name| name.split('+').next())
            .and_then(|name| name.rsplit_once('.'))
            .and_then(|(_, label)| ApiVersion::of_segment(&label.to_ascii_lowercase()));
        let weight = parts.find_map(weight).unwrap_or(1_000);
        if let (Some(version), 1..) = (version, weight) {
            preferred.push((weight, version));
        }
    }
}

/// The weight of `q=0.5` in thousandths (RFC 9110, section 12.4.2); `None` if it is invalid.
fn weight(parameter: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(parameter).ok()?;
    let (name, value) = text.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let thousandths: u16 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let whole: u16 = whole.parse().ok()?;
    Some(
        whole
            .saturating_mul(1_000)
            .saturating_add(thousandths)
            .min(1_000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> String {
        match Versioning::default().read(headers) {
            Ok(Stated {
                version: Some((version, source)),
                ..
            }) => {
                format!("{version} by {}", source.name())
            }
            Ok(Stated { preferred, .. }) => preferred
                .iter()
                .map(|(q, v)| format!("{v}@{q}"))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn headers_that_state_a_version() {
        let check = |headers: &[(&str, &str)], expected: &str| {
            assert_eq!(read(headers), expected, "{headers:?}");
        };
        check(&[], "");
        check(&[("Accept-Version", "2")], "v2 by accept-version");
        check(
            &[("X-API-Version", " V2 "), ("api-version", "v2")],
            "v2 by x-api-version",
        );
        check(
            &[("Accept-Version", "v2"), ("Api-Version", "v3")],
            "accept-version states v2, but api-version states v3",
        );
        check(
            &[("Accept-Version", "v2"), ("accept-version", "v3")],
            "accept-version occurs twice, with v2 and v3",
        );
        check(
            &[("Accept-Version", "two")],
            "accept-version: \"two\" is not a version; write v2, 2 or a date such as 2026-01-31",
        );
        check(&[("Accept-Versio", "two"), ("Accept", "*/*")], "");
    }

    #[test]
    fn accept_is_a_preference() {
        let check =
            |accept: &str, expected: &str| assert_eq!(read(&[("Accept", accept)]), expected);
        check("application/vnd.users.v2+json", "v2@1000");
        check("application/vnd.acme.users.V2", "v2@1000");
        check(
            "application/vnd.a.v1+json;q=0.5, application/vnd.a.v2+json; Q=0.75 , */*",
            "v2@750 v1@500",
        );
        check(
            "application/vnd.a.v1+json, application/vnd.a.v2+json",
            "v1@1000 v2@1000",
        );
        check("application/vnd.a.v1+json;q=0", "");
        check("application/vnd.github+json, text/vnd.a.v2", "");
        check("application/vnd.a.v2+json;charset=utf-8;q=0.1", "v2@100");
        check("application/vnd.a.v2+json;q=x", "v2@1000");
    }

    #[test]
    fn only_configured_sources_are_read() {
        let versioning = Versioning {
            from: [VersionSource::XApiVersion].into_iter().collect(),
            ..Versioning::default()
        };
        let headers = [("Accept-Version", "two"), ("X-Api-Version", "3")];
        let stated = versioning.read(&headers[..]).unwrap();
        assert_eq!(
            stated.version.map(|(v, _)| v.to_string()).as_deref(),
            Some("v3")
        );
        assert!(!versioning.path_counts() && !versioning.derives());
    }
}
