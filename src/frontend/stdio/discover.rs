//! What `discover` lists: every service and version, and where it is.

use std::collections::HashSet;

use crate::engine::routing::version::ApiVersion;
use crate::engine::snapshot::Snapshot;
use crate::engine::upstream::Cluster;
use crate::engine::upstream::backend::{Address, Backend, BackendSource};
use crate::engine::upstream::registry::ServiceKey;
use crate::frontend::stdio::reply::{ListedBackend, ListedService};

/// The services of the table, and those that only have registrations waiting; one alone or one
/// version alone if so asked.
pub(super) fn services<'a>(
    snapshot: &'a Snapshot,
    waiting: &'a [(ServiceKey, Vec<Address>)],
    service: Option<&str>,
    version: Option<ApiVersion>,
) -> Vec<ListedService<'a>> {
    let asked = |name: &str, of: Option<ApiVersion>| {
        service.is_none_or(|service| service == name) && (version.is_none() || version == of)
    };
    let table = snapshot.table();
    let known = table
        .services()
        .filter(|(name, version)| asked(name, *version))
        .map(|(name, version)| {
            let routes = table.routes_of(name, version);
            let mut backends: Vec<&Backend> = routes
                .flat_map(|route| snapshot.cluster(route).backends())
                .collect();
            let mut seen = HashSet::new();
            backends.retain(|backend| seen.insert(&backend.address));
            ListedService {
                service: name,
                version: version.map(|v| v.to_string()),
                backends: backends.into_iter().map(ListedBackend::of).collect(),
            }
        });
    let waiting = waiting
        .iter()
        .filter(|(key, _)| asked(&key.service, key.version));
    known
        .chain(waiting.map(|(key, addresses)| in_waiting(key, addresses)))
        .collect()
}

fn in_waiting<'a>(key: &'a ServiceKey, addresses: &[Address]) -> ListedService<'a> {
    let registered = addresses
        .iter()
        .map(|address| (address, BackendSource::Registered));
    let pool = Cluster::new(None, registered);
    ListedService {
        service: &key.service,
        version: key.version.map(|version| version.to_string()),
        backends: pool.backends().iter().map(ListedBackend::of).collect(),
    }
}

impl ListedBackend {
    fn of(backend: &Backend) -> Self {
        Self {
            backend: backend.name.to_string(),
            address: backend.address.to_string(),
            healthy: backend.is_healthy,
            source: backend.source,
        }
    }
}
