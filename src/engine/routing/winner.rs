//! The winner of a walk: the first route entry that serves.

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
    /// The entry that serves, and what stated its version.
    Winner(&'s RouteEntry, Option<VersionSource>),
    /// No entry serves; whether any matches by host and path.
    Nothing { seen: bool },
}

/// The first entry that serves.
pub(crate) fn winner<'s, H: Headers + ?Sized>(
    walk: &Walk<'s, '_, H>,
) -> Result<Found<'s>, Box<Rejection<'static>>> {
    // Separate variables: assembling one value in the closure is measurably slower.
    let mut entry = None;
    let mut source = None;
    let mut seen = false;
    let mut refused = None;
    walk.each_entry(|visited, verdict| {
        match verdict {
            Verdict::Serves(stated_by) => {
                entry = Some(visited.entry);
                source = stated_by;
                if walk.encoded_slash == EncodedSlash::Absent {
                    return ControlFlow::Break(());
                }
                refused = encoded_slash_error(walk.encoded_slash, walk.route(visited.entry));
            }
            Verdict::Conflict(_) | Verdict::Required => {
                refused = Some(rejection_of(walk, visited, verdict));
            }
            Verdict::Header(_)
            | Verdict::Query(_)
            | Verdict::Method { .. }
            | Verdict::Version { .. }
            | Verdict::Fenced => {
                seen = true;
                return ControlFlow::Continue(());
            }
        }
        ControlFlow::Break(())
    })?;
    match (refused, entry) {
        (Some(reject), _) => Err(Box::new(reject)),
        (None, Some(entry)) => Ok(Found::Winner(entry, source)),
        (None, None) => Ok(Found::Nothing { seen }),
    }
}

fn encoded_slash_error(slash: EncodedSlash, route: &Route) -> Option<Rejection<'static>> {
    let fault = match slash {
        EncodedSlash::Absent => return None,
        EncodedSlash::Plain if route.keeps_encoded_slashes() => return None,
        EncodedSlash::Plain => EncodedSlashError::NotKept,
        EncodedSlash::HidesDotSegment => EncodedSlashError::HidesDotSegment,
    };
    Some(Rejection::EncodedSlash(fault))
}

/// The rejection by an entry at which the walk ends.
#[cold]
fn rejection_of<H: Headers + ?Sized>(
    walk: &Walk<'_, '_, H>,
    visited: Visited<'_>,
    verdict: Verdict,
) -> Rejection<'static> {
    let Verdict::Conflict(by_path) = verdict else {
        // A version that the path states is asked for by the path, not by a header.
        let entries = walk.entries(visited.group).iter().copied();
        let open: Vec<RouteEntry> = entries
            .filter(|entry| entry.stated_by_path().is_none())
            .collect();
        return Rejection::VersionRequired {
            exist: versions(&open),
        };
    };
    let by_header = stated(walk)
        .map(|(version, source)| format!("{} states {version}", source.name()))
        .unwrap_or_default();
    Rejection::VersionConflict(format!("the path states {by_path}, but {by_header}"))
}

pub(crate) fn stated<H: Headers + ?Sized>(
    walk: &Walk<'_, '_, H>,
) -> Option<(ApiVersion, VersionSource)> {
    walk.table.versioning.read(walk.headers).ok()?.version
}

pub(crate) fn versions(entries: &[RouteEntry]) -> Vec<ApiVersion> {
    let versions: BTreeSet<_> = entries.iter().filter_map(|entry| entry.version).collect();
    versions.into_iter().collect()
}
