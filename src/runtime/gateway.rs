//! The gateway's state: one snapshot in force, and the only ways to change it.
//!
//! Readers load the snapshot once a request and are never in each other's way. Writers change it
//! one at a time: each builds the next snapshot aside and swaps it in whole, or changes nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::config::compile::{LoadOptions, Loaded, load_json};
use crate::config::diagnostic::Diagnostic;
use crate::engine::routing::table::{AmbiguousVersion, Table};
use crate::engine::routing::version::ApiVersion;
use crate::engine::snapshot::{Configured, Snapshot};
use crate::engine::upstream::backend::Address;
use crate::engine::upstream::registry::{Registry, ServiceKey};
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
    /// Whose registrations have changed since the snapshot was made.
    staged: BTreeSet<ServiceKey>,
    start: (Arc<Table>, Arc<[Configured]>),
}

/// A registration that is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RegisterError {
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
            writer: Mutex::new(Writer {
                registry,
                staged: BTreeSet::new(),
                start,
            }),
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
    pub fn init(&self, json: &str) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let Loaded {
            table,
            configured,
            remarks,
            ..
        } = load_json(json, LoadOptions::INIT)?;
        let mut writer = self.writer();
        self.replace(&mut writer, Arc::new(table), configured.into());
        Ok(remarks)
    }

    /// Puts another configuration in force, as when its file was read again: from now on it is the
    /// one that the gateway started with. Cursors of routes that stay, and registrations, are kept.
    pub fn reload(&self, loaded: Loaded) {
        let mut writer = self.writer();
        writer.start = (Arc::new(loaded.table), loaded.configured.into());
        let (table, configured) = writer.start.clone();
        self.replace(&mut writer, table, configured);
    }

    /// Puts the table that the gateway started with in force again.
    pub fn init_from_start(&self) {
        let mut writer = self.writer();
        let (table, configured) = writer.start.clone();
        self.replace(&mut writer, table, configured);
    }

    /// Adds a backend to a service, or renews it; it is gone after `ttl`, counted from `now`. It
    /// takes effect with the next [`Gateway::publish`].
    ///
    /// # Errors
    /// If the version is left out and it is not clear which is meant, or there are too many
    /// registrations.
    pub fn register(
        &self,
        service: &str,
        version: Option<ApiVersion>,
        address: Address,
        ttl: Option<(Duration, Instant)>,
    ) -> Result<(), RegisterError> {
        let mut writer = self.writer();
        let key = ServiceKey::of(service, self.implied_version(&writer, service, version)?);
        // A life longer than the clock can tell is one without end.
        let expires = ttl.and_then(|(ttl, now)| now.checked_add(ttl));
        if self.is_unsettled(&writer, service, &address) && key.version.is_some() {
            // Now it is said which version was meant.
            let open = ServiceKey::of(service, None);
            writer.registry.deregister(&open, &address, false);
        }
        let known = writer.registry.registrations(service, key.version);
        let is_known = known.is_some_and(|entry| entry.is_registered(&address));
        if !is_known && writer.registry.len() >= self.max_registrations {
            return Err(RegisterError::TooMany(self.max_registrations));
        }
        writer.registry.register(key.clone(), address, expires);
        writer.staged.insert(key);
        Ok(())
    }

    /// Takes a backend off a service. One that is not known is no fault. It takes effect with the
    /// next [`Gateway::publish`].
    ///
    /// # Errors
    /// If the version is left out and it is not clear which is meant.
    pub fn deregister(
        &self,
        service: &str,
        version: Option<ApiVersion>,
        address: &Address,
    ) -> Result<(), AmbiguousVersion> {
        let mut writer = self.writer();
        let was_unsettled = self.is_unsettled(&writer, service, address)
            && writer
                .registry
                .deregister(&ServiceKey::of(service, None), address, false);
        let version = match self.implied_version(&writer, service, version) {
            Err(_) if was_unsettled => return Ok(()),
            meant => meant?,
        };
        let key = ServiceKey::of(service, version);
        let is_configured = self.snapshot().is_configured(&key, address);
        writer.registry.deregister(&key, address, is_configured);
        writer.staged.insert(key);
        Ok(())
    }

    /// Lets registrations go whose time is over, with the next [`Gateway::publish`].
    pub fn expire(&self, now: Instant) {
        let mut writer = self.writer();
        let expired = writer.registry.expire(now);
        writer.staged.extend(expired);
    }

    /// Puts all changes of backends since the last time in force, together: what they cost does not
    /// depend on how many they are, but on how large the pools are that they concern.
    pub fn publish(&self) {
        let mut writer = self.writer();
        let changed = std::mem::take(&mut writer.staged);
        if changed.is_empty() {
            return;
        }
        let held = self.snapshot.load();
        let next = held.with_registry(&writer.registry, &changed);
        self.snapshot.store(next);
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
        let waiting = writer.registry.unrouted(snapshot.table()).into_iter();
        waiting
            .map(|(key, entry)| (key, entry.registered().cloned().collect()))
            .collect()
    }

    /// The version of a service that is meant.
    fn implied_version(
        &self,
        writer: &Writer,
        service: &str,
        version: Option<ApiVersion>,
    ) -> Result<Option<ApiVersion>, AmbiguousVersion> {
        let snapshot = self.snapshot();
        match version {
            Some(version) => Ok(Some(version)),
            None if snapshot.table().has_service(service) => {
                snapshot.table().implied_version(service)
            }
            None => writer.registry.implied_version(service),
        }
    }

    /// Whether an address is registered without a version while the table has only versions.
    fn is_unsettled(&self, writer: &Writer, service: &str, address: &Address) -> bool {
        let snapshot = self.snapshot();
        let entry = writer.registry.registrations(service, None);
        entry.is_some_and(|entry| entry.is_registered(address))
            && snapshot.table().has_service(service)
            && snapshot.table().routes_of(service, None).next().is_none()
    }

    fn replace(&self, writer: &mut Writer, table: Arc<Table>, configured: Arc<[Configured]>) {
        writer.registry.restore_removed();
        writer.staged.clear();
        let previous = self.snapshot.load();
        let next = Snapshot::new(table, configured, &mut writer.registry, Some(&previous));
        self.snapshot.store(next);
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A writer that panicked has published nothing that is not whole.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
