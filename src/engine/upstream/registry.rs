//! Registrations: backends that are added and removed while the gateway runs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Instant;

use crate::engine::routing::{AmbiguousVersion, ApiVersion, Table};
use crate::engine::upstream::backend::Address;

/// The service and version of a registration. The version `None` is the neutral one, or an omitted
/// one as long as the table does not name the service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceKey {
    /// The service.
    pub service: Box<str>,
    /// The version.
    pub version: Option<ApiVersion>,
}

/// All registrations. The registry outlives tables. The cost of a call does not depend on the
/// number of registrations, except for the calls that list them.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    services: HashMap<Box<str>, BTreeMap<Option<ApiVersion>, Registrations>>,
    /// The keys of the registrations that expire, by expiry and registration number.
    expiries: BTreeMap<(Instant, u64), ServiceKey>,
    next_number: u64,
    count: usize,
}

/// The registrations for one service and version, and its removed configured backends.
#[derive(Clone, Debug, Default)]
pub struct Registrations {
    /// By registration number, which increases in the order of registration.
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
    /// Registers a backend or renews its registration, which expires at `expires` unless renewed. A
    /// removed configured backend becomes a registered one.
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

    /// Removes a registered backend and, if `is_configured`, the configured one, which returns with
    /// the next table. Ignores unknown backends. Returns whether the backend was registered.
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

    /// The number of registered backends.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether no backend is registered.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Restores the removed configured backends, because a new table takes effect.
    pub fn restore_removed(&mut self) {
        self.services.retain(|_, versions| {
            versions.retain(|_, entry| {
                entry.removed.clear();
                !entry.registered.is_empty()
            });
            !versions.is_empty()
        });
    }

    /// Removes expired registrations and returns the keys that they belonged to.
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

    /// The earliest expiry, if any registration expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.expiries.keys().next().map(|(expires, _)| *expires)
    }

    /// The registrations for a service and version.
    #[must_use]
    pub fn registrations(
        &self,
        service: &str,
        version: Option<ApiVersion>,
    ) -> Option<&Registrations> {
        self.services.get(service)?.get(&version)
    }

    /// The version that an omitted one implies for a service that the table does not name: none if
    /// backends are registered without a version, else the only version.
    ///
    /// # Errors
    /// If backends are registered for several versions, and none without a version.
    pub fn implied_version(&self, service: &str) -> Result<Option<ApiVersion>, AmbiguousVersion> {
        let versions = self.services.get(service).into_iter().flatten();
        let known = versions.filter(|(_, entry)| !entry.registered.is_empty());
        let known: Vec<Option<ApiVersion>> = known.map(|(version, _)| *version).collect();
        AmbiguousVersion::resolve(service, &known)
    }

    /// The registrations for services and versions that no route of the table has, sorted.
    #[must_use]
    pub fn unrouted(&self, table: &Table) -> Vec<(ServiceKey, &Registrations)> {
        let mut unrouted = Vec::new();
        for (service, versions) in &self.services {
            let is_unrouted = |version| table.routes_of(service, version).next().is_none();
            for (version, entry) in versions {
                if !entry.registered.is_empty() && is_unrouted(*version) {
                    unrouted.push((ServiceKey::of(service, *version), entry));
                }
            }
        }
        unrouted.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        unrouted
    }

    /// Assigns the version that the table implies to registrations that omit the version.
    pub(crate) fn assign_versions(&mut self, table: &Table) {
        let mut assigned = Vec::new();
        for (service, versions) in &mut self.services {
            if let Ok(version @ Some(_)) = table.implied_version(service)
                && let Some(entry) = versions.remove(&None)
            {
                assigned.push((ServiceKey::of(service, version), entry));
            }
        }
        for (key, entry) in assigned {
            self.count -= entry.registered.len();
            for (number, Registration { address, expires }) in entry.registered {
                if let Some(expires) = expires {
                    self.expiries.remove(&(expires, number));
                }
                self.register(key.clone(), address, expires);
            }
        }
    }

    /// Removes a registration.
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

    fn entry_mut(&mut self, key: &ServiceKey) -> Option<&mut Registrations> {
        self.services.get_mut(&key.service)?.get_mut(&key.version)
    }
}

impl ServiceKey {
    /// Creates a key.
    #[must_use]
    pub fn of(service: &str, version: Option<ApiVersion>) -> Self {
        Self {
            service: service.into(),
            version,
        }
    }
}

impl Registrations {
    /// The registered addresses, in the order of registration.
    pub fn registered(&self) -> impl Iterator<Item = &Address> {
        self.registered
            .values()
            .map(|registration| &registration.address)
    }

    /// Whether an address is registered.
    #[must_use]
    pub fn is_registered(&self, address: &Address) -> bool {
        self.numbers.contains_key(address)
    }

    /// Whether a configured backend was removed.
    #[must_use]
    pub fn is_removed(&self, address: &Address) -> bool {
        self.removed.contains(address)
    }
}
