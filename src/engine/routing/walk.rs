//! The walk: visits the route entries whose host and path match, in the order of precedence, each
//! with its verdict.
//!
//! [`decide`](crate::engine::routing::decide()) stops at the first entry that serves;
//! [`explain`](crate::engine::explain) continues. Both use the same verdicts.
//!
//! A *fence* is an entry that would serve the request except that its route exists in other
//! versions than the stated one. Only routes of the same service or pattern may serve behind a
//! fence: `Accept-Version: v9` on a users path is rejected and does not reach a catch-all page.

use std::ops::ControlFlow;

use crate::engine::request::Headers;
use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::index::Index;
use crate::engine::routing::method::Method;
use crate::engine::routing::path::EncodedSlash;
use crate::engine::routing::rejection::Rejection;
use crate::engine::routing::route::Route;
use crate::engine::routing::router::{HostTrie, pattern_of};
use crate::engine::routing::table::Table;
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::{DefaultVersion, Stated, StatedError, VersionSource};

/// A parsed request and the table in which it is looked up.
#[derive(Debug)]
pub(crate) struct Walk<'s, 'w, H: ?Sized> {
    pub(crate) table: &'s Table,
    pub(crate) method: Method<'w>,
    /// The path in normal form.
    pub(crate) path: &'w str,
    pub(crate) encoded_slash: EncodedSlash,
    pub(crate) query: Option<&'w str>,
    /// The host in normal form.
    pub(crate) host: Option<&'w str>,
    pub(crate) headers: &'w H,
}

/// An entry that the walk visits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visited<'s> {
    pub(crate) trie: &'s HostTrie,
    pub(crate) group: Index,
    pub(crate) entry: &'s RouteEntry,
}

/// Whether an entry whose host and path match serves the request, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The entry serves the request; holds where the request states the version.
    Serves(Option<VersionSource>),
    /// The header constraint with this index fails.
    Header(usize),
    /// The query constraint with this index fails.
    Query(usize),
    /// The entry does not admit the method.
    Method { serves_version: bool, fenced: bool },
    /// The entry does not serve the version that the headers state.
    Version { fenced: bool },
    /// The entry would serve, but stands behind a fence.
    Fenced,
    /// The path states this version, but the headers another: the request is rejected.
    Conflict(ApiVersion),
    /// The entry would serve if the request stated a version: the request is rejected.
    Required,
}

impl<'s, H: Headers + ?Sized> Walk<'s, '_, H> {
    /// Calls `visit` with every entry whose host and path match, best first, until it breaks.
    ///
    /// # Errors
    /// If the walk reaches an entry with a version, and the headers state an invalid version or two
    /// that differ.
    #[inline]
    pub(crate) fn each_entry(
        &self,
        mut visit: impl FnMut(Visited<'s>, Verdict) -> ControlFlow<()>,
    ) -> Result<(), Box<Rejection<'static>>> {
        let mut progress = Progress {
            stated: None,
            fences: Vec::new(),
            rejection: None,
        };
        let router = &self.table.router;
        if router.has_hosts() {
            for trie in router.each_trie(self.host) {
                if self.visit_trie(trie, &mut progress, &mut visit).is_break() {
                    break;
                }
            }
        } else if let Some(trie) = router.any_host() {
            let _ = self.visit_trie(trie, &mut progress, &mut visit);
        }
        match progress.rejection {
            None => Ok(()),
            Some(rejection) => Err(rejection),
        }
    }

    #[inline]
    fn visit_trie(
        &self,
        trie: &'s HostTrie,
        progress: &mut Progress,
        visit: &mut impl FnMut(Visited<'s>, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(best) = trie.best(self.path) else {
            return ControlFlow::Continue(());
        };
        self.visit_group(trie, best, progress, visit)?;
        trie.each_further(self.path, &mut |group| {
            self.visit_group(trie, group, progress, visit)
        })
    }

    #[inline]
    fn visit_group(
        &self,
        trie: &'s HostTrie,
        group: Index,
        progress: &mut Progress,
        visit: &mut impl FnMut(Visited<'s>, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut visit = |entry, verdict| visit(Visited { trie, group, entry }, verdict);
        let entries = self.table.router.entries_from(group);
        let is_versioned = entries
            .first()
            .is_some_and(|entry| entry.is_in_versioned_group());
        if is_versioned && self.table.versioning.is_mentioned(self.headers) {
            return self.visit_versions(self.entries(group), progress, &mut visit);
        }
        for entry in entries {
            visit(entry, self.evaluate_unstated(entry, progress))?;
            if entry.ends_group() {
                break;
            }
        }
        ControlFlow::Continue(())
    }

    /// Visits a group that has versions, if the headers may state or prefer versions.
    fn visit_versions(
        &self,
        entries: &'s [RouteEntry],
        progress: &mut Progress,
        visit: &mut impl FnMut(&'s RouteEntry, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let stated = match progress.stated.take() {
            Some(stated) => stated,
            None => match self.table.versioning.read(self.headers) {
                Ok(stated) => stated,
                Err(error) => {
                    progress.rejection = Some(Box::new(rejection(&error)));
                    return ControlFlow::Break(());
                }
            },
        };
        let flow = match stated.version {
            Some((version, source)) => self.visit_stated(version, source, entries, progress, visit),
            None => {
                let preferred = self.preferred(&stated, entries);
                self.visit_preferring(preferred, entries, progress, visit)
            }
        };
        progress.stated = Some(stated);
        flow
    }

    /// Visits a group that has versions, if `Accept` may prefer one: first the entries whose path
    /// states a version, then those of the preferred version, then the rest.
    fn visit_preferring(
        &self,
        preferred: Option<ApiVersion>,
        entries: &'s [RouteEntry],
        progress: &Progress,
        visit: &mut impl FnMut(&'s RouteEntry, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let class = |entry: &RouteEntry| match entry.stated_by_path() {
            Some(_) => 0,
            None if preferred.is_some() && entry.version == preferred => 1,
            None => 2,
        };
        for wanted in 0..=2 {
            for entry in entries.iter().filter(|entry| class(entry) == wanted) {
                let verdict = if wanted == 1 {
                    self.evaluate(entry, progress, Some(VersionSource::Accept), true)
                } else {
                    self.evaluate_unstated(entry, progress)
                };
                visit(entry, verdict)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Visits a group that has versions, if the headers state one: first the entries of that
    /// version, then neutral ones, then the rest.
    fn visit_stated(
        &self,
        stated: ApiVersion,
        source: VersionSource,
        entries: &'s [RouteEntry],
        progress: &mut Progress,
        visit: &mut impl FnMut(&'s RouteEntry, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let class = |entry: &RouteEntry| match entry.version {
            Some(version) if version == stated => 0,
            None => 1,
            Some(_) => 2,
        };
        for wanted in 0..=2 {
            for entry in entries.iter().filter(|entry| class(entry) == wanted) {
                let source = entry
                    .stated_by_path()
                    .map_or(source, |_| VersionSource::Path);
                let source = (wanted == 0).then_some(source);
                let mut verdict = self.evaluate(entry, progress, source, wanted != 2);
                if let Verdict::Version { fenced } = verdict {
                    match entry.stated_by_path() {
                        Some(_) if fenced => verdict = Verdict::Fenced,
                        Some(by_path) => verdict = Verdict::Conflict(by_path),
                        None => progress.fences.push(*entry),
                    }
                }
                visit(entry, verdict)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The verdict on an entry if the headers state no version.
    #[inline]
    fn evaluate_unstated(&self, entry: &RouteEntry, progress: &Progress) -> Verdict {
        let class = entry.unstated_class();
        let source = (class == 0).then_some(VersionSource::Path);
        let verdict = self.evaluate(entry, progress, source, true);
        let is_required = self.table.versioning.default == DefaultVersion::Require
            && entry.is_rejected_unstated();
        if is_required && matches!(verdict, Verdict::Serves(_)) {
            Verdict::Required
        } else {
            verdict
        }
    }

    /// The verdict on an entry: checks headers, query, method and fences. The caller provides
    /// whether the entry serves the version.
    #[inline]
    fn evaluate(
        &self,
        entry: &RouteEntry,
        progress: &Progress,
        source: Option<VersionSource>,
        serves_version: bool,
    ) -> Verdict {
        if entry.is_constrained()
            && let Some(failed) = self.failed_constraint(entry)
        {
            return failed;
        }
        let fenced = !progress.fences.is_empty() && self.is_fenced(entry, progress);
        if !self.admits_method(entry) {
            return Verdict::Method {
                serves_version,
                fenced,
            };
        }
        match (serves_version, fenced) {
            (false, fenced) => Verdict::Version { fenced },
            (true, true) => Verdict::Fenced,
            (true, false) => Verdict::Serves(source),
        }
    }

    #[inline]
    fn admits_method(&self, entry: &RouteEntry) -> bool {
        entry.methods.meets(self.method.bit())
            && (!self.method.is_extension()
                || self.route(entry).methods().lists(self.method.as_str()))
    }

    fn failed_constraint(&self, entry: &RouteEntry) -> Option<Verdict> {
        let route = self.route(entry);
        let header = route
            .headers()
            .iter()
            .position(|c| !c.admits_headers(self.headers));
        let query = || {
            route
                .query()
                .iter()
                .position(|c| !c.admits_query(self.query))
        };
        header
            .map(Verdict::Header)
            .or_else(|| query().map(Verdict::Query))
    }

    /// The most preferred version that an entry of this group serves, if it admits the request.
    fn preferred(&self, stated: &Stated, entries: &[RouteEntry]) -> Option<ApiVersion> {
        stated
            .preferred
            .iter()
            .map(|(_, version)| *version)
            .find(|version| {
                entries.iter().any(|entry| {
                    entry.version == Some(*version)
                        && entry.stated_by_path().is_none()
                        && self.admits_method(entry)
                        && self.failed_constraint(entry).is_none()
                })
            })
    }

    /// Whether the entry stands behind a fence of another service and pattern.
    #[cold]
    fn is_fenced(&self, entry: &RouteEntry, progress: &Progress) -> bool {
        let route = self.route(entry);
        progress.fences.iter().any(|fence| {
            let fencing = self.route(fence);
            fencing.service_id != route.service_id
                && pattern_of(*fence, fencing).shape() != pattern_of(*entry, route).shape()
        })
    }

    pub(crate) fn entries(&self, group: Index) -> &'s [RouteEntry] {
        self.table.router.entries(group)
    }

    pub(crate) fn route(&self, entry: &RouteEntry) -> &'s Route {
        self.table.route(entry.route)
    }
}

/// The state of a walk.
#[derive(Debug)]
struct Progress {
    /// What the headers state, once read.
    stated: Option<Stated>,
    fences: Vec<RouteEntry>,
    rejection: Option<Box<Rejection<'static>>>,
}

fn rejection(error: &StatedError) -> Rejection<'static> {
    match error {
        StatedError::Invalid { .. } => Rejection::VersionInvalid(error.to_string()),
        StatedError::Conflict { .. } => Rejection::VersionConflict(error.to_string()),
    }
}
