//! Clusters: the backends of one service version and the settings for connections to them.

use std::sync::Arc;

use crate::engine::upstream::backend::{Address, Backend, BackendSource};
use crate::engine::upstream::balancer::{Balancer, Cursor};
use crate::engine::upstream::settings::Upstream;

/// The backends of one service version, shared by its routes. Immutable: a change creates a new
/// one.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// The healthy backends first, each part in the order of the configuration.
    backends: Arc<[Backend]>,
    healthy: u32,
    next_id: u32,
    balancer: Balancer,
    upstream: Arc<Upstream>,
}

/// A picked backend.
#[derive(Clone, Copy, Debug)]
pub struct Pick<'a> {
    /// The backend.
    pub backend: &'a Backend,
}

impl Cluster {
    /// A cluster of these addresses, in this order; duplicates are ignored. A backend of `previous`
    /// retains its name, id and health.
    pub fn new<'a>(
        previous: Option<&Self>,
        members: impl IntoIterator<Item = (&'a Address, BackendSource)>,
    ) -> Self {
        let mut next_id = previous.map_or(0, |cluster| cluster.next_id);
        let known = previous.map(Self::by_address).unwrap_or_default();
        let mut backends = Vec::new();
        for (address, source, name) in named(members) {
            let found = known.binary_search_by_key(&address, |backend| &backend.address);
            let existing = found.ok().and_then(|at| known.get(at));
            backends.push(match existing {
                Some(backend) => Backend {
                    source,
                    ..(*backend).clone()
                },
                None => Backend {
                    name: name.of(address),
                    address: address.clone(),
                    source,
                    is_healthy: true,
                    id: next_id,
                },
            });
            next_id += u32::from(existing.is_none());
        }
        Self::of(backends, next_id, Arc::default())
    }

    /// The same cluster with these connection settings.
    #[must_use]
    pub fn with_upstream(self, upstream: Arc<Upstream>) -> Self {
        Self { upstream, ..self }
    }

    /// How the gateway connects to the backends.
    #[must_use]
    pub const fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }

    /// All backends, sorted by address.
    #[must_use]
    pub fn by_address(&self) -> Vec<&Backend> {
        let mut backends: Vec<&Backend> = self.backends.iter().collect();
        backends.sort_unstable_by_key(|backend| &backend.address);
        backends
    }

    fn of(mut backends: Vec<Backend>, next_id: u32, upstream: Arc<Upstream>) -> Self {
        backends.sort_by_key(|backend| !backend.is_healthy);
        let healthy = backends.iter().filter(|backend| backend.is_healthy).count();
        Self {
            backends: backends.into(),
            healthy: u32::try_from(healthy).unwrap_or(u32::MAX),
            next_id,
            balancer: Balancer::default(),
            upstream,
        }
    }

    /// All backends: the healthy ones first, each part in the order of the configuration.
    #[must_use]
    pub fn backends(&self) -> &[Backend] {
        &self.backends
    }

    /// The id of the next new backend: an exclusive upper bound of all backend ids.
    #[must_use]
    pub const fn next_id(&self) -> u32 {
        self.next_id
    }

    /// Picks the next healthy backend and advances the cursor; `None`, without advancing, if no
    /// backend is healthy.
    ///
    /// Fair to within one pick per backend over any run of cursor values while the cluster is
    /// unchanged, and to within two where the cursor wraps.
    #[inline]
    #[must_use]
    pub fn pick(&self, cursor: &Cursor) -> Option<Pick<'_>> {
        self.at(self.balancer.next(cursor, self.healthy)?)
    }

    /// The backend that [`Cluster::pick`] would return now, without advancing the cursor.
    #[must_use]
    pub fn peek(&self, cursor: &Cursor) -> Option<Pick<'_>> {
        self.at(self.balancer.peek(cursor, self.healthy)?)
    }

    #[inline]
    fn at(&self, index: usize) -> Option<Pick<'_>> {
        self.backends.get(index).map(|backend| Pick { backend })
    }

    /// The same cluster with the health of one backend changed.
    #[must_use]
    pub fn with_health(&self, address: &Address, is_healthy: bool) -> Self {
        let mut backends = self.backends.to_vec();
        for backend in backends
            .iter_mut()
            .filter(|backend| backend.address == *address)
        {
            backend.is_healthy = is_healthy;
        }
        Self::of(backends, self.next_id, Arc::clone(&self.upstream))
    }
}

/// The part of its address that forms the name of a backend.
#[derive(Clone, Copy)]
enum Name {
    Host,
    HostPort,
    Whole,
}

impl Name {
    fn of(self, address: &Address) -> Arc<str> {
        match self {
            Self::Host => address.host().into(),
            Self::HostPort => format!("{}:{}", address.host(), address.port()).into(),
            Self::Whole => address.to_string().into(),
        }
    }
}

/// The distinct addresses in their order, each with the shortest unambiguous kind of name.
fn named<'a>(
    members: impl IntoIterator<Item = (&'a Address, BackendSource)>,
) -> impl Iterator<Item = (&'a Address, BackendSource, Name)> {
    // Sorted by address, so that equal hosts and ports are adjacent.
    let mut sorted: Vec<_> = members.into_iter().enumerate().collect();
    sorted.sort_by_key(|(_, (address, _))| *address);
    sorted.dedup_by_key(|(_, (address, _))| *address);
    let mut named = Vec::with_capacity(sorted.len());
    for same_host in sorted.chunk_by(|(_, (a, _)), (_, (b, _))| a.host() == b.host()) {
        for same_port in same_host.chunk_by(|(_, (a, _)), (_, (b, _))| a.port() == b.port()) {
            let name = match (same_host.len(), same_port.len()) {
                (1, _) => Name::Host,
                (_, 1) => Name::HostPort,
                // Only the scheme differs.
                _ => Name::Whole,
            };
            named.extend(same_port.iter().map(|(at, member)| (*at, *member, name)));
        }
    }
    named.sort_unstable_by_key(|(at, ..)| *at);
    named
        .into_iter()
        .map(|(_, (address, source), name)| (address, source, name))
}

#[cfg(test)]
#[cfg(not(tollgate_loom))]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<Address> {
        texts
            .iter()
            .map(|text| Address::parse(text).unwrap())
            .collect()
    }

    fn cluster(previous: Option<&Cluster>, texts: &[&str]) -> Cluster {
        let addresses = addresses(texts);
        Cluster::new(
            previous,
            addresses
                .iter()
                .map(|address| (address, BackendSource::Inline)),
        )
    }

    fn names(cluster: &Cluster) -> Vec<&str> {
        cluster
            .backends()
            .iter()
            .map(|backend| &*backend.name)
            .collect()
    }

    fn picks(cluster: &Cluster, cursor: &Cursor, count: usize) -> Vec<String> {
        (0..count)
            .map(|_| cluster.pick(cursor).unwrap().backend.name.to_string())
            .collect()
    }

    #[test]
    fn picks_rotate() {
        let cluster = cluster(None, &["a", "b", "c"]);
        let cursor = Cursor::default();
        assert_eq!(picks(&cluster, &cursor, 4), ["a", "b", "c", "a"]);
    }

    #[test]
    fn a_peek_does_not_advance_the_cursor() {
        let cluster = cluster(None, &["a", "b"]);
        let cursor = Cursor::default();
        let peek = || cluster.peek(&cursor).unwrap().backend.name.to_string();
        assert_eq!((peek(), peek()), ("a".into(), "a".into()));
        assert_eq!(picks(&cluster, &cursor, 1), ["a"]);
        assert_eq!(peek(), "b");
    }

    #[test]
    fn the_cursor_wraps() {
        let cluster = cluster(None, &["a", "b"]);
        let cursor = Cursor::new(u64::MAX);
        assert_eq!(picks(&cluster, &cursor, 3), ["b", "a", "b"]);
    }

    #[test]
    fn names_are_fixed_when_a_backend_joins() {
        let first = cluster(None, &["a:1", "b:1"]);
        assert_eq!(names(&first), ["a", "b"]);
        let second = cluster(Some(&first), &["a:1", "a:2", "b:1"]);
        assert_eq!(names(&second), ["a", "a:2", "b"]);
        assert_eq!(names(&cluster(None, &["a:1", "a:2"])), ["a:1", "a:2"]);
        let ids: Vec<u32> = second.backends().iter().map(|backend| backend.id).collect();
        assert_eq!((ids, second.next_id()), (vec![0, 2, 1], 3));
    }

    #[test]
    fn unhealthy_backends_are_skipped_and_an_unhealthy_cluster_does_not_advance_the_cursor() {
        let [a, b] = [0, 1].map(|at| addresses(&["a", "b"])[at].clone());
        let cluster = cluster(None, &["a", "b"]).with_health(&a, false);
        let cursor = Cursor::default();
        assert_eq!(picks(&cluster, &cursor, 2), ["b", "b"]);
        let unhealthy = cluster.with_health(&b, false);
        assert!(unhealthy.pick(&cursor).is_none());
        assert_eq!(cursor.next(), 2);
    }
}
