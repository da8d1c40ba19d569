//! Versions: their syntax, and those that a request's headers state or prefer.

use std::fmt;

use crate::reference::constraints::values_of;
use crate::reference::model::{Request, Versioning};

/// A version; numbers order as numbers, dates after all numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Number(u32),
    Dated(String),
}

impl Version {
    /// Parses `v2`, `V2`, `2` or `2026-01-31`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if is_date(text) {
            return Some(Self::Dated(text.to_owned()));
        }
        number(text.strip_prefix(['v', 'V']).unwrap_or(text)).map(Self::Number)
    }

    /// Parses a version segment of a pattern: only `v2`.
    pub(crate) fn parse_segment(text: &str) -> Option<Self> {
        number(text.strip_prefix('v')?).map(Self::Number)
    }

    /// The path segment that states the version; `None` for dates.
    pub(crate) fn segment(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(format!("v{number}")),
            Self::Dated(_) => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(out, "v{number}"),
            Self::Dated(date) => write!(out, "{date}"),
        }
    }
}

/// The version that the three version headers state together.
///
/// # Errors
/// `version.invalid` if a value is invalid, else `version.conflict` if two differ.
pub(crate) fn stated_by_header(
    versioning: &Versioning,
    request: &Request,
) -> Result<Option<Version>, &'static str> {
    let mut stated = Vec::new();
    for name in HEADER_SOURCES {
        if versioning.reads(name) {
            for value in values_of(request, name) {
                stated.push(Version::parse(value).ok_or("version.invalid")?);
            }
        }
    }
    stated.sort();
    stated.dedup();
    match stated.len() {
        0 | 1 => Ok(stated.pop()),
        _ => Err("version.conflict"),
    }
}

/// The versions that `Accept` prefers, best first.
pub(crate) fn preferred_by_accept(versioning: &Versioning, request: &Request) -> Vec<Version> {
    let mut preferences = Vec::new();
    if versioning.reads("accept") {
        for value in values_of(request, "accept") {
            preferences.extend(value.split(',').filter_map(preference));
        }
    }
    preferences.retain(|(quality, _)| *quality > 0);
    preferences.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    preferences
        .into_iter()
        .map(|(_, version)| version)
        .collect()
}

/// The weight in thousandths and the version of a media range,
/// `application/vnd.NAME.v2+json;q=0.5`.
fn preference(range: &str) -> Option<(u32, Version)> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?.to_ascii_lowercase();
    let name = media.strip_prefix("application/vnd.")?.split('+').next()?;
    let (vendor, version) = name.rsplit_once('.')?;
    if vendor.is_empty() {
        return None;
    }
    let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    Some((
        thousandths(quality.unwrap_or("1"))?,
        Version::parse_segment(version)?,
    ))
}

/// A quality value of RFC 9110 in thousandths: `0.25` is 250.
fn thousandths(quality: &str) -> Option<u32> {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    format!("{whole}{fraction:0<3}").parse().ok()
}

fn number(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let short = (1..=9).contains(&digits.len());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if plain && short && !leading_zero {
        digits.parse().ok()
    } else {
        None
    }
}

fn is_date(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let fields: Vec<u32> = text
        .split('-')
        .filter_map(|field| field.parse().ok())
        .collect();
    shape == "0000-00-00" && matches!(fields.as_slice(), [_, 1..=12, day] if (1..=31).contains(day))
}

const HEADER_SOURCES: [&str; 3] = ["accept-version", "x-api-version", "api-version"];
