//! Connections to backends that are kept for the next request.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::engine::upstream::Upstream;
use crate::engine::upstream::backend::{Address, Backend, Scheme};
use crate::runtime::boxed::boxed;
use crate::runtime::buffer::Buffers;
use crate::runtime::sweep::Watch;
use crate::runtime::upstream::connect::Resolved;
use crate::runtime::upstream::error::UpstreamError;
use crate::runtime::upstream::multiplexed::{Multiplexed, Slot};
use crate::runtime::upstream::secure::Secure;
use crate::runtime::wire::Wire;

/// The backends that one worker has connections to.
#[derive(Debug)]
pub struct Upstreams {
    /// By address; nearly always one. Another is there if two routes speak to one address in two
    /// ways: they must not share connections, for what one has checked the other may not believe.
    pools: RefCell<HashMap<Address, Vec<Rc<BackendPool>>>>,
    /// Those that were asked for lately, by the slot of the backend: it costs less to look there
    /// than to hash an address.
    recent: RefCell<Vec<Option<Rc<BackendPool>>>>,
    folder: Rc<Path>,
}

/// The connections of one worker to one backend.
#[derive(Debug)]
pub struct BackendPool {
    address: Address,
    upstream: Upstream,
    secure: Option<Secure>,
    idle: RefCell<Vec<Idle>>,
    multiplexed: Multiplexed,
    in_flight: Cell<usize>,
    resolved: Resolved,
    /// Whether it was asked for since the house was last kept.
    is_used: Cell<bool>,
    /// When it was last in use, in milliseconds of the worker.
    used_at: Cell<u64>,
}

#[derive(Debug)]
struct Idle {
    wire: Box<Wire>,
    /// In milliseconds of the worker.
    since: u64,
}

/// The right to one request to a backend: it counts as on its way until this is dropped.
#[derive(Debug)]
pub struct Lease {
    pool: Rc<BackendPool>,
}

impl Upstreams {
    /// No connections yet; relative names of files start at `folder`.
    #[must_use]
    pub fn new(folder: Rc<Path>) -> Self {
        Self {
            pools: RefCell::default(),
            recent: RefCell::default(),
            folder,
        }
    }

    /// The right to send a request to a backend that is spoken to so.
    ///
    /// # Errors
    /// If `most` are on their way already.
    pub fn lease(
        &self,
        to: &Backend,
        upstream: &Upstream,
        most: usize,
    ) -> Result<Lease, UpstreamError> {
        let pool = self.pool(to, upstream);
        if pool.in_flight.get() >= most {
            return Err(UpstreamError::Overloaded);
        }
        pool.in_flight.set(pool.in_flight.get() + 1);
        pool.is_used.set(true);
        Ok(Lease { pool })
    }

    fn pool(&self, to: &Backend, upstream: &Upstream) -> Rc<BackendPool> {
        let fits = |pool: &&Rc<BackendPool>| pool.speaks_as(upstream);
        let slot = usize::try_from(to.id).unwrap_or(usize::MAX);
        if let Some(Some(pool)) = self.recent.borrow().get(slot)
            && pool.address == to.address
            && fits(&pool)
        {
            return Rc::clone(pool);
        }
        let known = self.pools.borrow().get(&to.address).and_then(|pools| {
            let pool = pools.iter().find(fits)?;
            Some(Rc::clone(pool))
        });
        let pool = known.unwrap_or_else(|| self.begin(&to.address, upstream));
        let mut recent = self.recent.borrow_mut();
        if slot < MAX_RECENT {
            let length = recent.len().max(slot + 1);
            recent.resize(length, None);
        }
        if let Some(place) = recent.get_mut(slot) {
            *place = Some(Rc::clone(&pool));
        }
        pool
    }

    fn begin(&self, to: &Address, upstream: &Upstream) -> Rc<BackendPool> {
        let secure = (to.scheme() == Scheme::Https)
            .then(|| Secure::new(to.clone(), upstream.clone(), Rc::clone(&self.folder)));
        let pool = Rc::new(BackendPool {
            address: to.clone(),
            upstream: upstream.clone(),
            secure,
            idle: RefCell::default(),
            multiplexed: Multiplexed::default(),
            in_flight: Cell::new(0),
            resolved: Resolved::default(),
            is_used: Cell::new(true),
            used_at: Cell::new(0),
        });
        let mut pools = self.pools.borrow_mut();
        pools.entry(to.clone()).or_default().push(Rc::clone(&pool));
        pool
    }

    /// Closes what the other side has closed, or what nobody used for so long, and forgets
    /// backends that were without connections for some minutes: what is known of their TLS goes
    /// with them.
    pub fn reap(&self, now: u64, most_idle: Duration, buffers: &Buffers) {
        self.recent.borrow_mut().clear();
        let most_idle = u64::try_from(most_idle.as_millis()).unwrap_or(u64::MAX);
        self.pools.borrow_mut().retain(|_, pools| {
            pools.retain(|pool| {
                let mut idle = pool.idle.borrow_mut();
                idle.retain_mut(|Idle { wire, since }| {
                    now.saturating_sub(*since) < most_idle && wire.is_quiet(buffers)
                });
                let is_single = pool.multiplexed.reap(now, most_idle);
                let is_used = pool.is_used.take() || pool.in_flight.get() > 0;
                if is_used || !idle.is_empty() || !is_single {
                    pool.used_at.set(now);
                }
                now.saturating_sub(pool.used_at.get()) < FORGOTTEN_MS
            });
            !pools.is_empty()
        });
    }
}

impl BackendPool {
    fn speaks_as(&self, upstream: &Upstream) -> bool {
        let own = &self.upstream;
        own.protocol == upstream.protocol && (self.secure.is_none() || own.tls == upstream.tls)
    }
}

impl Lease {
    /// A kept connection that is still open as far as is known; the one used last.
    #[must_use]
    pub fn kept(&self, buffers: &Buffers) -> Option<Box<Wire>> {
        loop {
            let Idle { mut wire, .. } = self.pool.idle.borrow_mut().pop()?;
            if wire.is_quiet(buffers) {
                return Some(wire);
            }
        }
    }

    /// A new connection.
    ///
    /// # Errors
    /// If there is none in time.
    pub async fn connect(&self, time: Duration, watch: &Watch) -> Result<Wire, UpstreamError> {
        let pool = &self.pool;
        let secure = pool.secure.as_ref();
        let connecting = || pool.resolved.connect(&pool.address, secure, time, watch);
        // Boxed, for it needs far more room than the exchanges that find a kept one.
        boxed(connecting).await
    }

    /// A place on a multiplexed connection, a new one if need be.
    ///
    /// # Errors
    /// If there is none in time.
    pub async fn slot(
        &self,
        time: Duration,
        watch: &Watch,
        max_header_bytes: usize,
    ) -> Result<Slot, UpstreamError> {
        let multiplexed = &self.pool.multiplexed;
        if let Some(slot) = multiplexed.standing() {
            return Ok(slot);
        }
        let connect = || self.connect(time, watch);
        // Boxed, as above.
        boxed(|| multiplexed.slot(time, watch, max_header_bytes, connect)).await
    }

    /// Keeps a connection for the next request.
    pub fn keep(&self, mut wire: Box<Wire>, now: u64, buffers: &Buffers) {
        let mut idle = self.pool.idle.borrow_mut();
        if idle.len() < MAX_IDLE {
            wire.rest(buffers);
            idle.push(Idle { wire, since: now });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.in_flight.set(self.pool.in_flight.get() - 1);
    }
}

/// Backends of higher slots are always looked up by their address.
const MAX_RECENT: usize = 1 << 16;
/// How long a backend is remembered that nobody asks, in milliseconds.
const FORGOTTEN_MS: u64 = 300_000;
/// How many connections to one backend are kept without use.
const MAX_IDLE: usize = 1024;
