//! The reconciler: applies updates and publishes snapshots. Nothing else can publish one.
//!
//! [`Reconciler::apply`] is a reducer: it reads no clock, does no I/O and changes nothing that a
//! reader sees. [`Reconciler::publish`] swaps in one snapshot with everything applied since the
//! last time, so that a run of updates costs one swap.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crate::config::Loaded;
use crate::control::update::{Update, UpdateError};
use crate::engine::routing::{AmbiguousVersion, ApiVersion, Table};
use crate::engine::snapshot::{Configured, Snapshot};
use crate::engine::upstream::{Address, Registry, ServiceKey};
use crate::runtime::cell::{SnapshotReader, SnapshotWriter};

/// The owner of the desired state and the only writer of the snapshot cell.
#[derive(Debug)]
pub struct Reconciler {
    cell: SnapshotWriter,
    /// The newest snapshot: the published one, or one that the next publish swaps in.
    newest: Arc<Snapshot>,
    /// Whether `newest` is in the cell.
    is_published: bool,
    /// Services whose registrations have changed since `newest` was built.
    changed: BTreeSet<ServiceKey>,
    registry: Registry,
    start: Configuration,
    max_registrations: usize,
}

/// A compiled configuration, shared by the snapshots built from it.
#[derive(Clone, Debug)]
struct Configuration {
    table: Arc<Table>,
    configured: Arc<[Configured]>,
}

impl Reconciler {
    /// The default limit on registered backends.
    pub const DEFAULT_MAX_REGISTRATIONS: usize = 100_000;

    /// Publishes the first snapshot, built from the start configuration.
    #[must_use]
    pub fn new(start: Loaded, max_registrations: usize) -> Self {
        let start = Configuration::from(start);
        let mut registry = Registry::default();
        let newest = Arc::new(start.snapshot(&mut registry, None));
        Self {
            cell: SnapshotWriter::new(Arc::clone(&newest)),
            newest,
            is_published: true,
            changed: BTreeSet::new(),
            registry,
            start,
            max_registrations,
        }
    }

    /// Returns a reader of the published snapshot.
    #[must_use]
    pub fn reader(&self) -> SnapshotReader {
        self.cell.reader()
    }

    /// Applies one update to the desired state. Readers see it after [`Reconciler::publish`].
    ///
    /// # Errors
    /// If the update is rejected; then nothing has changed.
    pub fn apply(&mut self, update: Update) -> Result<(), UpdateError> {
        match update {
            Update::Config(loaded) => {
                self.start = Configuration::from(*loaded);
                self.replace(&self.start.clone());
            }
            Update::Init(loaded) => self.replace(&Configuration::from(*loaded)),
            Update::Reset => self.replace(&self.start.clone()),
            Update::Register {
                service,
                address,
                expires,
            } => return self.register(service, address, expires),
            Update::Deregister { service, address } => self.deregister(service, &address)?,
            Update::Expire { now } => self.changed.extend(self.registry.expire(now)),
        }
        Ok(())
    }

    /// Publishes all applied updates with one swap. The cost depends on the services that have
    /// changed, not on the number of updates.
    pub fn publish(&mut self) {
        let changed = std::mem::take(&mut self.changed);
        if !changed.is_empty() {
            self.newest = Arc::new(self.newest.with_registry(&self.registry, &changed));
            self.is_published = false;
        }
        if !self.is_published {
            self.cell.store(Arc::clone(&self.newest));
            self.is_published = true;
        }
    }

    /// Whether updates were applied that are not yet published.
    #[inline]
    #[must_use]
    pub fn has_unpublished(&self) -> bool {
        !self.is_published || !self.changed.is_empty()
    }

    /// When the next registration ends; send [`Update::Expire`] then.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.registry.next_expiry()
    }

    /// The registrations of services that no route names, sorted by service and version.
    #[must_use]
    pub fn unrouted(&self) -> Vec<(ServiceKey, Vec<Address>)> {
        let unrouted = self.registry.unrouted(self.newest.table()).into_iter();
        unrouted
            .map(|(service, entry)| (service, entry.registered().cloned().collect()))
            .collect()
    }

    fn register(
        &mut self,
        mut service: ServiceKey,
        address: Address,
        expires: Option<Instant>,
    ) -> Result<(), UpdateError> {
        service.version = self.resolve_version(&service)?;
        if service.version.is_some() && self.is_unresolved(&service.service, &address) {
            // This registration names the version that the earlier one left open.
            let open = ServiceKey::of(&service.service, None);
            self.registry.deregister(&open, &address, false);
        }
        let known = self
            .registry
            .registrations(&service.service, service.version);
        let is_renewal = known.is_some_and(|entry| entry.is_registered(&address));
        if !is_renewal && self.registry.len() >= self.max_registrations {
            return Err(UpdateError::TooManyRegistrations {
                limit: self.max_registrations,
            });
        }
        self.registry.register(service.clone(), address, expires);
        self.changed.insert(service);
        Ok(())
    }

    fn deregister(
        &mut self,
        mut service: ServiceKey,
        address: &Address,
    ) -> Result<(), AmbiguousVersion> {
        let was_unresolved = self.is_unresolved(&service.service, address)
            && self
                .registry
                .deregister(&ServiceKey::of(&service.service, None), address, false);
        service.version = match self.resolve_version(&service) {
            Err(_) if was_unresolved => return Ok(()),
            resolved => resolved?,
        };
        let is_configured = self.newest.is_configured(&service, address);
        self.registry.deregister(&service, address, is_configured);
        self.changed.insert(service);
        Ok(())
    }

    /// The version of a service that an update means: the stated one, else the only possible one.
    fn resolve_version(
        &self,
        service: &ServiceKey,
    ) -> Result<Option<ApiVersion>, AmbiguousVersion> {
        let (name, table) = (&service.service, self.newest.table());
        match service.version {
            Some(version) => Ok(Some(version)),
            None if table.has_service(name) => table.implied_version(name),
            None => self.registry.implied_version(name),
        }
    }

    /// Whether an address is registered without a version for a service that has only versions.
    fn is_unresolved(&self, service: &str, address: &Address) -> bool {
        let table = self.newest.table();
        let entry = self.registry.registrations(service, None);
        entry.is_some_and(|entry| entry.is_registered(address))
            && table.has_service(service)
            && table.routes_of(service, None).next().is_none()
    }

    fn replace(&mut self, configuration: &Configuration) {
        self.registry.restore_removed();
        self.newest = Arc::new(configuration.snapshot(&mut self.registry, Some(&self.newest)));
        self.is_published = false;
        // The new snapshot has every registration.
        self.changed.clear();
    }
}

impl Configuration {
    fn snapshot(&self, registry: &mut Registry, previous: Option<&Snapshot>) -> Snapshot {
        let (table, configured) = (Arc::clone(&self.table), Arc::clone(&self.configured));
        Snapshot::new(table, configured, registry, previous)
    }
}

impl From<Loaded> for Configuration {
    fn from(loaded: Loaded) -> Self {
        Self {
            table: Arc::new(loaded.table),
            configured: loaded.configured.into(),
        }
    }
}

#[cfg(test)]
mod tests;
