//! Registrations: backends that come and go while the gateway runs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Instant;

use crate::engine::routing::{AmbiguousVersion, ApiVersion, Table};
use crate::engine::upstream::backend::Address;

/// What a registration belongs to. A version of none is the neutral set, or, where the table has
/// none, one that is still to be settled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceKey {
    /// The service.
    pub service: Box<str>,
    /// Its version.
    pub version: Option<ApiVersion>,
}

/// Every registration. It outlives the tables. No call takes longer the more there are, but for
/// those that list them.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    services: HashMap<Box<str>, BTreeMap<Option<ApiVersion>, Entry>>,
    /// By when they expire, and their numbers: whose they are.
    expiries: BTreeMap<(Instant, u64), ServiceKey>,
    next_number: u64,
    count: usize,
}

/// What is registered for one service and version, and what was taken off it.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// By their numbers, which rise in the order in which they came.
    registered: BTreeMap<u64, Registration>,
    numbers: HashMap<Address, u64>,
    removed: HashSet<Address>,
}

#[derive(Clone, Debug)]
struct Registration {
    address: Address,
    expires: Option<Instant>,
}

impl Registry {
    /// Adds a backend, or renews it; it is gone at `expires` unless renewed by then. A configured
    /// backend that was taken off is from now on a registered one.
    pub fn register(&mut self, key: ServiceKey, address: Address, expires: Option<Instant>) {
        let versions = self.services.entry(key.service.clone()).or_default();
        let entry = versions.entry(key.version).or_default();
        let number = match entry.numbers.get(&address) {
            Some(number) => *number,
            None => {
                self.count += 1;
                self.next_number += 1;
                entry.numbers.insert(address.clone(), self.next_number);
                self.next_number
            }
        };
        let renewed = entry
            .registered
            .insert(number, Registration { address, expires });
        if let Some(before) = renewed.and_then(|before| before.expires) {
            self.expiries.remove(&(before, number));
        }
        if let Some(expires) = expires {
            self.expiries.insert((expires, number), key);
        }
    }

    /// Takes a backend off, registered or, if `is_configured`, configured: the latter returns with
    /// the next table. One that is not known is no fault. Says whether it was registered.
    pub fn deregister(&mut self, key: &ServiceKey, address: &Address, is_configured: bool) -> bool {
        let entry = self.entry_mut(key);
        let number = entry.and_then(|entry| entry.numbers.get(address).copied());
        if let Some(number) = number {
            self.remove(key, number);
        }
        if is_configured {
            let versions = self.services.entry(key.service.clone()).or_default();
            let entry = versions.entry(key.version).or_default();
            entry.removed.insert(address.clone());
        }
        number.is_some()
    }

    /// How many backends are registered.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Lets configured backends that were taken off return: a new table has come.
    pub fn forget_removed(&mut self) {
        self.services.retain(|_, versions| {
            versions.retain(|_, entry| {
                entry.removed.clear();
                !entry.registered.is_empty()
            });
            !versions.is_empty()
        });
    }

    /// Drops what has expired and says whose registrations have changed.
    pub fn expire(&mut self, now: Instant) -> BTreeSet<ServiceKey> {
        let mut changed = BTreeSet::new();
        while let Some(first) = self.expiries.first_entry()
            && first.key().0 <= now
        {
            let ((_, number), key) = first.remove_entry();
            self.remove(&key, number);
            changed.insert(key);
        }
        changed
    }

    /// When the next registration expires, if any does.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.expiries.keys().next().map(|(expires, _)| *expires)
    }

    /// What is registered for a service and version.
    #[must_use]
    pub fn entry(&self, service: &str, version: Option<ApiVersion>) -> Option<&Entry> {
        self.services.get(service)?.get(&version)
    }

    /// The version that is meant where one is left out, of a service that the table does not name:
    /// that of what is registered without one, else the only version.
    ///
    /// # Errors
    /// If backends are registered for several versions, and none without one.
    pub fn meant_version(&self, service: &str) -> Result<Option<ApiVersion>, AmbiguousVersion> {
        let versions = self.services.get(service).into_iter().flatten();
        let known = versions.filter(|(_, entry)| !entry.registered.is_empty());
        let known: Vec<Option<ApiVersion>> = known.map(|(version, _)| *version).collect();
        AmbiguousVersion::unless_one(service, &known)
    }

    /// The registrations that no route of the table has, sorted.
    #[must_use]
    pub fn waiting(&self, table: &Table) -> Vec<(ServiceKey, &Entry)> {
        let mut waiting = Vec::new();
        for (service, versions) in &self.services {
            let waits = |version| table.routes_of(service, version).next().is_none();
            for (version, entry) in versions {
                if !entry.registered.is_empty() && waits(*version) {
                    waiting.push((ServiceKey::of(service, *version), entry));
                }
            }
        }
        waiting.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        waiting
    }

    /// Gives registrations that left the version out the one that the table means by that.
    pub(crate) fn settle(&mut self, table: &Table) {
        let mut settled = Vec::new();
        for (service, versions) in &mut self.services {
            if let Ok(version @ Some(_)) = table.meant_version(service)
                && let Some(entry) = versions.remove(&None)
            {
                settled.push((ServiceKey::of(service, version), entry));
            }
        }
        for (key, entry) in settled {
            self.count -= entry.registered.len();
            for (number, Registration { address, expires }) in entry.registered {
                if let Some(expires) = expires {
                    self.expiries.remove(&(expires, number));
                }
                self.register(key.clone(), address, expires);
            }
        }
    }

    /// Takes off a registration.
    fn remove(&mut self, key: &ServiceKey, number: u64) {
        let Some(entry) = self.entry_mut(key) else {
            return;
        };
        if let Some(Registration { address, expires }) = entry.registered.remove(&number) {
            entry.numbers.remove(&address);
            self.count -= 1;
            if let Some(expires) = expires {
                self.expiries.remove(&(expires, number));
            }
        }
    }

    fn entry_mut(&mut self, key: &ServiceKey) -> Option<&mut Entry> {
        self.services.get_mut(&key.service)?.get_mut(&key.version)
    }
}

impl ServiceKey {
    /// The service and version that a route serves.
    #[must_use]
    pub fn of(service: &str, version: Option<ApiVersion>) -> Self {
        Self {
            service: service.into(),
            version,
        }
    }
}

impl Entry {
    /// The addresses registered, in the order in which they came.
    pub fn registered(&self) -> impl Iterator<Item = &Address> {
        self.registered.values().map(|known| &known.address)
    }

    /// Whether this address is registered.
    #[must_use]
    pub fn is_registered(&self, address: &Address) -> bool {
        self.numbers.contains_key(address)
    }

    /// Whether a configured backend was taken off.
    #[must_use]
    pub fn is_removed(&self, address: &Address) -> bool {
        self.removed.contains(address)
    }
}
