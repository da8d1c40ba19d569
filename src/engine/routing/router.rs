//! The compiled router: one trie per host pattern, whose values are groups of route entries.
//!
//! A lookup in a matchit trie returns the best group: the entries of one host and one pattern, in
//! their order of precedence. If none of them admits the request, the
//! [outline](crate::engine::routing::outline) of the host lists the further groups that match.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use crate::engine::routing::entry::{EntryPattern, RouteEntry, entries, mark_group};
use crate::engine::routing::host::{HostPattern, suffixes};
use crate::engine::routing::index::Index;
use crate::engine::routing::method::MethodMask;
use crate::engine::routing::outline::{Outline, OutlineBuilder};
use crate::engine::routing::pattern::PathPattern;
use crate::engine::routing::precedence;
use crate::engine::routing::route::{NO_SEGMENT, Route};
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::{DefaultVersion, Versioning};

/// The tries of all host patterns.
#[derive(Debug)]
pub(crate) struct Router {
    exact: HashMap<Box<str>, Index>,
    suffixes: HashMap<Box<str>, Index>,
    any: Option<Index>,
    tries: Box<[HostTrie]>,
    entries: Box<[RouteEntry]>,
}

/// The patterns of one host pattern.
#[derive(Debug)]
pub(crate) struct HostTrie {
    pub(crate) host: HostPattern,
    trie: matchit::Router<Index>,
    pub(crate) outline: Outline,
    /// The range of its entries in [`Router::entries`].
    range: Range<usize>,
}

impl Router {
    /// Compiles the routes. Their order only determines the route ids.
    pub(crate) fn compile(routes: &[Route], versioning: &Versioning) -> Self {
        let entries = entries(routes, versioning);
        let mut by_host = by_host(&entries, routes);
        // In the order of precedence, for listings.
        by_host.sort_unstable_by(|(a, _), (b, _)| a.rank().cmp(&b.rank()).then_with(|| a.cmp(b)));
        let mut router = Self {
            exact: HashMap::new(),
            suffixes: HashMap::new(),
            any: None,
            tries: Box::default(),
            entries: Box::default(),
        };
        let mut tries = Vec::with_capacity(by_host.len());
        let mut all = Vec::with_capacity(entries.len());
        for (host, entries) in by_host {
            router.insert_host(host, Index::new(tries.len()));
            let sorted = HostEntries::new(&entries, routes, versioning.default);
            tries.push(sorted.append_to(&mut all, host.clone(), routes));
        }
        router.tries = tries.into();
        router.entries = all.into();
        router
    }

    /// Whether any route has a host pattern, so that the host of a request matters.
    #[inline]
    pub(crate) fn has_hosts(&self) -> bool {
        !self.exact.is_empty() || !self.suffixes.is_empty()
    }

    /// The trie of the routes that serve any host.
    #[inline]
    pub(crate) fn any_host(&self) -> Option<&HostTrie> {
        self.any.and_then(|at| self.tries.get(at.get()))
    }

    /// The tries whose host pattern matches, most specific first.
    pub(crate) fn each_trie<'h>(
        &self,
        host: Option<&'h str>,
    ) -> impl Iterator<Item = &HostTrie> + use<'_, 'h> {
        let named = host.into_iter().flat_map(|host| {
            let exact = self.exact.get(host).copied();
            let below = suffixes(host).filter_map(|suffix| self.suffixes.get(suffix).copied());
            exact.into_iter().chain(below)
        });
        named
            .chain(self.any)
            .filter_map(|at| self.tries.get(at.get()))
    }

    /// All tries, in the order of precedence of their hosts.
    pub(crate) const fn tries(&self) -> &[HostTrie] {
        &self.tries
    }

    /// The entries of a group in the order for requests that state no version, followed by those of
    /// other groups: [`RouteEntry::ends_group`] marks the last one.
    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "tries and outlines hold only the ids of groups in the array"
    )]
    pub(crate) fn entries_from(&self, group: Index) -> &[RouteEntry] {
        &self.entries[group.get()..]
    }

    /// The entries of a group in the order for requests that state no version.
    pub(crate) fn entries(&self, group: Index) -> &[RouteEntry] {
        let entries = self.entries_from(group);
        let last = entries.iter().position(|entry| entry.ends_group());
        last.and_then(|last| entries.get(..=last))
            .unwrap_or(entries)
    }

    /// The groups of a trie.
    pub(crate) fn groups(&self, trie: &HostTrie) -> impl Iterator<Item = Index> + use<'_> {
        let (mut at, end) = (trie.range.start, trie.range.end);
        std::iter::from_fn(move || {
            let group = (at < end).then(|| Index::new(at))?;
            at += self.entries(group).len();
            Some(group)
        })
    }

    /// The heap size in bytes, without the tries.
    pub(crate) fn heap_bytes(&self) -> usize {
        let outlines = self.tries.iter().map(|trie| trie.outline.heap_bytes());
        size_of_val(&*self.entries) + size_of_val(&*self.tries) + outlines.sum::<usize>()
    }

    fn insert_host(&mut self, host: &HostPattern, at: Index) {
        match host {
            HostPattern::Exact(name) => {
                self.exact.insert(name.clone(), at);
            }
            HostPattern::Suffix(suffix) => {
                self.suffixes.insert(suffix.clone(), at);
            }
            HostPattern::Any => self.any = Some(at),
        }
    }
}

/// The entries of one host, each with its group, in the order of precedence.
struct HostEntries {
    outline: Outline,
    entries: Vec<(Index, RouteEntry)>,
}

impl HostEntries {
    fn new(entries: &[&EntryPattern], routes: &[Route], default: DefaultVersion) -> Self {
        let mut outline = OutlineBuilder::default();
        let with_route =
            |entry: RouteEntry| routes.get(entry.route.get()).map(|route| (entry, route));
        let known = entries
            .iter()
            .filter_map(|entry| Some((entry, with_route(entry.entry)?.1)));
        let mut entries: Vec<(Index, RouteEntry)> = known
            .map(|(entry, route)| (outline.group(entry.pattern(route)), entry.entry))
            .collect();
        entries.sort_unstable_by(|(group, a), (other, b)| {
            let in_group = || match (with_route(*a), with_route(*b)) {
                (Some(a), Some(b)) => precedence::compare(a, b, default),
                _ => std::cmp::Ordering::Equal,
            };
            group.cmp(other).then_with(in_group)
        });
        let outline = outline.finish();
        Self { outline, entries }
    }

    /// Appends the entries to those of other hosts, and builds their trie.
    fn append_to(
        mut self,
        all: &mut Vec<RouteEntry>,
        host: HostPattern,
        routes: &[Route],
    ) -> HostTrie {
        let start = all.len();
        let mut firsts = Vec::new();
        for members in self.entries.chunk_by(|(a, _), (b, _)| a == b) {
            firsts.push(Index::new(all.len()));
            let explicit_head = ExplicitHead::new(members, routes);
            let mut group: Vec<RouteEntry> = members
                .iter()
                .map(|(_, entry)| explicit_head.with_implied_head(*entry))
                .collect();
            mark_group(&mut group);
            all.append(&mut group);
        }
        self.outline
            .renumber(|group| firsts.get(group.get()).copied().unwrap_or(Index::NONE));
        HostTrie::new(host, self.outline, start..all.len())
    }
}

impl HostTrie {
    fn new(host: HostPattern, outline: Outline, range: Range<usize>) -> Self {
        let mut trie = matchit::Router::new();
        outline.each_key(&mut |key, group| {
            trie.insert(key, group)
                .expect("the outline emits each key once, without conflicts");
        });
        // Cloning trims the capacity: 2.6 times less heap, and faster lookups.
        let trie = trie.clone();
        Self {
            host,
            trie,
            outline,
            range,
        }
    }

    /// The best group that matches a normal path.
    #[inline]
    pub(crate) fn best(&self, path: &str) -> Option<Index> {
        match self.trie.at(path) {
            Ok(found) => Some(*found.value),
            Err(_) if path == "*" => self.outline.everything(),
            Err(_) => None,
        }
    }

    /// Calls `visit` with every group that matches after the best one.
    #[cold]
    pub(crate) fn each_further(
        &self,
        path: &str,
        visit: &mut dyn FnMut(Index) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut first = true;
        self.outline.each_match(path, &mut |group| {
            if std::mem::take(&mut first) {
                ControlFlow::Continue(())
            } else {
                visit(group)
            }
        })
    }
}

/// The versions for which an entry of a group lists `HEAD` explicitly.
struct ExplicitHead(Vec<Option<ApiVersion>>);

impl ExplicitHead {
    fn new(members: &[(Index, RouteEntry)], routes: &[Route]) -> Self {
        let lists_head = |entry: &RouteEntry| {
            let methods = routes.get(entry.route.get()).map(Route::methods);
            methods.is_some_and(|m| m.as_listed().iter().any(|method| **method == *"HEAD"))
        };
        Self(
            members
                .iter()
                .map(|(_, entry)| entry)
                .filter(|f| lists_head(f))
                .map(|f| f.version)
                .collect(),
        )
    }

    /// Adds `HEAD` to an entry that admits `GET`, unless another entry of the group and version
    /// lists it (RFC 9110, section 9.3.2).
    fn with_implied_head(&self, mut entry: RouteEntry) -> RouteEntry {
        if entry.methods.meets(MethodMask::GET) && !self.0.contains(&entry.version) {
            entry.methods = entry.methods.with(MethodMask::HEAD);
        }
        entry
    }
}

fn by_host<'f>(
    entries: &'f [EntryPattern],
    routes: &'f [Route],
) -> Vec<(&'f HostPattern, Vec<&'f EntryPattern>)> {
    const ANY: &[HostPattern] = &[HostPattern::Any];
    let mut by_host: HashMap<&HostPattern, Vec<&EntryPattern>> = HashMap::new();
    for entry in entries {
        let hosts = routes
            .get(entry.entry.route.get())
            .map_or(ANY, Route::hosts);
        for host in if hosts.is_empty() { ANY } else { hosts } {
            by_host.entry(host).or_default().push(entry);
        }
    }
    by_host.into_iter().collect()
}

/// The pattern of an entry, computed from the declared one.
pub(crate) fn pattern_of(entry: RouteEntry, route: &Route) -> PathPattern {
    if entry.version_at == route.version_at() {
        return route.pattern().clone();
    }
    let base = match route.version_at() {
        NO_SEGMENT => Some(route.pattern().clone()),
        at => route.pattern().without_segment(at.into()),
    };
    let base = base.unwrap_or_else(|| route.pattern().clone());
    match (entry.version_at, entry.version) {
        (NO_SEGMENT, _) | (_, None) => base,
        (at, Some(version)) => base.with_segment(at.into(), &version.to_string()),
    }
}
