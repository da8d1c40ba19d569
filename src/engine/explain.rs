//! Explains a routing decision: all candidates, and the rule by which each of them lost.

use std::ops::ControlFlow;

use crate::engine::admit::{Admission, Content, LocalResponse, admit};
use crate::engine::plan::{Plan, decide};
use crate::engine::request::{Headers, RawRequest};
use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::path::split_target;
use crate::engine::routing::precedence::{self};
use crate::engine::routing::router::pattern_of;
use crate::engine::routing::walk::{Verdict, Visited, Walk};
use crate::engine::routing::{
    ApiVersion, Constraint, Method, NormalPath, Rank, Rejection, Route, RouteId, Table, normal_host,
};
use crate::engine::semantics::{Cause, Request};
use crate::engine::snapshot::Snapshot;

/// An explained decision. Explaining advances no cursor.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// The result of [`decide`].
    pub outcome: Result<Plan<'a>, Rejection<'a>>,
    /// The response of the gateway itself, where routing does not decide on it.
    pub local: Option<Local>,
    /// The routes whose host and path match, in the order of precedence.
    pub candidates: Vec<Candidate<'a>>,
}

/// A response of the gateway itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The HTTP status.
    pub status: u16,
    /// The dotted code of an error.
    pub code: Option<&'static str>,
    /// Why the gateway responds, in one sentence.
    pub reason: String,
}

/// A route whose host and path match.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// The id of the route.
    pub route_id: RouteId,
    /// The route.
    pub route: &'a Route,
    /// The declared or derived pattern that matches.
    pub pattern: String,
    /// Whether the pattern is derived within a family of versions.
    pub is_derived: bool,
    /// The outcome for this candidate.
    pub fate: Fate,
}

/// The outcome for a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It wins.
    Wins,
    /// It would serve, but the winner precedes it by this rule.
    Outranked(Rank),
    /// This header constraint fails.
    Header(String),
    /// This query constraint fails.
    Query(String),
    /// It admits only these methods.
    Method(String),
    /// It serves only this version, not the stated one.
    Version(ApiVersion),
    /// It would serve, but a preceding route exists only in other versions.
    Fenced,
    /// Its path states this version, but the headers another: the request is rejected.
    Conflict(ApiVersion),
    /// It serves only requests that state a version: the request is rejected.
    VersionRequired,
    /// It would win, but the path has an encoded slash, which it does not allow.
    EncodedSlash,
}

impl Fate {
    /// The outcome in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Wins => "wins".into(),
            Self::Outranked(rank) => format!("ranks lower: {}", rank.describe()),
            Self::Header(constraint) => format!("requires the header {constraint}"),
            Self::Query(constraint) => format!("requires the query parameter {constraint}"),
            Self::Method(methods) => format!("admits only {methods}"),
            Self::Version(version) => format!("serves only {version}"),
            Self::Fenced => "comes after a route that exists only in other versions".into(),
            Self::Conflict(version) => {
                format!("its path states {version}, but the headers state another version")
            }
            Self::VersionRequired => "serves only requests that state a version".into(),
            Self::EncodedSlash => "would win, but does not allow encoded slashes".into(),
        }
    }

    /// The stable name of the rule.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Wins => "wins",
            Self::Outranked(rank) => rank.name(),
            Self::Header(_) => "header",
            Self::Query(_) => "query",
            Self::Method(_) => "method",
            Self::Version(_) | Self::Fenced => "version",
            Self::Conflict(_) => "version.conflict",
            Self::VersionRequired => "version.required",
            Self::EncodedSlash => "path.encoded_slash",
        }
    }
}

/// Explains what [`admit`] does with a request. A preflight is explained as the request that it asks
/// about.
pub fn explain<'a, H: Headers + ?Sized>(
    snapshot: &'a Snapshot,
    request: &Request<'a, H>,
) -> Explanation<'a> {
    let mut raw = request.raw();
    let mut local = None;
    if let Admission::Respond(response) = admit(snapshot, request) {
        if let Content::Preflight(preflight) = response.content() {
            raw.method = preflight.method;
        }
        local = Local::of(&response);
    }
    let outcome = decide(snapshot, &raw);
    let candidates = candidates(snapshot.table(), &raw, &outcome).unwrap_or_default();
    Explanation {
        outcome,
        local,
        candidates,
    }
}

impl Local {
    /// `None` for a rejection by routing and for a redirect: the outcome explains these.
    fn of(response: &LocalResponse<'_>) -> Option<Self> {
        let reason = match response.content() {
            Content::LastHop => "`Max-Forwards: 0` ends the request at the gateway".into(),
            Content::Preflight(preflight) => format!("a CORS preflight for {}", preflight.method),
            Content::Rejection(Cause::Rejection(_)) | Content::Redirect { .. } => return None,
            Content::Rejection(cause) => cause.to_string(),
        };
        Some(Self {
            status: response.status(),
            code: response.code(),
            reason,
        })
    }
}

/// `None` if the path, the host or the method is invalid.
fn candidates<'a, H: Headers + ?Sized>(
    table: &'a Table,
    request: &RawRequest<'a, H>,
    outcome: &Result<Plan<'_>, Rejection<'_>>,
) -> Option<Vec<Candidate<'a>>> {
    if let Err(Rejection::Host(_)) = outcome {
        return None;
    }
    let (path, query) = split_target(request.target);
    let normal = NormalPath::parse(path).ok()?;
    let method = Method::parse(request.method).ok()?;
    let host = request.host.map(normal_host);
    let (path, host) = (normal.as_str(), host.as_deref());
    let walk = Walk {
        table,
        method,
        path,
        encoded_slash: normal.encoded_slash(),
        query,
        host,
        headers: request.headers,
    };
    let mut winner: Option<Visited<'_>> = None;
    let mut candidates = Vec::new();
    // Invalid headers end the walk early; the explanation has the candidates up to there.
    let _ = walk.each_entry(|visited, verdict| {
        let route = table.route(visited.entry.route);
        let fate = match (verdict, winner) {
            (Verdict::Serves(_), None) => {
                winner = Some(visited);
                if outcome.is_ok() {
                    Fate::Wins
                } else {
                    Fate::EncodedSlash
                }
            }
            (Verdict::Serves(_), Some(winner)) => Fate::Outranked(rank(table, winner, visited)),
            _ => fate(verdict, route, *visited.entry),
        };
        candidates.push(Candidate {
            route_id: RouteId(visited.entry.route),
            route,
            pattern: pattern_of(*visited.entry, route).to_string(),
            is_derived: visited.entry.is_derived(),
            fate,
        });
        ControlFlow::Continue(())
    });
    Some(candidates)
}

fn fate(verdict: Verdict, route: &Route, entry: RouteEntry) -> Fate {
    let constraint =
        |list: &[Constraint], at: usize| list.get(at).map(ToString::to_string).unwrap_or_default();
    match verdict {
        Verdict::Serves(_) => Fate::Wins,
        Verdict::Header(at) => Fate::Header(constraint(route.headers(), at)),
        Verdict::Query(at) => Fate::Query(constraint(route.query(), at)),
        Verdict::Method { .. } => Fate::Method(route.methods().to_string()),
        Verdict::Version { .. } => entry.version.map_or(Fate::Fenced, Fate::Version),
        Verdict::Fenced => Fate::Fenced,
        Verdict::Conflict(version) => Fate::Conflict(version),
        Verdict::Required => Fate::VersionRequired,
    }
}

/// The rule by which the winner precedes another entry that would serve.
fn rank(table: &Table, winner: Visited<'_>, other: Visited<'_>) -> Rank {
    if !std::ptr::eq(winner.trie, other.trie) {
        return Rank::Host;
    }
    if winner.group != other.group {
        return Rank::Path;
    }
    if winner.entry.version != other.entry.version {
        return Rank::Version;
    }
    let with_route = |entry: RouteEntry| (entry, table.route(entry.route));
    precedence::decide(with_route(*winner.entry), with_route(*other.entry)).0
}
