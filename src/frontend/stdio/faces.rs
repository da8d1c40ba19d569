//! What every answer of one backend has in common, made once and kept until the table changes.

use std::sync::Arc;

use serde::Serialize;

use crate::engine::plan::Plan;
use crate::engine::snapshot::Snapshot;
use crate::engine::upstream::backend::Backend;
use crate::frontend::stdio::sample::{SampleUpstream, SampleVersionId};

/// The faces of the routes of one snapshot.
#[derive(Debug)]
pub(super) struct Faces {
    snapshot: Arc<Snapshot>,
    routes: Vec<Option<RouteFace>>,
}

/// What the answers of one route have in common.
#[derive(Debug)]
pub(super) struct RouteFace {
    /// How the sample upstream plays its service, if it does.
    pub(super) played: Option<SampleVersionId>,
    /// By the slots of the backends: `"service":…,"version":…,"backend":…`.
    heads: Vec<Option<Box<str>>>,
}

#[derive(Debug, Serialize)]
struct Head<'a> {
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    backend: &'a str,
}

impl Faces {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        let mut routes = Vec::new();
        routes.resize_with(snapshot.table().routes().len(), || None);
        Self { snapshot, routes }
    }

    /// The snapshot that they are of.
    pub(super) const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Goes on with a snapshot of the same table.
    pub(super) fn follow(&mut self, snapshot: Arc<Snapshot>) {
        self.snapshot = snapshot;
    }

    /// The face of a plan's route.
    #[inline]
    pub(super) fn of(
        &mut self,
        plan: &Plan<'_>,
        sample: &SampleUpstream,
    ) -> Option<&mut RouteFace> {
        let face = self.routes.get_mut(plan.route_id().position())?;
        Some(face.get_or_insert_with(|| RouteFace {
            played: {
                let version = plan.version().map(|version| version.to_string());
                sample.find(plan.route().service(), version.as_deref())
            },
            heads: Vec::new(),
        }))
    }
}

impl RouteFace {
    /// The fields of an answer that name service, version and backend, without the braces.
    #[inline]
    pub(super) fn head(&mut self, plan: &Plan<'_>, backend: &Backend) -> &str {
        let slot = usize::try_from(backend.id).unwrap_or(0);
        if slot >= self.heads.len() {
            self.heads.resize(slot + 1, None);
        }
        let Some(head) = self.heads.get_mut(slot) else {
            return "";
        };
        head.get_or_insert_with(|| {
            let version = plan.version().map(|version| version.to_string());
            let head = Head {
                service: plan.route().service(),
                version: version.as_deref(),
                backend: &backend.name,
            };
            let json = serde_json::to_string(&head).unwrap_or_default();
            json.trim_start_matches('{').trim_end_matches('}').into()
        })
    }
}
