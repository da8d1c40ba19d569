//! The walk: every form whose host and path match, in the order of precedence, with its verdict.
//!
//! [`decide`](crate::engine::decide) stops it at the first form that serves,
//! [`explain`](crate::engine::explain) looks on; there is no second way to weigh a form.

use std::ops::ControlFlow;

use crate::engine::form::Form;
use crate::engine::index::Index;
use crate::engine::method::Method;
use crate::engine::path::EncodedSlash;
use crate::engine::reject::Reject;
use crate::engine::request::Headers;
use crate::engine::route::Route;
use crate::engine::router::{Group, HostTrie, pattern_of};
use crate::engine::table::Table;
use crate::engine::version::ApiVersion;
use crate::engine::versioning::{DefaultVersion, Stated, StatedFault, VersionSource};

/// One request, parsed, on its way through one table.
#[derive(Debug)]
pub(crate) struct Walk<'w, H: ?Sized> {
    pub(crate) table: &'w Table,
    pub(crate) method: Method<'w>,
    /// The normal path.
    pub(crate) path: &'w str,
    pub(crate) encoded_slash: EncodedSlash,
    pub(crate) query: Option<&'w str>,
    /// The normal host.
    pub(crate) host: Option<&'w str>,
    pub(crate) headers: &'w H,
}

/// A form that the walk came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visited<'w> {
    pub(crate) trie: &'w HostTrie,
    pub(crate) group: Index,
    pub(crate) form: Form,
}

/// What is to be said of a form and a request whose host and path match.
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

impl<'w, H: Headers + ?Sized> Walk<'w, H> {
    /// Calls `see` with every form whose host and path match, best first, until it breaks.
    ///
    /// # Errors
    /// If the headers state no version that could be meant, and a versioned form is reached.
    #[inline]
    pub(crate) fn each_form(
        &self,
        mut see: impl FnMut(Visited<'w>, Verdict) -> ControlFlow<()>,
    ) -> Result<(), Reject> {
        let mut progress = Progress {
            stated: None,
            fences: Vec::new(),
            halted: None,
        };
        for trie in self.table.router.each_trie(self.host) {
            let Some(best) = trie.best(self.path) else {
                continue;
            };
            let mut flow = self.visit(trie, best, &mut progress, &mut see);
            if flow.is_continue() {
                flow = trie.each_further(self.path, &mut |group| {
                    self.visit(trie, group, &mut progress, &mut see)
                });
            }
            if flow.is_break() {
                break;
            }
        }
        progress.halted.map_or(Ok(()), Err)
    }

    #[inline]
    fn visit(
        &self,
        trie: &'w HostTrie,
        at: Index,
        progress: &mut Progress,
        see: &mut impl FnMut(Visited<'w>, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let router = &self.table.router;
        let group = router.group(at);
        let forms = router.forms(at);
        if group.versioned && progress.stated.is_none() {
            match self.table.versioning.read(self.headers) {
                Ok(stated) => progress.stated = Some(stated),
                Err(fault) => {
                    progress.halted = Some(refusal(&fault));
                    return ControlFlow::Break(());
                }
            }
        }
        let mut see = |form, verdict| {
            see(
                Visited {
                    trie,
                    group: at,
                    form,
                },
                verdict,
            )
        };
        match progress.stated.as_ref().filter(|_| group.versioned) {
            Some(&Stated {
                version: Some((version, source)),
                ..
            }) => {
                return self.visit_stated(version, source, forms, progress, see);
            }
            Some(stated) if !stated.preferred.is_empty() => {
                if let Some(version) = self.preferred(stated, forms) {
                    return self.visit_preferring(version, group, forms, progress, see);
                }
            }
            _ => {}
        }
        for form in forms {
            see(*form, self.weigh_unstated(*form, group, progress))?;
        }
        ControlFlow::Continue(())
    }

    /// A group of versions, for a request that would like one: first what the path states, then
    /// the preferred version, then the rest as if none were stated.
    #[cold]
    fn visit_preferring(
        &self,
        version: ApiVersion,
        group: Group,
        forms: &[Form],
        progress: &Progress,
        mut see: impl FnMut(Form, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let class = |form: &Form| match form.stated_by_path() {
            Some(_) => 0,
            None if form.version == Some(version) => 1,
            None => 2,
        };
        for wanted in 0..=2 {
            for form in forms.iter().filter(|form| class(form) == wanted) {
                let verdict = if wanted == 1 {
                    self.weigh(*form, progress, Some(VersionSource::Accept), true)
                } else {
                    self.weigh_unstated(*form, group, progress)
                };
                see(*form, verdict)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// A group that has versions, for a request whose headers state one.
    fn visit_stated(
        &self,
        stated: ApiVersion,
        source: VersionSource,
        forms: &[Form],
        progress: &mut Progress,
        mut see: impl FnMut(Form, Verdict) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let class = |form: &Form| match form.version {
            Some(version) if version == stated => 0,
            None => 1,
            Some(_) => 2,
        };
        for wanted in 0..=2 {
            for form in forms.iter().filter(|form| class(form) == wanted) {
                let source = form
                    .stated_by_path()
                    .map_or(source, |_| VersionSource::Path);
                let source = (wanted == 0).then_some(source);
                let mut verdict = self.weigh(*form, progress, source, wanted != 2);
                if let Verdict::Version { fenced } = verdict {
                    match form.stated_by_path() {
                        Some(_) if fenced => verdict = Verdict::Fenced,
                        Some(by_path) => verdict = Verdict::Conflict(by_path),
                        None => progress.fences.push(*form),
                    }
                }
                see(*form, verdict)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// A form, for a request whose headers insist on no version.
    #[inline]
    fn weigh_unstated(&self, form: Form, group: Group, progress: &Progress) -> Verdict {
        let class = form.unstated_class();
        let source = (class == 0).then_some(VersionSource::Path);
        let verdict = self.weigh(form, progress, source, true);
        let must_state = self.table.versioning.default == DefaultVersion::Require
            && form.is_refused_unstated(group);
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
        form: Form,
        progress: &Progress,
        source: Option<VersionSource>,
        serves_version: bool,
    ) -> Verdict {
        if form.constrained
            && let Some(failed) = self.failed_constraint(form)
        {
            return failed;
        }
        let fenced = !progress.fences.is_empty() && self.is_fenced(form, progress);
        if !self.admits_method(form) {
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
    fn admits_method(&self, form: Form) -> bool {
        form.methods.meets(self.method.bit())
            && (!self.method.is_extension()
                || self.route(form).methods().lists(self.method.as_str()))
    }

    fn failed_constraint(&self, form: Form) -> Option<Verdict> {
        let route = self.route(form);
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

    /// The first preference that a form of this group serves and that passes all else.
    fn preferred(&self, stated: &Stated, forms: &[Form]) -> Option<ApiVersion> {
        stated
            .preferred
            .iter()
            .map(|(_, version)| *version)
            .find(|version| {
                forms.iter().any(|form| {
                    form.version == Some(*version)
                        && form.stated_by_path().is_none()
                        && self.admits_method(*form)
                        && self.failed_constraint(*form).is_none()
                })
            })
    }

    /// After a form that would serve but for its version, only its service or its pattern may.
    #[cold]
    fn is_fenced(&self, form: Form, progress: &Progress) -> bool {
        let route = self.route(form);
        progress.fences.iter().any(|fence| {
            let before = self.route(*fence);
            before.service_id != route.service_id
                && pattern_of(*fence, before).shape() != pattern_of(form, route).shape()
        })
    }

    pub(crate) fn forms(&self, group: Index) -> &'w [Form] {
        self.table.router.forms(group)
    }

    pub(crate) fn route(&self, form: Form) -> &'w Route {
        self.table.route(form.route)
    }
}

/// What the walk has learnt so far.
#[derive(Debug)]
struct Progress {
    stated: Option<Stated>,
    fences: Vec<Form>,
    halted: Option<Reject>,
}

fn refusal(fault: &StatedFault) -> Reject {
    match fault {
        StatedFault::Invalid { .. } => Reject::VersionInvalid(fault.to_string()),
        StatedFault::Conflict { .. } => Reject::VersionConflict(fault.to_string()),
    }
}
