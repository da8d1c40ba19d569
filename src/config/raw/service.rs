//! The `services` of a configuration, as plain data.

use crate::config::document::Place;
use crate::config::raw::At;
use crate::config::raw::policy::{RawUpstream, upstream};
use crate::config::reader::{Reader, Shape};

/// An entry of `services`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawService {
    /// The key: its name.
    pub name: At<String>,
    /// Addresses that serve it whatever the version.
    pub backends: Option<At<Vec<At<String>>>>,
    /// Its versions, in the order of the file.
    pub versions: Vec<RawVersion>,
    /// How its backends are spoken to.
    pub upstream: Option<Box<RawUpstream>>,
}

/// An entry of a service's `versions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawVersion {
    /// The key: the version.
    pub name: At<String>,
    /// Addresses that serve this version.
    pub backends: Option<At<Vec<At<String>>>>,
    /// Since when it should not be used.
    pub deprecated: Option<At<String>>,
    /// When it ends.
    pub sunset: Option<At<String>>,
    /// Where one can read about that.
    pub link: Option<At<String>>,
}

/// The keys of a service.
pub(in crate::config) const SERVICE: Shape<5> = Shape {
    what: "a service",
    keys: ["backends", "versions", "protocol", "tls", "max_in_flight"],
    not_built: &["health_check", "discover"],
    example: "{backends: [\"users-1:8080\"]}",
};

/// The keys of a version of a service.
pub(in crate::config) const VERSION: Shape<4> = Shape {
    what: "a version",
    keys: ["backends", "deprecated", "sunset", "link"],
    not_built: &[],
    example: "{backends: [\"users-1:8080\"]}",
};

pub(super) fn service(
    reader: &mut Reader<'_>,
    name: At<String>,
    place: Place,
) -> Option<RawService> {
    let [backends, versions, upstream @ ..] = reader.fields(place, &SERVICE)?;
    let backends = backends.and_then(|place| reader.texts(place));
    let versions = versions.and_then(|place| {
        let form = "{v1: {backends: [\"users-1:8080\"]}}";
        reader.entries(place, "a map from versions to their backends", form)
    });
    let versions = versions.unwrap_or_default().into_iter();
    let versions = versions
        .filter_map(|(name, place)| version(reader, name, place))
        .collect();
    Some(RawService {
        name,
        backends,
        versions,
        upstream: self::upstream(reader, upstream),
    })
}

fn version(reader: &mut Reader<'_>, name: At<String>, place: Place) -> Option<RawVersion> {
    let [backends, deprecated, sunset, link] = reader.fields(place, &VERSION)?;
    Some(RawVersion {
        name,
        backends: backends.and_then(|place| reader.texts(place)),
        deprecated: deprecated.and_then(|place| reader.plain_text(place)),
        sunset: sunset.and_then(|place| reader.plain_text(place)),
        link: link.and_then(|place| reader.plain_text(place)),
    })
}
