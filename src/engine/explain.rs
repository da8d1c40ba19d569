//! Why a request goes where it goes: every candidate, and the rule by which each other lost.

use std::ops::ControlFlow;

use crate::engine::plan::{Plan, decide};
use crate::engine::request::{Headers, RawRequest};
use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::host::normal_host;
use crate::engine::routing::method::Method;
use crate::engine::routing::path::{NormalPath, split_target};
use crate::engine::routing::precedence::{self, Rank};
use crate::engine::routing::rejection::Rejection;
use crate::engine::routing::route::Route;
use crate::engine::routing::router::pattern_of;
use crate::engine::routing::table::{RouteId, Table};
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::walk::{Verdict, Visited, Walk};
use crate::engine::snapshot::Snapshot;

/// A decision with its reasons. No cursor moves for it.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// What [`decide`] says.
    pub outcome: Result<Plan<'a>, Rejection<'a>>,
    /// Every route whose host and path match, in the order in which they are tried.
    pub candidates: Vec<Candidate<'a>>,
}

/// One route whose host and path match.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// Its number in the table.
    pub route_id: RouteId,
    /// The route.
    pub route: &'a Route,
    /// The pattern that matches: the declared one, or one derived within a family of versions.
    pub pattern: String,
    /// Whether the pattern is derived.
    pub derived: bool,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It answers.
    Wins,
    /// It would serve, but comes later, by this rule.
    Outranked(Rank),
    /// It asks for a header that the request does not bear.
    Header(String),
    /// It asks for a query parameter that the request does not bear.
    Query(String),
    /// It does not admit the method.
    Method(String),
    /// It serves another version than the one stated.
    Version(ApiVersion),
    /// It would serve, but a route before it exists in other versions only.
    Fenced,
    /// Its path states another version than the headers do: the request is refused.
    Conflict(ApiVersion),
    /// It answers only requests that state a version: the request is refused.
    VersionRequired,
    /// It would have won, but keeps no encoded slash.
    EncodedSlash,
}

impl Fate {
    /// The fate in words.
    #[must_use]
    pub fn as_words(&self) -> String {
        match self {
            Self::Wins => "wins".into(),
            Self::Outranked(rank) => format!("comes later: {}", rank.as_words()),
            Self::Header(constraint) => format!("asks for the header {constraint}"),
            Self::Query(constraint) => format!("asks for the query parameter {constraint}"),
            Self::Method(methods) => format!("admits {methods} only"),
            Self::Version(version) => format!("serves {version} only"),
            Self::Fenced => "comes after a route that exists in other versions only".into(),
            Self::Conflict(version) => format!("its path states {version}, the headers another"),
            Self::VersionRequired => "answers only requests that state a version".into(),
            Self::EncodedSlash => "would win, but keeps no encoded slash".into(),
        }
    }

    /// The rule, as one stable word.
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

/// Explains what [`decide`] decides.
pub fn explain<'a, H: Headers + ?Sized>(
    snapshot: &'a Snapshot,
    request: &RawRequest<'a, H>,
) -> Explanation<'a> {
    let outcome = decide(snapshot, request);
    let candidates = candidates(snapshot.table(), request, &outcome).unwrap_or_default();
    Explanation {
        outcome,
        candidates,
    }
}

/// None if not even path, host and method can be read.
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
    // A fault in the headers ends the walk; what was seen by then is told.
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
            derived: visited.entry.is_derived(),
            fate,
        });
        ControlFlow::Continue(())
    });
    Some(candidates)
}

fn fate(verdict: Verdict, route: &Route, entry: RouteEntry) -> Fate {
    let constraint = |list: &[crate::engine::routing::constraint::Constraint], at: usize| {
        list.get(at).map(ToString::to_string).unwrap_or_default()
    };
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

/// The rule by which the winner comes before another that would serve too.
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
