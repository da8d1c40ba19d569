//! Updates: everything that a source may ask the reconciler to change.

use std::time::Instant;

use thiserror::Error;

use crate::config::Loaded;
use crate::engine::routing::AmbiguousVersion;
use crate::engine::upstream::{Address, ServiceKey};

/// One change of the desired state.
#[derive(Debug)]
pub enum Update {
    /// Replaces the start configuration and the current one, as a reload does. Routes that stay
    /// keep their cursors, services keep their registrations, and deregistered backends that are
    /// configured return.
    Config(Box<Loaded>),
    /// Replaces the current configuration until the next [`Update::Config`] or [`Update::Reset`].
    /// It carries over what [`Update::Config`] does.
    Init(Box<Loaded>),
    /// Returns to the start configuration.
    Reset,
    /// Adds a backend to a service, or renews its registration.
    Register {
        /// The service. Without a version: the neutral set of the service, or its only version.
        service: ServiceKey,
        /// The backend.
        address: Address,
        /// When the registration ends unless it is renewed; `None` means never.
        expires: Option<Instant>,
    },
    /// Removes a backend from a service, registered or configured. Unknown backends are ignored.
    Deregister {
        /// The service. Without a version: the neutral set of the service, or its only version.
        service: ServiceKey,
        /// The backend.
        address: Address,
    },
    /// Removes all registrations that have ended.
    Expire {
        /// The current time.
        now: Instant,
    },
}

/// Why an update was not applied; nothing has changed then.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UpdateError {
    /// The version is missing and the service has several.
    #[error(transparent)]
    AmbiguousVersion(#[from] AmbiguousVersion),
    /// The limit on registrations is reached.
    #[error("there are already {limit} registrations, which is the limit")]
    TooManyRegistrations {
        /// The limit.
        limit: usize,
    },
    /// The reconciler has stopped; only [`Handle::send`](crate::control::Handle::send) returns this.
    #[error("the reconciler has stopped")]
    Stopped,
}
