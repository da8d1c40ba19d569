//! Whether the routes before a form take everything that it matches.
//!
//! Only routes of the same host can: below a host there are always more. Of its paths, those of
//! the same pattern can, and for a subtree the union of what stands below it: `P`, `P/` and what
//! covers `P/{any}` and its subtree. What is left are the values that a request may have: a method
//! and a stated version, tried one by one; header and query constraints count where those of the
//! form imply them.

use std::collections::BTreeSet;

use crate::engine::routing::constraint::Constraint;
use crate::engine::routing::form::Form;
use crate::engine::routing::index::Index;
use crate::engine::routing::method::MethodMask;
use crate::engine::routing::outline::Outline;
use crate::engine::routing::route::Route;
use crate::engine::routing::router::{HostTrie, pattern_of};
use crate::engine::routing::table::{RouteId, Table};
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::DefaultVersion;

/// The routes that cover a form together.
#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeSet<Index>);

/// Values that a request may have, and that the form would serve.
#[derive(Clone, Copy, Debug)]
struct Demand<'t> {
    /// A method; none for one that no route lists.
    method: Option<&'t str>,
    stated: StatedVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatedVersion {
    Nothing,
    This(ApiVersion),
    /// By `Accept`: it moves a version to the front of its group, and no more.
    Preferred(ApiVersion),
    /// One that no route has.
    Another,
}

/// One form under examination.
struct Examined<'t> {
    table: &'t Table,
    form: Form,
    route: &'t Route,
    coverage: Coverage,
}

impl Coverage {
    /// The coverage of the form at `place` of a group; none if some request reaches it.
    pub(crate) fn of(table: &Table, trie: &HostTrie, group: Index, place: usize) -> Option<Self> {
        let forms = table.router.forms(group);
        let form = *forms.get(place)?;
        let route = table.route(form.route);
        let outline = &trie.outline;
        // Most routes stand alone: nothing before them, nothing below.
        let pattern = || pattern_of(form, route);
        let node = if route.pattern().is_subtree() {
            outline.find(&pattern())
        } else {
            None
        };
        let below = node.filter(|node| outline.cover(*node).param.is_some());
        let may_go_unserved = table.versioning.default == DefaultVersion::Require;
        if forms.len() == 1 && below.is_none() && !may_go_unserved {
            return None;
        }
        let mut examined = Examined {
            table,
            form,
            route,
            coverage: Self::default(),
        };
        let mut open = examined.demands(form.is_refused_unstated());
        open.retain(|demand| !examined.taken_in_group(forms, place, *demand));
        if open.is_empty() {
            return Some(examined.coverage);
        }
        let covered = examined.subtree_taken(outline, below?, open, true);
        covered.then_some(examined.coverage)
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn routes(self) -> Vec<RouteId> {
        self.0.into_iter().map(RouteId).collect()
    }
}

impl<'t> Examined<'t> {
    /// Every method and stated version, or lack of one, that the form would serve.
    fn demands(&self, is_refused_unstated: bool) -> Vec<Demand<'t>> {
        let listed = self.route.methods().as_listed();
        let mut methods: Vec<Option<&str>> = listed.iter().map(|m| Some(&**m)).collect();
        if methods.is_empty() {
            methods.push(None);
        } else if self.form.methods.meets(MethodMask::HEAD) {
            methods.push(Some("HEAD"));
        }
        let versioning = &self.table.versioning;
        let refused = versioning.default == DefaultVersion::Require && is_refused_unstated;
        let mut stated = Vec::new();
        if !refused {
            stated.push(StatedVersion::Nothing);
        }
        match self.form.version {
            Some(version) if versioning.headers_count() => {
                stated.push(StatedVersion::This(version));
            }
            // Whatever a preference reaches, a header reaches too, if headers count.
            Some(version) if versioning.prefers(version) => {
                stated.push(StatedVersion::Preferred(version));
            }
            None if versioning.headers_count() => {
                stated.push(StatedVersion::Another);
                let known = self.table.versions().iter().copied();
                stated.extend(known.map(StatedVersion::This));
            }
            _ => {}
        }
        let demand = |method, stated| Demand { method, stated };
        let pairs = methods
            .iter()
            .flat_map(|m| stated.iter().map(|s| demand(*m, *s)));
        pairs.collect()
    }

    /// Whether a form of the same group that comes before it takes the demand.
    fn taken_in_group(&mut self, forms: &[Form], place: usize, demand: Demand<'_>) -> bool {
        let class = |form: &Form| match (demand.stated, form.version) {
            (StatedVersion::Nothing, _) => 0,
            (StatedVersion::Preferred(_), _) if form.stated_by_path().is_some() => 0,
            (StatedVersion::Preferred(liked), version) if version != Some(liked) => 2,
            (StatedVersion::Preferred(_), _) => 1,
            (StatedVersion::This(stated), Some(version)) if stated == version => 0,
            (_, None) => 1,
            // It fails, and so comes after all that serve.
            (_, Some(_)) => 2,
        };
        let own = (class(&self.form), place);
        let taker = forms
            .iter()
            .enumerate()
            .find(|(at, form)| (class(form), *at) < own && self.admits(**form, demand));
        self.note(taker.map(|(_, form)| *form))
    }

    /// Whether what stands at and below a node takes all that is open of its subtree.
    fn subtree_taken(
        &mut self,
        outline: &Outline,
        node: Index,
        mut open: Vec<Demand<'_>>,
        is_own: bool,
    ) -> bool {
        let here = outline.cover(node);
        if let (Some(subtree), false) = (here.subtree, is_own) {
            open.retain(|demand| !self.taken_by(subtree, *demand));
        }
        if open.is_empty() {
            return true;
        }
        let mut all_taken = |group: Option<Index>| {
            group.is_some_and(|group| open.iter().all(|demand| self.taken_by(group, *demand)))
        };
        // Before the first segment there is no path without its slash.
        let exact = node == Index::ZERO || all_taken(here.exact);
        exact
            && all_taken(here.slash)
            && here
                .param
                .is_some_and(|child| self.subtree_taken(outline, child, open, false))
    }

    /// Whether a form of a more specific group serves the demand, or has it refused.
    fn taken_by(&mut self, group: Index, demand: Demand<'_>) -> bool {
        let taker = self.table.router.forms(group).iter().copied().find(|form| {
            let serves = match (demand.stated, form.version) {
                (StatedVersion::Nothing | StatedVersion::Preferred(_), _) | (_, None) => true,
                (StatedVersion::This(stated), Some(version)) => stated == version,
                (StatedVersion::Another, Some(_)) => false,
            };
            let refuses = form.stated_by_path().is_some()
                || self.table.route(form.route).service_id != self.route.service_id;
            (serves || refuses) && self.admits(*form, demand)
        });
        self.note(taker)
    }

    /// Whether the form admits the method and all that the examined form's constraints admit.
    fn admits(&self, form: Form, demand: Demand<'_>) -> bool {
        let route = self.table.route(form.route);
        let method = match demand.method {
            Some(method) => {
                route.methods().lists(method)
                    || method == "HEAD" && form.methods.meets(MethodMask::HEAD)
            }
            None => route.methods().as_listed().is_empty(),
        };
        let implied =
            |theirs: &[_], ours: &[_]| theirs.iter().all(|c: &Constraint| c.is_implied_by(ours));
        method
            && implied(route.headers(), self.route.headers())
            && implied(route.query(), self.route.query())
    }

    fn note(&mut self, taker: Option<Form>) -> bool {
        if let Some(form) = taker {
            self.coverage.0.insert(form.route);
        }
        taker.is_some()
    }
}
