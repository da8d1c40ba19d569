//! The plan: a routed request with its policies and its cluster.

use std::ops::Deref;

use crate::engine::policy::{Chain, Redirect, RoutePolicy};
use crate::engine::request::{Headers, RawRequest};
use crate::engine::routing::{Decision, Rejection, check_host, check_single_host, decide_with};
use crate::engine::semantics::{Forwarding, Request};
use crate::engine::snapshot::Snapshot;
use crate::engine::upstream::{Cluster, Pick};

/// A routed request. Only [`decide`] creates one. Dereferences to its [`Decision`].
#[derive(Debug)]
pub struct Plan<'a> {
    snapshot: &'a Snapshot,
    decision: Decision<'a>,
}

/// Decides which route of a snapshot serves a request.
///
/// # Errors
/// The rejection, if no route serves the request.
#[inline]
pub fn decide<'a, H: Headers + ?Sized>(
    snapshot: &'a Snapshot,
    request: &RawRequest<'a, H>,
) -> Result<Plan<'a>, Rejection<'a>> {
    let check = |host: &str| check_host(host, request.headers);
    decide_with(snapshot.table(), request, check, |decision| Plan {
        snapshot,
        decision,
    })
}

/// Decides like [`decide`], for a request whose known fields were read: no field is read twice.
#[inline]
pub(crate) fn decide_request<'a, H: Headers + ?Sized>(
    snapshot: &'a Snapshot,
    request: &Request<'a, H>,
) -> Result<Plan<'a>, Rejection<'a>> {
    let field = request.fields.host;
    let check = |host: &str| {
        if field.count() > 1 {
            check_host(host, request.headers)
        } else {
            check_single_host(host, field.only())
        }
    };
    decide_with(snapshot.table(), &request.raw(), check, |decision| Plan {
        snapshot,
        decision,
    })
}

impl<'a> Deref for Plan<'a> {
    type Target = Decision<'a>;

    fn deref(&self) -> &Self::Target {
        &self.decision
    }
}

impl<'a> Plan<'a> {
    /// The compiled options of the route.
    #[must_use]
    pub fn policy(&self) -> &'a RoutePolicy {
        self.snapshot.policy(self.route_id())
    }

    /// The policy chain of the route.
    #[must_use]
    pub fn chain(&self) -> &'a Chain {
        self.policy().chain()
    }

    /// The forwarding settings of the route.
    #[must_use]
    pub fn forwarding(&self) -> &'a Forwarding {
        self.policy().forwarding()
    }

    /// The backends that serve the route.
    #[must_use]
    pub fn cluster(&self) -> &'a Cluster {
        self.snapshot.cluster(self.route_id())
    }

    /// The redirect of the route, if any. Such a route has no backends.
    #[must_use]
    pub fn redirect(&self) -> Option<&'a Redirect> {
        self.chain().redirect()
    }

    /// Picks the next backend and advances the cursor of the route; `None` if no backend is
    /// healthy.
    #[inline]
    #[must_use]
    pub fn pick(&self) -> Option<Pick<'a>> {
        self.snapshot.pick(self.route_id())
    }
}
