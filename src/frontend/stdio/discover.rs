//! What `discover` lists: every service and version with its backends.

use std::collections::HashSet;

use crate::engine::Snapshot;
use crate::engine::routing::ApiVersion;
use crate::engine::upstream::{Address, Backend, BackendSource, Cluster, ServiceKey};
use crate::frontend::stdio::reply::{ListedBackend, ListedService};

/// The services of the table, then the registrations of services that no route names, filtered by
/// service and version.
pub(super) fn services<'a>(
    snapshot: &'a Snapshot,
    unrouted: &'a [(ServiceKey, Vec<Address>)],
    service: Option<&str>,
    version: Option<ApiVersion>,
) -> Vec<ListedService<'a>> {
    let is_wanted = |name: &str, of: Option<ApiVersion>| {
        service.is_none_or(|service| service == name) && (version.is_none() || version == of)
    };
    let table = snapshot.table();
    let known = table
        .services()
        .filter(|(name, version)| is_wanted(name, *version))
        .map(|(name, version)| {
            let clusters = snapshot.clusters_of(name, version).iter();
            let mut backends: Vec<&Backend> = clusters.flat_map(Cluster::backends).collect();
            let mut seen = HashSet::new();
            backends.retain(|backend| seen.insert(&backend.address));
            ListedService {
                service: name,
                version: version.map(|v| v.to_string()),
                backends: backends.into_iter().map(ListedBackend::of).collect(),
            }
        });
    let unrouted = unrouted
        .iter()
        .filter(|(key, _)| is_wanted(&key.service, key.version));
    known
        .chain(unrouted.map(|(key, addresses)| unrouted_service(key, addresses)))
        .collect()
}

fn unrouted_service<'a>(key: &'a ServiceKey, addresses: &[Address]) -> ListedService<'a> {
    let registered = addresses
        .iter()
        .map(|address| (address, BackendSource::Registered));
    let cluster = Cluster::new(None, registered);
    ListedService {
        service: &key.service,
        version: key.version.map(|version| version.to_string()),
        backends: cluster.backends().iter().map(ListedBackend::of).collect(),
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
