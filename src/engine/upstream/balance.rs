//! Round robin: one cursor a route, and the pool of backends that it goes round.

use std::num::NonZeroU64;
use std::sync::Arc;

use crate::engine::sync::{AtomicU64, Ordering};
use crate::engine::upstream::backend::{Address, Backend, BackendSource};

/// The cursor of one route: lock-free, on a cache line of its own, and carried from snapshot to
/// snapshot. Two threads on one line cost four times as much as on two.
#[derive(Debug)]
#[repr(align(64))]
pub struct Cursor(AtomicU64);

/// The backends of one route. It never changes; another takes its place.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// Those that may be picked come first; beyond that, in the order of the configuration.
    backends: Arc<[Backend]>,
    healthy: u32,
    next_slot: u32,
}

/// A backend, picked.
#[derive(Clone, Copy, Debug)]
pub struct Pick<'a> {
    /// The backend.
    pub backend: &'a Backend,
}

impl Cursor {
    /// A cursor that gives `first` next.
    #[must_use]
    pub fn new(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }

    /// The next value; after `u64::MAX` comes 0.
    #[inline]
    pub fn next(&self) -> u64 {
        // Relaxed: the value orders nothing else; each caller only needs one of its own.
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// Whose turn of so many it is, and moves; none, and it stays, if there are none.
    #[inline]
    fn turn(&self, of: u32) -> Option<usize> {
        if of == 0 { None } else { turn(self.next(), of) }
    }

    /// A look at the cursor for its own sake: it has its cache line fetched. To loom, which has no
    /// cache lines, it would only be one more step to try in every order.
    #[inline]
    fn fetch_line(&self) {
        #[cfg(not(tollgate_loom))]
        let _ = self.peek();
    }

    /// The value that [`Cursor::next`] would give. The cursor stays.
    #[must_use]
    pub fn peek(&self) -> u64 {
        // Relaxed: a look that orders nothing, and may be out of date when it is told.
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Cursor {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Pool {
    /// The pool of these addresses, in this order. A backend that `previous` had keeps its name
    /// and its slot; of an address that comes twice the first counts.
    pub fn new<'a>(
        previous: Option<&Self>,
        members: impl IntoIterator<Item = (&'a Address, BackendSource)>,
    ) -> Self {
        let mut next_slot = previous.map_or(0, |pool| pool.next_slot);
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
        Self::of(backends, next_slot)
    }

    /// Every backend, in the order of the addresses.
    #[must_use]
    pub fn by_address(&self) -> Vec<&Backend> {
        let mut backends: Vec<&Backend> = self.backends.iter().collect();
        backends.sort_unstable_by_key(|backend| &backend.address);
        backends
    }

    fn of(mut backends: Vec<Backend>, next_slot: u32) -> Self {
        backends.sort_by_key(|backend| !backend.healthy);
        let healthy = backends.iter().filter(|backend| backend.healthy).count();
        Self {
            backends: backends.into(),
            healthy: u32::try_from(healthy).unwrap_or(u32::MAX),
            next_slot,
        }
    }

    /// Every backend: the healthy ones first, and both in the order of the configuration.
    #[must_use]
    pub fn backends(&self) -> &[Backend] {
        &self.backends
    }

    /// How many slots its backends have had.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        self.next_slot
    }

    /// The next healthy backend, and moves the cursor; none if there is none, and the cursor stays.
    ///
    /// Fair to within one over any run of cursor values while the pool stays as it is; where the
    /// cursor wraps, to within two.
    #[inline]
    #[must_use]
    pub fn pick(&self, cursor: &Cursor) -> Option<Pick<'_>> {
        // A look beforehand: in a large table the cursor's line is fetched while the pool's is, and
        // not after it, as an exchange that waits for all loads before it would have it.
        cursor.fetch_line();
        self.at(cursor.turn(self.healthy)?)
    }

    /// The backend that [`Pool::pick`] would give, if nobody picked meanwhile. The cursor stays.
    #[must_use]
    pub fn peek(&self, cursor: &Cursor) -> Option<Pick<'_>> {
        self.at(turn(cursor.peek(), self.healthy)?)
    }

    /// The backend whose turn it is.
    #[inline]
    fn at(&self, turn: usize) -> Option<Pick<'_>> {
        self.backends.get(turn).map(|backend| Pick { backend })
    }

    /// The same pool with the health of one backend changed.
    #[must_use]
    pub fn with_health(&self, address: &Address, is_healthy: bool) -> Self {
        let mut backends = self.backends.to_vec();
        for backend in backends
            .iter_mut()
            .filter(|backend| backend.address == *address)
        {
            backend.healthy = is_healthy;
        }
        Self::of(backends, self.next_slot)
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

#[inline]
fn turn(value: u64, of: u32) -> Option<usize> {
    usize::try_from(value % NonZeroU64::new(of.into())?).ok()
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

    fn pool(previous: Option<&Pool>, texts: &[&str]) -> Pool {
        let addresses = addresses(texts);
        Pool::new(
            previous,
            addresses
                .iter()
                .map(|address| (address, BackendSource::Inline)),
        )
    }

    fn names(pool: &Pool) -> Vec<&str> {
        pool.backends()
            .iter()
            .map(|backend| &*backend.name)
            .collect()
    }

    fn picks(pool: &Pool, cursor: &Cursor, count: usize) -> Vec<String> {
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

    #[test]
    fn a_cursor_has_a_line_of_its_own() {
        assert_eq!((align_of::<Cursor>(), size_of::<Cursor>()), (64, 64));
    }
}
