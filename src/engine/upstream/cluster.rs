//! Clusters: the backends of one service version, and how the gateway connects to them.

use std::sync::Arc;

use crate::engine::upstream::backend::{Address, Backend, BackendSource};
use crate::engine::upstream::balancer::Cursor;
use crate::engine::upstream::settings::Upstream;

/// The backends of one service version, shared by all routes to it. Immutable: a change replaces it.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// The healthy backends come first; otherwise in the order of the configuration.
    backends: Arc<[Backend]>,
    healthy: u32,
    next_slot: u32,
    upstream: Arc<Upstream>,
}

/// A picked backend.
#[derive(Clone, Copy, Debug)]
pub struct Pick<'a> {
    /// The backend.
    pub backend: &'a Backend,
}

impl Cluster {
    /// A cluster of these addresses, in this order. A backend of `previous` keeps its name and its
    /// slot; of a repeated address the first counts.
    pub fn new<'a>(
        previous: Option<&Self>,
        members: impl IntoIterator<Item = (&'a Address, BackendSource)>,
    ) -> Self {
        let mut next_slot = previous.map_or(0, |cluster| cluster.next_slot);
        let known = previous.map(Self::by_address).unwrap_or_default();
        let mut backends = Vec::new();
        for (address, source, name) in named(members) {
            let found = known.binary_search_by_key(&address, |backend| &backend.address);
            let stays = found.ok().and_then(|at| known.get(at));
            backends.push(match stays {
                Some(backend) => Backend {
                    source,
                    ..(*backend).clone()
                },
                None => Backend {
                    name: name.of(address),
                    address: address.clone(),
                    source,
                    healthy: true,
                    slot: next_slot,
                },
            });
            next_slot += u32::from(stays.is_none());
        }
        Self::of(backends, next_slot, Arc::default())
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

    /// Every backend, in the order of the addresses.
    #[must_use]
    pub fn by_address(&self) -> Vec<&Backend> {
        let mut backends: Vec<&Backend> = self.backends.iter().collect();
        backends.sort_unstable_by_key(|backend| &backend.address);
        backends
    }

    fn of(mut backends: Vec<Backend>, next_slot: u32, upstream: Arc<Upstream>) -> Self {
        backends.sort_by_key(|backend| !backend.healthy);
        let healthy = backends.iter().filter(|backend| backend.healthy).count();
        Self {
            backends: backends.into(),
            healthy: u32::try_from(healthy).unwrap_or(u32::MAX),
            next_slot,
            upstream,
        }
    }

    /// Every backend: the healthy ones first, and both in the order of the configuration.
    #[must_use]
    pub fn backends(&self) -> &[Backend] {
        &self.backends
    }

    /// The number of slots that its backends have had.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        self.next_slot
    }

    /// Picks the next healthy backend and advances the cursor; `None`, without advancing, if no
    /// backend is healthy.
    ///
    /// Fair to within one over any run of cursor values while the cluster is unchanged; where the
    /// cursor wraps, to within two.
    #[inline]
    #[must_use]
    pub fn pick(&self, cursor: &Cursor) -> Option<Pick<'_>> {
        // In a large table the line of the cursor is fetched while that of the cluster is: the
        // locked add waits for all loads before it.
        cursor.prefetch();
        self.at(cursor.advance(self.healthy)?)
    }

    /// The backend that [`Cluster::pick`] would return now, without advancing the cursor.
    #[must_use]
    pub fn peek(&self, cursor: &Cursor) -> Option<Pick<'_>> {
        self.at(cursor.peek_modulo(self.healthy)?)
    }

    #[inline]
    fn at(&self, turn: usize) -> Option<Pick<'_>> {
        self.backends.get(turn).map(|backend| Pick { backend })
    }

    /// The same cluster with the health of one backend changed.
    #[must_use]
    pub fn with_health(&self, address: &Address, is_healthy: bool) -> Self {
        let mut backends = self.backends.to_vec();
        for backend in backends
            .iter_mut()
            .filter(|backend| backend.address == *address)
        {
            backend.healthy = is_healthy;
        }
        Self::of(backends, self.next_slot, Arc::clone(&self.upstream))
    }
}

/// How much of its address a backend is called by.
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

/// Members in their order, each address once, with as much of it as tells it from the others.
fn named<'a>(
    members: impl IntoIterator<Item = (&'a Address, BackendSource)>,
) -> impl Iterator<Item = (&'a Address, BackendSource, Name)> {
    // Sorted by address all that are alike lie together.
    let mut sorted: Vec<_> = members.into_iter().enumerate().collect();
    sorted.sort_by_key(|(_, (address, _))| *address);
    sorted.dedup_by_key(|(_, (address, _))| *address);
    let mut named = Vec::with_capacity(sorted.len());
    for same_host in sorted.chunk_by(|(_, (a, _)), (_, (b, _))| a.host() == b.host()) {
        for same_port in same_host.chunk_by(|(_, (a, _)), (_, (b, _))| a.port() == b.port()) {
            let name = match (same_host.len(), same_port.len()) {
                (1, _) => Name::Host,
                (_, 1) => Name::HostPort,
                // Only the scheme tells them apart.
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

    fn pool(previous: Option<&Cluster>, texts: &[&str]) -> Cluster {
        let addresses = addresses(texts);
        Cluster::new(
            previous,
            addresses
                .iter()
                .map(|address| (address, BackendSource::Inline)),
        )
    }

    fn names(pool: &Cluster) -> Vec<&str> {
        pool.backends()
            .iter()
            .map(|backend| &*backend.name)
            .collect()
    }

    fn picks(pool: &Cluster, cursor: &Cursor, count: usize) -> Vec<String> {
        (0..count)
            .map(|_| pool.pick(cursor).unwrap().backend.name.to_string())
            .collect()
    }

    #[test]
    fn it_goes_round() {
        let pool = pool(None, &["a", "b", "c"]);
        let cursor = Cursor::default();
        assert_eq!(picks(&pool, &cursor, 4), ["a", "b", "c", "a"]);
    }

    #[test]
    fn a_peek_moves_nothing() {
        let pool = pool(None, &["a", "b"]);
        let cursor = Cursor::default();
        let peek = || pool.peek(&cursor).unwrap().backend.name.to_string();
        assert_eq!((peek(), peek()), ("a".into(), "a".into()));
        assert_eq!(picks(&pool, &cursor, 1), ["a"]);
        assert_eq!(peek(), "b");
    }

    #[test]
    fn the_cursor_wraps() {
        let pool = pool(None, &["a", "b"]);
        let cursor = Cursor::new(u64::MAX);
        assert_eq!(picks(&pool, &cursor, 3), ["b", "a", "b"]);
    }

    #[test]
    fn names_are_fixed_when_a_backend_joins() {
        let first = pool(None, &["a:1", "b:1"]);
        assert_eq!(names(&first), ["a", "b"]);
        let second = pool(Some(&first), &["a:1", "a:2", "b:1"]);
        assert_eq!(names(&second), ["a", "a:2", "b"]);
        assert_eq!(names(&pool(None, &["a:1", "a:2"])), ["a:1", "a:2"]);
        let slots: Vec<u32> = second
            .backends()
            .iter()
            .map(|backend| backend.slot)
            .collect();
        assert_eq!((slots, second.slots()), (vec![0, 2, 1], 3));
    }

    #[test]
    fn an_unhealthy_backend_is_passed_over_and_an_empty_pool_moves_no_cursor() {
        let [a, b] = [0, 1].map(|at| addresses(&["a", "b"])[at].clone());
        let pool = pool(None, &["a", "b"]).with_health(&a, false);
        let cursor = Cursor::default();
        assert_eq!(picks(&pool, &cursor, 2), ["b", "b"]);
        let none = pool.with_health(&b, false);
        assert!(none.pick(&cursor).is_none());
        assert_eq!(cursor.next(), 2);
    }
}
