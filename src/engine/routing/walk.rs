//! The walk: every entry whose host and path match, in the order of precedence, with its verdict.
//!
//! [`decide`](crate::engine::routing::decide) stops it at the first entry that serves,
//! [`explain`](crate::engine::explain) looks on; there is no second way to weigh an entry.

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

/// One request, parsed, on its way through one table.
#[derive(Debug)]
pub(crate) struct Walk<'s, 'w, H: ?Sized> {
    pub(crate) table: &'s Table,
    pub(crate) method: Method<'w>,
    /// The normal path.
    pub(crate) path: &'w str,
    pub(crate) encoded_slash: EncodedSlash,
    pub(crate) query: Option<&'w str>,
    /// The normal host.
    pub(crate) host: Option<&'w str>,
    pub(crate) headers: &'w H,
}

/// An entry that the walk came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visited<'s> {
    pub(crate) trie: &'s HostTrie,
    pub(crate) group: Index,
    pub(crate) entry: &'s RouteEntry,
}

/// What is to be said of an entry and a request whose host and path match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It serves the request; who states the version, if anything does.
    Serves(Option<VersionSource>),
    /// The header constraint at this place fails.
    Header(usize),
    /// The query constraint at this place fails.
    Query(usize),
    /// It does not admit the method.
    Method { serves_version: bool, fenced: bool },
    /// It does not serve the version that the headers state.
    Version { fenced: bool },
    /// It would serve, but for a route before it that serves another version only.
    Fenced,
    /// Its path states another version than the headers: the request is refused.
    Conflict(ApiVersion),
    /// It would serve, if the request stated a version: the request is refused.
    Required,
}

impl<'s, H: Headers + ?Sized> Walk<'s, '_, H> {
    /// Calls `see` with every entry whose host and path match, best first, until it breaks.
    ///
    /// # Errors
    /// If the headers state no version that could be meant, and a versioned entry is reached.
    #[inline]
    pub(crate) fn each_entry(
        &self,
        mut see: impl FnMut(Visited<'s>, Verdict) -> ControlFlow<()>,
    ) -> Result<(), Box<Rejection<'static>>> {
        let mut progress = Progress {
            stated: None,
            fences: Vec::new(),
            halted: None,
        };
        let router = &self.table.router;
        if router.has_hosts() {
            for trie in router.each_trie(self.host) {
                if self.visit_trie(trie, &mut progress, &mut see).is_break() {
                    break;
                }
            }
        } else if let Some(trie) = router.any_host() {
            let _ = self.visit_trie(trie, &mut progress, &mut see);
        }
        match progress.halted {
            None => Ok(()),
            Some(reject) => Err(reject),
        }
    }

    #[inline]
    fn visit_trie(
        &self,
        trie: &'s HostTrie,
        progress: &mut Progress,
        see: &mut impl FnMut(Visited<'s>, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(best) = trie.best(self.path) else {
            return ControlFlow::Continue(());
        };
        self.visit(trie, best, progress, see)?;
        trie.each_further(self.path, &mut |group| {
            self.visit(trie, group, progress, see)
        })
    }

    #[inline]
    fn visit(
        &self,
        trie: &'s HostTrie,
        group: Index,
        progress: &mut Progress,
        see: &mut impl FnMut(Visited<'s>, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut see = |entry, verdict| see(Visited { trie, group, entry }, verdict);
        let entries = self.table.router.entries_from(group);
        let versioned = entries
            .first()
            .is_some_and(|entry| entry.is_in_versioned_group());
        if versioned && self.table.versioning.is_mentioned(self.headers) {
            return self.visit_versions(self.entries(group), progress, &mut see);
        }
        for entry in entries {
            see(entry, self.weigh_unstated(entry, progress))?;
            if entry.ends_group() {
                break;
            }
        }
        ControlFlow::Continue(())
    }

    /// A group that has versions, for a request whose headers say something of versions.
    fn visit_versions(
        &self,
        entries: &'s [RouteEntry],
        progress: &mut Progress,
        see: &mut impl FnMut(&'s RouteEntry, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let stated = match progress.stated.take() {
            Some(stated) => stated,
            None => match self.table.versioning.read(self.headers) {
                Ok(stated) => stated,
                Err(fault) => {
                    progress.halted = Some(Box::new(refusal(&fault)));
                    return ControlFlow::Break(());
                }
            },
        };
        let flow = match stated.version {
            Some((version, source)) => self.visit_stated(version, source, entries, progress, see),
            None => {
                let preferred = self.preferred(&stated, entries);
                self.visit_preferring(preferred, entries, progress, see)
            }
        };
        progress.stated = Some(stated);
        flow
    }

    /// A group of versions, for a request that would like one: first what the path states, then
    /// the preferred version, then the rest as if none were stated.
    fn visit_preferring(
        &self,
        preferred: Option<ApiVersion>,
        entries: &'s [RouteEntry],
        progress: &Progress,
        see: &mut impl FnMut(&'s RouteEntry, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let class = |entry: &RouteEntry| match entry.stated_by_path() {
            Some(_) => 0,
            None if preferred.is_some() && entry.version == preferred => 1,
            None => 2,
        };
        for wanted in 0..=2 {
            for entry in entries.iter().filter(|entry| class(entry) == wanted) {
                let verdict = if wanted == 1 {
                    self.weigh(entry, progress, Some(VersionSource::Accept), true)
                } else {
                    self.weigh_unstated(entry, progress)
                };
                see(entry, verdict)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// A group that has versions, for a request whose headers state one.
    fn visit_stated(
        &self,
        stated: ApiVersion,
        source: VersionSource,
        entries: &'s [RouteEntry],
        progress: &mut Progress,
        see: &mut impl FnMut(&'s RouteEntry, Verdict) -> ControlFlow<()>,
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
                let mut verdict = self.weigh(entry, progress, source, wanted != 2);
                if let Verdict::Version { fenced } = verdict {
                    match entry.stated_by_path() {
                        Some(_) if fenced => verdict = Verdict::Fenced,
                        Some(by_path) => verdict = Verdict::Conflict(by_path),
                        None => progress.fences.push(*entry),
                    }
                }
                see(entry, verdict)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// An entry, for a request whose headers insist on no version.
    #[inline]
    fn weigh_unstated(&self, entry: &RouteEntry, progress: &Progress) -> Verdict {
        let class = entry.unstated_class();
        let source = (class == 0).then_some(VersionSource::Path);
        let verdict = self.weigh(entry, progress, source, true);
        let must_state =
            self.table.versioning.default == DefaultVersion::Require && entry.is_refused_unstated();
        if must_state && matches!(verdict, Verdict::Serves(_)) {
            Verdict::Required
        } else {
            verdict
        }
    }

    /// Headers, query, method, fences and, as the caller knows it, the version.
    #[inline]
    fn weigh(
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

    /// The first preference that an entry of this group serves and that passes all else.
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

    /// After an entry that would serve but for its version, only its service or its pattern may.
    #[cold]
    fn is_fenced(&self, entry: &RouteEntry, progress: &Progress) -> bool {
        let route = self.route(entry);
        progress.fences.iter().any(|fence| {
            let before = self.route(fence);
            before.service_id != route.service_id
                && pattern_of(*fence, before).shape() != pattern_of(*entry, route).shape()
        })
    }

    pub(crate) fn entries(&self, group: Index) -> &'s [RouteEntry] {
        self.table.router.entries(group)
    }

    pub(crate) fn route(&self, entry: &RouteEntry) -> &'s Route {
        self.table.route(entry.route)
    }
}

/// What the walk has learnt so far.
#[derive(Debug)]
struct Progress {
    stated: Option<Stated>,
    fences: Vec<RouteEntry>,
    halted: Option<Box<Rejection<'static>>>,
}

fn refusal(fault: &StatedError) -> Rejection<'static> {
    match fault {
        StatedError::Invalid { .. } => Rejection::VersionInvalid(fault.to_string()),
        StatedError::Conflict { .. } => Rejection::VersionConflict(fault.to_string()),
    }
}
