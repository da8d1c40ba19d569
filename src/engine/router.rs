//! The compiled router: a trie for each distinct host, over groups of forms in their order.
//!
//! A lookup is one walk down a matchit trie; its value is a group, the forms of one host and one
//! pattern. The trie names the best group alone: what comes next, if none of its forms admits the
//! request, the [outline](crate::engine::outline) of the host tells.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use crate::engine::form::{Form, FormPattern, forms};
use crate::engine::host::{HostPattern, suffixes};
use crate::engine::index::Index;
use crate::engine::method::MethodMask;
use crate::engine::outline::{Outline, OutlineBuilder};
use crate::engine::pattern::PathPattern;
use crate::engine::precedence;
use crate::engine::route::{NO_SEGMENT, Route};
use crate::engine::version::ApiVersion;
use crate::engine::versioning::{DefaultVersion, Versioning};

/// All hosts, compiled.
#[derive(Debug)]
pub(crate) struct Router {
    exact: HashMap<Box<str>, Index>,
    suffixes: HashMap<Box<str>, Index>,
    any: Option<Index>,
    tries: Box<[HostTrie]>,
    groups: Box<[Group]>,
    forms: Box<[Form]>,
}

/// The patterns of one host.
#[derive(Debug)]
pub(crate) struct HostTrie {
    pub(crate) host: HostPattern,
    trie: matchit::Router<Index>,
    pub(crate) outline: Outline,
    /// The numbers of its groups.
    pub(crate) groups: Range<usize>,
}

/// The forms of one host and one pattern, in their order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    first: Index,
    /// Whether any form serves one version alone: then what the headers state counts.
    pub(crate) versioned: bool,
    /// Whether the declared forms, without a version stated, could be of two versions.
    pub(crate) ambiguous: bool,
}

impl Router {
    /// Compiles the routes. Their order does not matter, but for the ids of routes.
    pub(crate) fn compile(routes: &[Route], versioning: &Versioning) -> Self {
        let forms = forms(routes, versioning);
        let mut by_host = by_host(&forms, routes);
        // Hosts in their order of precedence, for those who read the table.
        by_host.sort_unstable_by(|(a, _), (b, _)| a.rank().cmp(&b.rank()).then_with(|| a.cmp(b)));
        let mut router = Self {
            exact: HashMap::new(),
            suffixes: HashMap::new(),
            any: None,
            tries: Box::default(),
            groups: Box::default(),
            forms: Box::default(),
        };
        let mut tries = Vec::with_capacity(by_host.len());
        let mut filed: Vec<(Index, Form)> = Vec::with_capacity(forms.len());
        let mut groups = 0;
        for (host, forms) in by_host {
            let mut outline = OutlineBuilder::new(groups);
            for form in forms {
                let Some(route) = routes.get(form.form.route.get()) else {
                    continue;
                };
                filed.push((outline.group(form.pattern(route)), form.form));
            }
            let own = groups..outline.next_group();
            groups = own.end;
            router.file_host(host, Index::new(tries.len()));
            tries.push(HostTrie::new(host.clone(), outline.finish(), own));
        }
        router.tries = tries.into();
        router.lay_out(filed, groups, routes, versioning.default);
        router
    }

    /// The tries that a host is looked up in, most specific first.
    #[inline]
    pub(crate) fn each_trie<'h>(
        &self,
        host: Option<&'h str>,
    ) -> impl Iterator<Item = &HostTrie> + use<'_, 'h> {
        let host = host.filter(|_| !self.exact.is_empty() || !self.suffixes.is_empty());
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

    #[expect(
        clippy::indexing_slicing,
        reason = "only tries and outlines name groups, all laid out"
    )]
    pub(crate) fn group(&self, at: Index) -> Group {
        self.groups[at.get()]
    }

    /// The forms of a group, in the order of a request that states no version.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a closing group ends the array")]
    pub(crate) fn forms(&self, group: Index) -> &[Form] {
        let range = self.range(group);
        &self.forms[range]
    }

    /// How many bytes of heap it takes beyond its tries.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.groups)
            + size_of_val(&*self.forms)
            + size_of_val(&*self.tries)
            + self
                .tries
                .iter()
                .map(|trie| trie.outline.heap_bytes())
                .sum::<usize>()
    }

    #[expect(clippy::indexing_slicing, reason = "a closing group ends the array")]
    fn range(&self, group: Index) -> Range<usize> {
        self.groups[group.get()].first.get()..self.groups[group.get() + 1].first.get()
    }

    fn file_host(&mut self, host: &HostPattern, at: Index) {
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

    fn lay_out(
        &mut self,
        mut filed: Vec<(Index, Form)>,
        groups: usize,
        routes: &[Route],
        default: DefaultVersion,
    ) {
        let with_route = |form: Form| routes.get(form.route.get()).map(|route| (form, route));
        filed.sort_unstable_by(|(group, a), (other, b)| {
            group
                .cmp(other)
                .then_with(|| match (with_route(*a), with_route(*b)) {
                    (Some(a), Some(b)) => precedence::compare(a, b, default),
                    _ => std::cmp::Ordering::Equal,
                })
        });
        let mut laid = Vec::with_capacity(groups + 1);
        let mut forms = Vec::with_capacity(filed.len());
        for members in filed.chunk_by(|(a, _), (b, _)| a == b) {
            laid.push(Group::of(Index::new(forms.len()), members));
            let listing = Listing::of(members, routes);
            forms.extend(
                members
                    .iter()
                    .map(|(_, form)| listing.with_implied_head(*form)),
            );
        }
        laid.push(Group::of(Index::new(forms.len()), &[]));
        self.groups = laid.into();
        self.forms = forms.into();
    }
}

impl HostTrie {
    fn new(host: HostPattern, outline: Outline, groups: Range<usize>) -> Self {
        let mut trie = matchit::Router::new();
        outline.each_key(&mut |key, group| {
            trie.insert(key, group)
                .expect("the outline emits each key once and no two that conflict");
        });
        // The clone has no spare capacity: 2.6 times less heap, and faster for it.
        Self {
            host,
            trie: trie.clone(),
            outline,
            groups,
        }
    }

    /// The best group for a normal path.
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

impl Group {
    fn of(first: Index, members: &[(Index, Form)]) -> Self {
        let plain = || {
            members
                .iter()
                .map(|(_, form)| form)
                .filter(|f| f.unstated_class() == 2)
        };
        Self {
            first,
            versioned: members.iter().any(|(_, form)| form.version.is_some()),
            ambiguous: plain().any(|form| Some(form.version) != plain().next().map(|f| f.version)),
        }
    }
}

/// The versions for which some form of a group lists `HEAD` itself.
struct Listing(Vec<Option<ApiVersion>>);

impl Listing {
    fn of(members: &[(Index, Form)], routes: &[Route]) -> Self {
        let lists_head = |form: &Form| {
            let methods = routes.get(form.route.get()).map(Route::methods);
            methods.is_some_and(|m| m.as_listed().iter().any(|method| **method == *"HEAD"))
        };
        Self(
            members
                .iter()
                .map(|(_, form)| form)
                .filter(|f| lists_head(f))
                .map(|f| f.version)
                .collect(),
        )
    }

    /// `GET` also admits `HEAD`, unless a form there lists it (RFC 9110, section 9.3.2).
    fn with_implied_head(&self, mut form: Form) -> Form {
        if form.methods.meets(MethodMask::GET) && !self.0.contains(&form.version) {
            form.methods = form.methods.with(MethodMask::HEAD);
        }
        form
    }
}

fn by_host<'f>(
    forms: &'f [FormPattern],
    routes: &'f [Route],
) -> Vec<(&'f HostPattern, Vec<&'f FormPattern>)> {
    const ANY: &[HostPattern] = &[HostPattern::Any];
    let mut by_host: HashMap<&HostPattern, Vec<&FormPattern>> = HashMap::new();
    for form in forms {
        let hosts = routes.get(form.form.route.get()).map_or(ANY, Route::hosts);
        for host in if hosts.is_empty() { ANY } else { hosts } {
            by_host.entry(host).or_default().push(form);
        }
    }
    by_host.into_iter().collect()
}

/// The pattern of a form, made again from the declared one.
pub(crate) fn pattern_of(form: Form, route: &Route) -> PathPattern {
    if form.version_at == route.version_at() {
        return route.pattern().clone();
    }
    let base = match route.version_at() {
        NO_SEGMENT => Some(route.pattern().clone()),
        at => route.pattern().without_segment(at.into()),
    };
    let base = base.unwrap_or_else(|| route.pattern().clone());
    match (form.version_at, form.version) {
        (NO_SEGMENT, _) | (_, None) => base,
        (at, Some(version)) => base.with_segment(at.into(), &version.to_string()),
    }
}
