//! What all replies of one backend start with, rendered once and cached until the table changes.

use std::sync::Arc;

use serde::Serialize;

use crate::engine::upstream::Backend;
use crate::engine::{Plan, Snapshot};
use crate::frontend::stdio::sample::{SampleUpstream, SampleVersionId};

/// The cached prefixes for the routes of one snapshot.
#[derive(Debug)]
pub(super) struct ReplyPrefixes {
    snapshot: Arc<Snapshot>,
    routes: Vec<Option<RoutePrefixes>>,
}

/// The cached prefixes of one route.
#[derive(Debug)]
pub(super) struct RoutePrefixes {
    /// The sample service that stands in for the backends of the route, if there is one.
    pub(super) sample: Option<SampleVersionId>,
    /// Indexed by backend id: `"service":…,"version":…,"backend":…`.
    prefixes: Vec<Option<Box<str>>>,
}

#[derive(Debug, Serialize)]
struct Prefix<'a> {
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    backend: &'a str,
}

impl ReplyPrefixes {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        let mut routes = Vec::new();
        routes.resize_with(snapshot.table().routes().len(), || None);
        Self { snapshot, routes }
    }

    /// The snapshot that the prefixes belong to.
    pub(super) const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Continues with a snapshot of the same table.
    pub(super) fn follow(&mut self, snapshot: Arc<Snapshot>) {
        self.snapshot = snapshot;
    }

    /// The prefixes of a plan's route.
    #[inline]
    pub(super) fn of(
        &mut self,
        plan: &Plan<'_>,
        sample: &SampleUpstream,
    ) -> Option<&mut RoutePrefixes> {
        let route = self.routes.get_mut(plan.route_id().position())?;
        Some(route.get_or_insert_with(|| RoutePrefixes {
            sample: {
                let version = plan.version().map(|version| version.to_string());
                sample.find(plan.route().service(), version.as_deref())
            },
            prefixes: Vec::new(),
        }))
    }
}

impl RoutePrefixes {
    /// The fields that name service, version and backend, without braces.
    #[inline]
    pub(super) fn prefix(&mut self, plan: &Plan<'_>, backend: &Backend) -> &str {
        let index = usize::try_from(backend.id).unwrap_or(0);
        if index >= self.prefixes.len() {
            self.prefixes.resize(index + 1, None);
        }
        let Some(prefix) = self.prefixes.get_mut(index) else {
            return "";
        };
        prefix.get_or_insert_with(|| {
            let version = plan.version().map(|version| version.to_string());
            let prefix = Prefix {
                service: plan.route().service(),
                version: version.as_deref(),
                backend: &backend.name,
            };
            let json = serde_json::to_string(&prefix).unwrap_or_default();
            json.trim_start_matches('{').trim_end_matches('}').into()
        })
    }
}
