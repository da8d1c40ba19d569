//! The gateway's state: one snapshot in force, and the only ways to change it.
//!
//! Readers load the snapshot once a request and are never in each other's way. Writers change it
//! one at a time: each builds the next snapshot aside and swaps it in whole, or changes nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::config::compile::{LoadOptions, Loaded, load_json};
use crate::config::fault::Fault;
use crate::engine::backend::Address;
use crate::engine::registry::{Registry, ServiceKey};
use crate::engine::snapshot::{Configured, Snapshot};
use crate::engine::table::{AmbiguousVersion, Table};
use crate::engine::version::ApiVersion;
use crate::runtime::cell::{Held, SnapshotCell};

/// The gateway.
#[derive(Debug)]
pub struct Gateway {
    snapshot: SnapshotCell,
    writer: Mutex<Writer>,
    max_registrations: usize,
}

#[derive(Debug)]
struct Writer {
    registry: Registry,
    start: (Arc<Table>, Arc<[Configured]>),
}

/// A registration that is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RegisterFault {
    /// The version was left out where the service has several.
    #[error("{0}")]
    Ambiguous(#[from] AmbiguousVersion),
    /// There are as many registrations as there may be.
    #[error("there are {0} registrations already, the most that are kept")]
    TooMany(usize),
}

impl Gateway {
    /// How many backends may be registered, unless [`Gateway::new`] is told otherwise.
    pub const MAX_REGISTRATIONS: usize = 100_000;

    /// A gateway that starts with this configuration.
    #[must_use]
    pub fn new(start: Loaded, max_registrations: usize) -> Self {
        let mut registry = Registry::default();
        let start: (_, Arc<[Configured]>) = (Arc::new(start.table), start.configured.into());
        let (table, configured) = start.clone();
        let snapshot = Snapshot::new(table, configured, &mut registry, None);
        Self {
            snapshot: SnapshotCell::new(snapshot),
            writer: Mutex::new(Writer { registry, start }),
            max_registrations,
        }
    }

    /// The snapshot in force.
    #[inline]
    pub fn snapshot(&self) -> Held {
        self.snapshot.load()
    }

    /// The snapshot in force, to keep.
    #[must_use]
    pub fn snapshot_owned(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.load())
    }

    /// Puts the table of an `init` message in force: `{"routes": …, "services": …}`. Cursors of
    /// routes that stay, and registrations, are kept; backends taken off come back.
    ///
    /// # Errors
    /// Every fault of the table; then nothing has changed. Else its warnings are returned.
    pub fn init(&self, json: &str) -> Result<Vec<Fault>, Vec<Fault>> {
        let Loaded {
            table,
            configured,
            remarks,
        } = load_json(json, LoadOptions::INIT)?;
        let mut writer = self.writer();
        self.replace(&mut writer, Arc::new(table), configured.into());
        Ok(remarks)
    }

    /// Puts the table that the gateway started with in force again.
    pub fn init_from_start(&self) {
        let mut writer = self.writer();
        let (table, configured) = writer.start.clone();
        self.replace(&mut writer, table, configured);
    }

    /// Adds a backend to a service, or renews it; it is gone after `ttl`, counted from `now`.
    ///
    /// # Errors
    /// If the version is left out and the table does not say which is meant, or there are too
    /// many registrations.
    pub fn register(
        &self,
        service: &str,
        version: Option<ApiVersion>,
        address: Address,
        ttl: Option<(Duration, Instant)>,
    ) -> Result<(), RegisterFault> {
        let mut writer = self.writer();
        let key = self.key(service, version)?;
        let known = writer
            .registry
            .entry(service, key.version)
            .registered()
            .any(|a| *a == address);
        if !known && writer.registry.len() >= self.max_registrations {
            return Err(RegisterFault::TooMany(self.max_registrations));
        }
        // A life longer than the clock can tell is one without end.
        let expires = ttl.and_then(|(ttl, now)| now.checked_add(ttl));
        writer.registry.register(key.clone(), address, expires);
        self.publish(&writer, &[key]);
        Ok(())
    }

    /// Takes a backend off a service. One that is not known is no fault.
    ///
    /// # Errors
    /// If the version is left out and the table does not say which is meant.
    pub fn deregister(
        &self,
        service: &str,
        version: Option<ApiVersion>,
        address: &Address,
    ) -> Result<(), AmbiguousVersion> {
        let mut writer = self.writer();
        let key = self.key(service, version)?;
        let is_configured = self.snapshot().configures(&key, address);
        writer
            .registry
            .deregister(key.clone(), address, is_configured);
        self.publish(&writer, &[key]);
        Ok(())
    }

    /// Lets registrations go whose time is over.
    pub fn expire(&self, now: Instant) {
        let mut writer = self.writer();
        let changed = writer.registry.expire(now);
        if !changed.is_empty() {
            self.publish(&writer, &changed);
        }
    }

    /// When the next registration expires, if any does.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.writer().registry.next_expiry()
    }

    /// The registrations of services that the table in force does not name, sorted.
    #[must_use]
    pub fn waiting(&self) -> Vec<(ServiceKey, Vec<Address>)> {
        let writer = self.writer();
        let snapshot = self.snapshot();
        let waiting = writer.registry.waiting(snapshot.table()).into_iter();
        waiting
            .map(|(key, entry)| (key.clone(), entry.registered().cloned().collect()))
            .collect()
    }

    fn key(
        &self,
        service: &str,
        version: Option<ApiVersion>,
    ) -> Result<ServiceKey, AmbiguousVersion> {
        let version = match version {
            Some(version) => Some(version),
            None => self.snapshot().table().meant_version(service)?,
        };
        Ok(ServiceKey::of(service, version))
    }

    fn replace(&self, writer: &mut Writer, table: Arc<Table>, configured: Arc<[Configured]>) {
        writer.registry.forget_removed();
        let previous = self.snapshot.load();
        let next = Snapshot::new(table, configured, &mut writer.registry, Some(&previous));
        self.snapshot.store(next);
    }

    fn publish(&self, writer: &Writer, changed: &[ServiceKey]) {
        let next = self
            .snapshot
            .load()
            .with_registry(&writer.registry, changed);
        self.snapshot.store(next);
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A writer that panicked has published nothing that is not whole.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
