//! The routing decision: from a request to a route and version, or to a rejection.

use crate::engine::request::{Headers, RawRequest};
use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::host::{RequestHostError, check_host, normal_host};
use crate::engine::routing::method::Method;
use crate::engine::routing::path::{NormalPath, PathError, check_query, split_target};
use crate::engine::routing::rejection::Rejection;
use crate::engine::routing::route::Route;
use crate::engine::routing::table::{RouteId, Table};
use crate::engine::routing::unserved;
use crate::engine::routing::upstream_path::{UpstreamPath, rest};
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::VersionSource;
use crate::engine::routing::walk::Walk;
use crate::engine::routing::winner::{Found, winner};

/// The route and version that serve a request. Only [`decide`] creates one.
#[derive(Debug)]
pub struct Decision<'a> {
    route: &'a Route,
    entry: &'a RouteEntry,
    path: NormalPath<'a>,
    query: Option<&'a str>,
    source: Option<VersionSource>,
}

/// Decides which route serves a request.
///
/// # Errors
/// The rejection, if no route serves the request.
#[inline]
pub fn decide<'a, H: Headers + ?Sized>(
    table: &'a Table,
    request: &RawRequest<'a, H>,
) -> Result<Decision<'a>, Rejection<'a>> {
    let check = |host: &str| check_host(host, request.headers);
    decide_with(table, request, check, |decision| decision)
}

/// Decides like [`decide`]. `check` checks the host of the request, for callers that have found its
/// `Host` fields already; `wrap` makes the result, so that a decision is not moved once more.
#[inline]
pub(crate) fn decide_with<'a, H: Headers + ?Sized, T>(
    table: &'a Table,
    request: &RawRequest<'a, H>,
    check: impl FnOnce(&str) -> Result<(), RequestHostError>,
    wrap: impl FnOnce(Decision<'a>) -> T,
) -> Result<T, Rejection<'a>> {
    let (path, query) = normal_target(request.target)?;
    let method = Method::parse(request.method)?;
    if path.as_str() == "*" && method.as_str() != "OPTIONS" {
        return Err(Rejection::Asterisk);
    }
    if let Some(host) = request.host {
        check(host)?;
    }
    // A table without host patterns ignores the host of the request.
    let host = request.host.filter(|_| table.router.has_hosts());
    let host = host.map(normal_host);
    let walk = Walk {
        table,
        method,
        path: path.as_str(),
        encoded_slash: path.encoded_slash(),
        query,
        host: host.as_deref(),
        headers: request.headers,
    };
    let rejection = match winner(&walk) {
        Ok(Found::Winner(entry, source)) => {
            let route = table.route(entry.route);
            return Ok(wrap(Decision {
                route,
                entry,
                path,
                query,
                source,
            }));
        }
        Ok(Found::Nothing {
            path_matches: false,
        }) => None,
        Ok(Found::Nothing { path_matches: true }) => unserved::rejection(&walk),
        Err(rejection) => Some(*rejection),
    };
    let host = request.host.filter(|_| table.router.has_hosts());
    Err(rejection.unwrap_or(Rejection::NotFound { path, host }))
}

impl<'a> Decision<'a> {
    /// The route.
    #[must_use]
    pub const fn route(&self) -> &'a Route {
        self.route
    }

    /// The id of the route in its table.
    #[must_use]
    pub const fn route_id(&self) -> RouteId {
        RouteId(self.entry.route)
    }

    /// The version; `None` if the route is neutral.
    #[must_use]
    pub const fn version(&self) -> Option<ApiVersion> {
        self.entry.version
    }

    /// Where the request states the version; `None` if nowhere that `versioning.from` includes.
    #[must_use]
    pub const fn version_source(&self) -> Option<VersionSource> {
        self.source
    }

    /// The normal path, which was matched.
    #[must_use]
    pub fn normal_path(&self) -> &str {
        self.path.as_str()
    }

    /// The query, without its `?`.
    #[must_use]
    pub const fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// What the `*` of the declared pattern matched: empty, or a path that begins with `/`.
    #[must_use]
    pub fn rest(&self) -> String {
        rest(self.path.as_str(), *self.entry, self.route)
    }

    /// The path and query of the upstream request.
    #[must_use]
    pub fn upstream_path(&self) -> UpstreamPath<'_> {
        UpstreamPath::new(self.path.as_str(), self.query, *self.entry, self.route)
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
