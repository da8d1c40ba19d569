//! A downstream within this process: it collects the response in memory, and never disconnects.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use bytes::Bytes;
use http::HeaderMap;

use crate::engine::routing::{ApiVersion, RouteId};
use crate::engine::semantics::{Cause, Edits};
use crate::engine::upstream::Backend;
use crate::engine::{Plan, Snapshot};
use crate::runtime::body::CollectedBody;
use crate::runtime::edits::added_fields;
use crate::runtime::proxy::rendered::RenderedResponse;

/// A downstream within this process.
#[derive(Debug)]
pub(crate) struct MemoryDownstream {
    /// The rest of the request body.
    pub(crate) body: Bytes,
    /// The response body so far.
    pub(crate) collected: CollectedBody,
    /// The head of the response.
    pub(crate) response: MemoryResponse,
    /// How the request was routed; `None` if it was not admitted.
    pub(crate) routed: Option<Routed>,
    /// Whether [`Routed::upstream_path`] is wanted.
    pub(crate) wants_details: bool,
    /// Receives the route and each backend that is picked.
    pub(crate) picks: PickReporter,
}

/// The head of the response to a request in memory.
#[derive(Debug, Default)]
pub(crate) enum MemoryResponse {
    /// The head has not arrived yet.
    #[default]
    Pending,
    /// From a backend.
    Upstream {
        /// From 200 to 599.
        status: u16,
        /// The fields, as edited.
        fields: HeaderMap,
    },
    /// From the gateway, without an error.
    Local {
        /// From 200 to 599.
        status: u16,
        /// The fields.
        fields: HeaderMap,
    },
    /// An error that the gateway reports.
    Error {
        /// From 400 to 599.
        status: u16,
        /// The stable code.
        code: &'static str,
        /// A sentence for people.
        message: String,
        /// The methods that would be admitted, for a 405.
        allow: Option<Vec<String>>,
    },
}

/// How a request was routed.
#[derive(Clone, Debug)]
pub(crate) struct Routed {
    /// The route.
    pub(crate) route: RouteId,
    /// The version; `None` if the route is neutral.
    pub(crate) version: Option<ApiVersion>,
    /// The path and query that went to the backend, if it was asked for.
    pub(crate) upstream_path: Option<String>,
    /// The id of the backend of the last attempt.
    pub(crate) backend: Option<u32>,
}

/// Reports the route and the picks of one request to another thread: at least one event, even if the
/// request is not admitted.
#[derive(Debug)]
pub(crate) struct PickReporter {
    snapshot: Arc<Snapshot>,
    events: Sender<PickEvent>,
    route: Option<RouteId>,
    is_first: bool,
}

/// A pick, or that a request ended without one.
#[derive(Debug)]
pub(crate) struct PickEvent {
    /// The snapshot of the request.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The route that the request matched; `None` if it matched none.
    pub(crate) route: Option<RouteId>,
    /// The id of the backend that was picked; `None` if there was none.
    pub(crate) backend: Option<u32>,
    /// Whether it is the first event of its request.
    pub(crate) is_first: bool,
}

impl MemoryDownstream {
    /// Records the plan of an admitted request.
    pub(super) fn record_plan(&mut self, plan: &Plan<'_>) {
        let route = plan.route_id();
        self.picks.route = Some(route);
        self.routed = Some(Routed {
            route,
            version: plan.version(),
            upstream_path: self.wants_details.then(|| plan.upstream_path().to_string()),
            backend: None,
        });
    }

    /// Records the route of a request that gets a local response.
    pub(super) const fn record_route(&mut self, route: Option<RouteId>) {
        self.picks.route = route;
    }

    /// Records and reports the backend of an attempt.
    pub(super) fn record_pick(&mut self, backend: &Backend) {
        if let Some(routed) = &mut self.routed {
            routed.backend = Some(backend.id);
        }
        self.picks.report(Some(backend.id));
    }

    /// Takes a local response, whose fields are these edits.
    pub(super) fn take_local(&mut self, response: &RenderedResponse<'_>, edits: &Edits) {
        self.response = match response.cause {
            Some(cause) => MemoryResponse::of_cause(cause),
            None => MemoryResponse::Local {
                status: response.status,
                fields: added_fields(edits),
            },
        };
    }
}

impl MemoryResponse {
    /// Reports an error.
    pub(crate) fn of_cause(cause: &Cause<'_>) -> Self {
        Self::Error {
            status: cause.status(),
            code: cause.code(),
            message: cause.to_string(),
            allow: cause.allow().map(<[String]>::to_vec),
        }
    }
}

impl PickReporter {
    /// Reports the events of a request with this snapshot.
    pub(crate) const fn new(snapshot: Arc<Snapshot>, events: Sender<PickEvent>) -> Self {
        Self {
            snapshot,
            events,
            route: None,
            is_first: true,
        }
    }

    fn report(&mut self, backend: Option<u32>) {
        let event = PickEvent {
            snapshot: Arc::clone(&self.snapshot),
            route: self.route,
            backend,
            is_first: std::mem::replace(&mut self.is_first, false),
        };
        // The receiver is dropped once the input has ended.
        let _ = self.events.send(event);
    }
}

impl Drop for PickReporter {
    fn drop(&mut self) {
        if self.is_first {
            self.report(None);
        }
    }
}
