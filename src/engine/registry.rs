//! Registrations: backends that come and go while the gateway runs.

use std::collections::HashMap;
use std::time::Instant;

use crate::engine::backend::Address;
use crate::engine::table::Table;
use crate::engine::version::ApiVersion;

/// What a registration belongs to. A version of none is the neutral set, or, for a service that
/// no table has named yet, one that is still to be settled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceKey {
    /// The service.
    pub service: Box<str>,
    /// Its version.
    pub version: Option<ApiVersion>,
}

/// Every registration. It outlives the tables.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    entries: HashMap<ServiceKey, Entry>,
}

/// What is registered for one service and version, and what was taken off it.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    registered: Vec<Registration>,
    removed: Vec<Address>,
}

#[derive(Clone, Debug)]
struct Registration {
    address: Address,
    expires: Option<Instant>,
}

impl Registry {
    /// Adds a backend, or renews it; it is gone at `expires` unless renewed by then. A configured
    /// backend that was taken off comes back.
    pub fn register(&mut self, key: ServiceKey, address: Address, expires: Option<Instant>) {
        let entry = self.entries.entry(key).or_default();
        entry.removed.retain(|removed| *removed != address);
        match entry
            .registered
            .iter_mut()
            .find(|known| known.address == address)
        {
            Some(known) => known.expires = expires,
            None => entry.registered.push(Registration { address, expires }),
        }
    }

    /// Takes a backend off, registered or, if `is_configured`, configured: the latter returns with
    /// the next table. One that is not known is no fault.
    pub fn deregister(&mut self, key: ServiceKey, address: &Address, is_configured: bool) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.registered.retain(|known| known.address != *address);
        }
        if is_configured {
            let removed = &mut self.entries.entry(key).or_default().removed;
            if !removed.contains(address) {
                removed.push(address.clone());
            }
        }
    }

    /// How many backends are registered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries
            .values()
            .map(|entry| entry.registered.len())
            .sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets configured backends that were taken off return: a new table has come.
    pub fn forget_removed(&mut self) {
        self.entries.retain(|_, entry| {
            entry.removed.clear();
            !entry.registered.is_empty()
        });
    }

    /// Drops what has expired and says whose registrations have changed.
    pub fn expire(&mut self, now: Instant) -> Vec<ServiceKey> {
        let mut changed = Vec::new();
        for (key, entry) in &mut self.entries {
            let before = entry.registered.len();
            entry
                .registered
                .retain(|known| known.expires.is_none_or(|expires| expires > now));
            if entry.registered.len() != before {
                changed.push(key.clone());
            }
        }
        changed
    }

    /// When the next registration expires, if any does.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.entries
            .values()
            .flat_map(|entry| &entry.registered)
            .filter_map(|r| r.expires)
            .min()
    }

    /// What is registered for a service and version.
    #[must_use]
    pub fn entry(&self, service: &str, version: Option<ApiVersion>) -> &Entry {
        static EMPTY: Entry = Entry {
            registered: Vec::new(),
            removed: Vec::new(),
        };
        if self.entries.is_empty() {
            return &EMPTY;
        }
        self.entries
            .get(&ServiceKey::of(service, version))
            .unwrap_or(&EMPTY)
    }

    /// The registrations of services that the table does not name, sorted.
    #[must_use]
    pub fn waiting(&self, table: &Table) -> Vec<(&ServiceKey, &Entry)> {
        let mut waiting: Vec<_> = self
            .entries
            .iter()
            .filter(|(key, entry)| {
                !entry.registered.is_empty()
                    && table.routes_of(&key.service, key.version).next().is_none()
            })
            .collect();
        waiting.sort_unstable_by_key(|(key, _)| *key);
        waiting
    }

    /// Gives registrations that left the version out the one that the table means by that.
    pub(crate) fn settle(&mut self, table: &Table) {
        let open: Vec<ServiceKey> = self
            .entries
            .keys()
            .filter(|key| key.version.is_none())
            .cloned()
            .collect();
        for key in open {
            let Ok(version @ Some(_)) = table.meant_version(&key.service) else {
                continue;
            };
            let Some(entry) = self.entries.remove(&key) else {
                continue;
            };
            let settled = ServiceKey { version, ..key };
            for Registration { address, expires } in entry.registered {
                self.register(settled.clone(), address, expires);
            }
        }
    }
}

impl Entry {
    /// The addresses registered, in the order in which they came.
    pub fn registered(&self) -> impl Iterator<Item = &Address> {
        self.registered.iter().map(|known| &known.address)
    }

    /// Whether a configured backend was taken off.
    #[must_use]
    pub fn is_removed(&self, address: &Address) -> bool {
        self.removed.contains(address)
    }
}
