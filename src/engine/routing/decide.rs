//! The decision: from a raw request to a plan or a refusal, in one pass.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::engine::policy::{Policy, Redirect, Upstream};
use crate::engine::request::{Headers, RawRequest};
use crate::engine::routing::form::Form;
use crate::engine::routing::host::{check_host, normal_host};
use crate::engine::routing::method::Method;
use crate::engine::routing::path::{
    EncodedSlash, NormalPath, PathError, check_query, split_target,
};
use crate::engine::routing::refusal;
use crate::engine::routing::rejection::{EncodedSlashError, Rejection};
use crate::engine::routing::route::Route;
use crate::engine::routing::table::RouteId;
use crate::engine::routing::upstream_path::{UpstreamPath, rest};
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::VersionSource;
use crate::engine::routing::walk::{Verdict, Walk};
use crate::engine::snapshot::Snapshot;
use crate::engine::upstream::balance::Pick;

/// An admitted request: only [`decide`] makes one.
#[derive(Debug)]
pub struct Plan<'a> {
    snapshot: &'a Snapshot,
    route: &'a Route,
    form: &'a Form,
    path: NormalPath<'a>,
    query: Option<&'a str>,
    source: Option<VersionSource>,
}

/// Decides which route answers a request.
///
/// # Errors
/// The refusal, if none does.
#[inline]
pub fn decide<'a, H: Headers + ?Sized>(
    snapshot: &'a Snapshot,
    request: &RawRequest<'a, H>,
) -> Result<Plan<'a>, Rejection<'a>> {
    let (path, query) = normal_target(request.target)?;
    let method = Method::parse(request.method)?;
    if path.as_str() == "*" && method.as_str() != "OPTIONS" {
        return Err(Rejection::Asterisk);
    }
    if let Some(host) = request.host {
        check_host(host, request.headers)?;
    }
    // Without a host in the table none of the request matters.
    let host = request.host.filter(|_| snapshot.table().router.has_hosts());
    let host = host.map(normal_host);
    let walk = Walk {
        table: snapshot.table(),
        method,
        path: path.as_str(),
        encoded_slash: path.encoded_slash(),
        query,
        host: host.as_deref(),
        headers: request.headers,
    };
    let refusal = match winner(&walk) {
        Ok(Found::Winner(form, source)) => {
            let route = snapshot.table().route(form.route);
            return Ok(Plan {
                snapshot,
                route,
                form,
                path,
                query,
                source,
            });
        }
        Ok(Found::Nothing { seen: false }) => None,
        Ok(Found::Nothing { seen: true }) => refusal::of_all(&walk),
        Err(reject) => Some(*reject),
    };
    let host = request.host.filter(|_| snapshot.table().router.has_hosts());
    Err(refusal.unwrap_or(Rejection::NotFound { path, host }))
}

impl<'a> Plan<'a> {
    /// The route that answers.
    #[must_use]
    pub const fn route(&self) -> &'a Route {
        self.route
    }

    /// Its number in the table.
    #[must_use]
    pub const fn route_id(&self) -> RouteId {
        RouteId(self.form.route)
    }

    /// The version that answers; none if the route is neutral.
    #[must_use]
    pub const fn version(&self) -> Option<ApiVersion> {
        self.form.version
    }

    /// Who stated the version; none if nothing did, or nothing that counts.
    #[must_use]
    pub const fn version_source(&self) -> Option<VersionSource> {
        self.source
    }

    /// The path that was matched.
    #[must_use]
    pub fn normal_path(&self) -> &str {
        self.path.as_str()
    }

    /// The query, without its `?`.
    #[must_use]
    pub const fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// What the `*` of the route's declared pattern took: nothing, or a path from the root.
    #[must_use]
    pub fn rest(&self) -> String {
        rest(self.path.as_str(), *self.form, self.route)
    }

    /// The path and query that go upstream.
    #[must_use]
    pub fn upstream_path(&self) -> UpstreamPath<'_> {
        UpstreamPath::new(self.path.as_str(), self.query, *self.form, self.route)
    }

    /// What the route asks for beside its service.
    #[must_use]
    pub fn policy(&self) -> &'a Arc<Policy> {
        self.snapshot.policy(self.route_id())
    }

    /// How the backends of the route are spoken to.
    #[must_use]
    pub fn upstream(&self) -> &'a Arc<Upstream> {
        self.snapshot.upstream(self.route_id())
    }

    /// The redirect that answers in place of a backend, if the route has one: then no backend can
    /// be picked.
    #[must_use]
    pub fn redirect(&self) -> Option<&'a Redirect> {
        self.policy().redirect.as_ref()
    }

    /// Picks the next backend of the route and moves its cursor; none if no backend is healthy.
    #[inline]
    #[must_use]
    pub fn pick(&self) -> Option<Pick<'a>> {
        self.snapshot.pick(self.route_id())
    }
}

#[inline]
fn normal_target(target: &str) -> Result<(NormalPath<'_>, Option<&str>), PathError> {
    let (path, query) = split_target(target);
    if let Some(query) = query {
        check_query(query)?;
    }
    Ok((NormalPath::parse(path)?, query))
}

/// What the walk came to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'s> {
    /// The form that answers, and who stated its version.
    Winner(&'s Form, Option<VersionSource>),
    /// None; whether there was any whose host and path match.
    Nothing { seen: bool },
}

/// The first form that serves.
pub(crate) fn winner<'s, H: Headers + ?Sized>(
    walk: &Walk<'s, '_, H>,
) -> Result<Found<'s>, Box<Rejection<'static>>> {
    // Apart, for a whole that is put together byte by byte is slow to read.
    let mut form = None;
    let mut source = None;
    let mut seen = false;
    let mut refused = None;
    walk.each_form(|visited, verdict| {
        match verdict {
            Verdict::Serves(stated_by) => {
                form = Some(visited.form);
                source = stated_by;
                if walk.encoded_slash == EncodedSlash::Absent {
                    return ControlFlow::Break(());
                }
                refused = encoded_slash_fault(walk.encoded_slash, walk.route(visited.form));
            }
            Verdict::Conflict(_) | Verdict::Required => {
                refused = Some(refusal::of_verdict(walk, visited, verdict));
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
    match (refused, form) {
        (Some(reject), _) => Err(Box::new(reject)),
        (None, Some(form)) => Ok(Found::Winner(form, source)),
        (None, None) => Ok(Found::Nothing { seen }),
    }
}

fn encoded_slash_fault(slash: EncodedSlash, route: &Route) -> Option<Rejection<'static>> {
    let fault = match slash {
        EncodedSlash::Absent => return None,
        EncodedSlash::Plain if route.keeps_encoded_slashes() => return None,
        EncodedSlash::Plain => EncodedSlashError::NotKept,
        EncodedSlash::HidesDotSegment => EncodedSlashError::HidesDotSegment,
    };
    Some(Rejection::EncodedSlash(fault))
}
