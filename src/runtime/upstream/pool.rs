//! The connection pools of one worker.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::engine::upstream::{Address, Backend, Scheme, Upstream};
use crate::runtime::boxed::boxed;
use crate::runtime::buffer::Buffers;
use crate::runtime::connection::Http1Connection;
use crate::runtime::deadline::Deadline;
use crate::runtime::upstream::connect::Resolver;
use crate::runtime::upstream::error::UpstreamError;
use crate::runtime::upstream::multiplexed::{Multiplexed, StreamPermit};
use crate::runtime::upstream::tls::BackendTls;

/// The pools of one worker, by backend.
#[derive(Debug)]
pub(crate) struct Upstreams {
    /// By address; nearly always one each. Two routes that use different protocols or TLS settings
    /// for one address have separate pools, because they must not share connections.
    pools: RefCell<HashMap<Address, Vec<Rc<BackendPool>>>>,
    /// The pools of the last requests, by backend id, which is cheaper than hashing an address.
    recent: RefCell<Vec<Option<Rc<BackendPool>>>>,
    folder: Rc<Path>,
}

/// The connections of one worker to one backend.
#[derive(Debug)]
pub(crate) struct BackendPool {
    address: Address,
    upstream: Upstream,
    tls: Option<BackendTls>,
    idle: RefCell<Vec<Idle>>,
    multiplexed: Multiplexed,
    in_flight: Cell<usize>,
    resolver: Resolver,
    /// Whether it was used since the last call of [`Upstreams::reap`].
    is_used: Cell<bool>,
    /// When it was last used, in milliseconds of the worker.
    used_at: Cell<u64>,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Http1Connection>,
    /// Since when it is idle, in milliseconds of the worker.
    since: u64,
}

/// Counts one request to a backend as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Rc<BackendPool>,
}

impl Upstreams {
    /// No connections yet. `folder` is the base of relative file names.
    #[must_use]
    pub(crate) fn new(folder: Rc<Path>) -> Self {
        Self {
            pools: RefCell::default(),
            recent: RefCell::default(),
            folder,
        }
    }

    /// Leases a backend for one request.
    ///
    /// # Errors
    /// [`UpstreamError::Overloaded`] if `max` requests are in flight.
    pub(crate) fn lease(
        &self,
        to: &Backend,
        upstream: &Upstream,
        max: usize,
    ) -> Result<Lease, UpstreamError> {
        let pool = self.pool(to, upstream);
        if pool.in_flight.get() >= max {
            return Err(UpstreamError::Overloaded);
        }
        pool.in_flight.set(pool.in_flight.get() + 1);
        pool.is_used.set(true);
        Ok(Lease { pool })
    }

    fn pool(&self, to: &Backend, upstream: &Upstream) -> Rc<BackendPool> {
        let fits = |pool: &&Rc<BackendPool>| pool.is_for(upstream);
        let index = usize::try_from(to.id).unwrap_or(usize::MAX);
        if let Some(Some(pool)) = self.recent.borrow().get(index)
            && pool.address == to.address
            && fits(&pool)
        {
            return Rc::clone(pool);
        }
        let known = self.pools.borrow().get(&to.address).and_then(|pools| {
            let pool = pools.iter().find(fits)?;
            Some(Rc::clone(pool))
        });
        let pool = known.unwrap_or_else(|| self.add(&to.address, upstream));
        let mut recent = self.recent.borrow_mut();
        if index < MAX_RECENT {
            let length = recent.len().max(index + 1);
            recent.resize(length, None);
        }
        if let Some(place) = recent.get_mut(index) {
            *place = Some(Rc::clone(&pool));
        }
        pool
    }

    fn add(&self, to: &Address, upstream: &Upstream) -> Rc<BackendPool> {
        let tls = (to.scheme() == Scheme::Https)
            .then(|| BackendTls::new(to.clone(), upstream.clone(), Rc::clone(&self.folder)));
        let pool = Rc::new(BackendPool {
            address: to.clone(),
            upstream: upstream.clone(),
            tls,
            idle: RefCell::default(),
            multiplexed: Multiplexed::default(),
            in_flight: Cell::new(0),
            resolver: Resolver::default(),
            is_used: Cell::new(true),
            used_at: Cell::new(0),
        });
        let mut pools = self.pools.borrow_mut();
        pools.entry(to.clone()).or_default().push(Rc::clone(&pool));
        pool
    }

    /// Closes connections that the backend has closed or that were idle for `max_idle`, and drops the
    /// pools, with their TLS sessions, that were unused for [`FORGET_AFTER_MS`].
    pub(crate) fn reap(&self, now: u64, max_idle: Duration, buffers: &Buffers) {
        self.recent.borrow_mut().clear();
        let max_idle = u64::try_from(max_idle.as_millis()).unwrap_or(u64::MAX);
        self.pools.borrow_mut().retain(|_, pools| {
            pools.retain(|pool| {
                let mut idle = pool.idle.borrow_mut();
                idle.retain_mut(|Idle { connection, since }| {
                    now.saturating_sub(*since) < max_idle && connection.is_idle(buffers)
                });
                let is_multiplexed_empty = pool.multiplexed.reap(now, max_idle);
                let is_used = pool.is_used.take() || pool.in_flight.get() > 0;
                if is_used || !idle.is_empty() || !is_multiplexed_empty {
                    pool.used_at.set(now);
                }
                now.saturating_sub(pool.used_at.get()) < FORGET_AFTER_MS
            });
            !pools.is_empty()
        });
    }
}

impl BackendPool {
    fn is_for(&self, upstream: &Upstream) -> bool {
        let own = &self.upstream;
        own.protocol == upstream.protocol && (self.tls.is_none() || own.tls == upstream.tls)
    }
}

impl Lease {
    /// The idle connection that was used last and is open as far as is known.
    #[must_use]
    pub(crate) fn pooled(&self, buffers: &Buffers) -> Option<Box<Http1Connection>> {
        loop {
            let Idle { mut connection, .. } = self.pool.idle.borrow_mut().pop()?;
            if connection.is_idle(buffers) {
                return Some(connection);
            }
        }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// If it is not opened in time.
    pub(crate) async fn connect(
        &self,
        time: Duration,
        deadline: &Deadline,
    ) -> Result<Http1Connection, UpstreamError> {
        let pool = &self.pool;
        let tls = pool.tls.as_ref();
        let connecting = || pool.resolver.connect(&pool.address, tls, time, deadline);
        // Boxed, because it needs far more space than an exchange that finds an idle one.
        boxed(connecting).await
    }

    /// A permit for a stream on an HTTP/2 connection, which is opened if need be.
    ///
    /// # Errors
    /// If no connection is opened in time.
    pub(crate) async fn stream_permit(
        &self,
        time: Duration,
        deadline: &Deadline,
        max_header_bytes: usize,
    ) -> Result<StreamPermit, UpstreamError> {
        let multiplexed = &self.pool.multiplexed;
        if let Some(permit) = multiplexed.available() {
            return Ok(permit);
        }
        let connect = || self.connect(time, deadline);
        // Boxed, for the same reason.
        boxed(|| multiplexed.stream_permit(time, deadline, max_header_bytes, connect)).await
    }

    /// Returns a connection to the pool.
    pub(crate) fn release(
        &self,
        mut connection: Box<Http1Connection>,
        now: u64,
        buffers: &Buffers,
    ) {
        let mut idle = self.pool.idle.borrow_mut();
        if idle.len() < MAX_IDLE {
            connection.release_buffers(buffers);
            idle.push(Idle {
                connection,
                since: now,
            });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.in_flight.set(self.pool.in_flight.get() - 1);
    }
}

/// Backends with higher ids are looked up by address.
const MAX_RECENT: usize = 1 << 16;
/// How long an unused pool stays in memory, in milliseconds.
const FORGET_AFTER_MS: u64 = 300_000;
/// The maximum number of idle connections of one pool.
const MAX_IDLE: usize = 1024;
