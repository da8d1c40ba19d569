//! The file as a whole, and `versioning`.

use crate::config::keys::policy::RawPolicy;
use crate::config::keys::process::RawProcess;
use crate::config::keys::route::RawRoute;
use crate::config::keys::service::RawService;
use crate::config::read::Presence::{Default, Unset};
use crate::config::read::{Bool, List, Located, Map, Set, Word, object, words};
use crate::engine::routing::{DefaultVersion, VersionSource};

object! {
    /// The configuration file of the Tollgate API gateway, in YAML or JSON.
    pub(crate) struct RawFile: "the configuration", "{routes: [{path_pattern: /api/users/*, service: users-service}]}" {
        /// The routes. Their order does not matter: the most specific route that matches wins.
        routes: List<Located<RawRoute>> = Unset("no routes: every request is 404"), "[{path_pattern: /api/users/*, service: users-service}]";
        /// The services that routes name, with their backends.
        services: Map<RawService> = Unset("none"), "{users-service: {backends: [\"users-1:8080\"]}}";
        /// How the version of a request is determined.
        versioning: RawVersioning = Unset("the defaults of its keys"), "{default: newest}";
        /// Settings for all routes. A route overrides them key by key, and header rules name by name.
        defaults: RawPolicy = Unset("the defaults of its keys"), "{timeout: 10s, retry: none}";
        ..process: RawProcess;
    }
}

object! {
    /// How the version of a request is determined.
    pub(crate) struct RawVersioning: "`versioning`", "{default: oldest}" {
        /// The version for requests that state none: the `oldest`, the `newest`, or `require` to reject them with 400.
        default: Word<Fallback> = Default("oldest"), "newest";
        /// The places of a request where a version may be stated.
        from: Set<Word<Source>> = Default("[path, accept-version, x-api-version, api-version, accept]"), "[path, accept-version]";
        /// Whether the versions of a service with otherwise equal patterns are reachable both by path and by header.
        derive: Bool = Default("true"), "false";
    }
}

words! {
    /// `versioning.default`.
    Fallback: DefaultVersion {
        "oldest" => DefaultVersion::Oldest,
        "newest" => DefaultVersion::Newest,
        "require" => DefaultVersion::Require,
    }
}

words! {
    /// An item of `versioning.from`.
    Source: VersionSource {
        VersionSource::Path.name() => VersionSource::Path,
        VersionSource::AcceptVersion.name() => VersionSource::AcceptVersion,
        VersionSource::XApiVersion.name() => VersionSource::XApiVersion,
        VersionSource::ApiVersion.name() => VersionSource::ApiVersion,
        VersionSource::Accept.name() => VersionSource::Accept,
    }
}
