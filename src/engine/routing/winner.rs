//! The winner of a walk: the first route entry that serves the request.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::engine::request::Headers;
use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::path::EncodedSlash;
use crate::engine::routing::rejection::{EncodedSlashError, Rejection};
use crate::engine::routing::route::Route;
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::VersionSource;
use crate::engine::routing::walk::{Verdict, Visited, Walk};

/// The outcome of a walk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'s> {
    /// The entry that serves, and where the request states its version.
    Winner(&'s RouteEntry, Option<VersionSource>),
    /// No entry serves. `path_matches`: at least one matches by host and path.
    Nothing { path_matches: bool },
}

/// The first entry that serves.
pub(crate) fn winner<'s, H: Headers + ?Sized>(
    walk: &Walk<'s, '_, H>,
) -> Result<Found<'s>, Box<Rejection<'static>>> {
    // Separate variables: building one value in the closure is measurably slower.
    let mut entry = None;
    let mut source = None;
    let mut path_matches = false;
    let mut rejected = None;
    walk.each_entry(|visited, verdict| {
        match verdict {
            Verdict::Serves(stated_by) => {
                entry = Some(visited.entry);
                source = stated_by;
                if walk.encoded_slash == EncodedSlash::Absent {
                    return ControlFlow::Break(());
                }
                rejected = encoded_slash_error(walk.encoded_slash, walk.route(visited.entry));
            }
            Verdict::Conflict(_) | Verdict::Required => {
                rejected = Some(rejection_of(walk, visited, verdict));
            }
            Verdict::Header(_)
            | Verdict::Query(_)
            | Verdict::Method { .. }
            | Verdict::Version { .. }
            | Verdict::Fenced => {
                path_matches = true;
                return ControlFlow::Continue(());
            }
        }
        ControlFlow::Break(())
    })?;
    match (rejected, entry) {
        (Some(rejection), _) => Err(Box::new(rejection)),
        (None, Some(entry)) => Ok(Found::Winner(entry, source)),
        (None, None) => Ok(Found::Nothing { path_matches }),
    }
}

fn encoded_slash_error(slash: EncodedSlash, route: &Route) -> Option<Rejection<'static>> {
    let error = match slash {
        EncodedSlash::Absent => return None,
        EncodedSlash::Plain if route.keeps_encoded_slashes() => return None,
        EncodedSlash::Plain => EncodedSlashError::NotAllowed,
        EncodedSlash::HidesDotSegment => EncodedSlashError::HidesDotSegment,
    };
    Some(Rejection::EncodedSlash(error))
}

/// The rejection by an entry that ends the walk.
#[cold]
fn rejection_of<H: Headers + ?Sized>(
    walk: &Walk<'_, '_, H>,
    visited: Visited<'_>,
    verdict: Verdict,
) -> Rejection<'static> {
    let Verdict::Conflict(by_path) = verdict else {
        // List only versions that a header can state; the others are stated by the path.
        let entries = walk.entries(visited.group).iter().copied();
        let by_header: Vec<RouteEntry> = entries
            .filter(|entry| entry.stated_by_path().is_none())
            .collect();
        return Rejection::VersionRequired {
            available: versions(&by_header),
        };
    };
    let by_header = stated(walk)
        .map(|(version, source)| format!("{} states {version}", source.name()))
        .unwrap_or_default();
    Rejection::VersionConflict(format!("the path states {by_path}, but {by_header}"))
}

/// The version that the headers state, and the field that does.
pub(crate) fn stated<H: Headers + ?Sized>(
    walk: &Walk<'_, '_, H>,
) -> Option<(ApiVersion, VersionSource)> {
    walk.table.versioning.read(walk.headers).ok()?.version
}

/// The versions of these entries, sorted.
pub(crate) fn versions(entries: &[RouteEntry]) -> Vec<ApiVersion> {
    let versions: BTreeSet<_> = entries.iter().filter_map(|entry| entry.version).collect();
    versions.into_iter().collect()
}
