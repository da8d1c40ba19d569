//! From a request to the route and version that serve it: normal paths, patterns, the precedence of
//! routes, the compiled tries, and the walk over the candidates.
//!
//! A route is reached through *route entries*: one for its declared pattern, and more for patterns
//! derived within a family of versions. The entries of one host and pattern form a *group*; the
//! trie of the host maps a path to the best group, and the outline lists the further ones.

mod constraint;
mod cover;
pub(crate) mod decide;
pub(crate) mod entry;
mod host;
pub(crate) mod index;
mod listing;
pub(crate) mod method;
mod outline;
pub mod path;
mod pattern;
pub(crate) mod precedence;
mod rejection;
mod route;
pub(crate) mod router;
mod table;
mod unserved;
mod upstream_path;
mod verify;
mod version;
pub(crate) mod versioning;
pub(crate) mod walk;
mod winner;

pub use constraint::{Constraint, ValueTest};
pub use decide::{Decision, decide};
pub(crate) use host::check_host;
pub use host::{HostPattern, RequestHostError, normal_host};
pub use listing::ListedEntry;
pub use method::{Method, MethodError, MethodSet};
pub use path::{EncodedSlash, NormalPath, PathError};
pub use pattern::{PathPattern, PatternError, Segment};
pub use precedence::Rank;
pub use rejection::{EncodedSlashError, Rejection};
pub use route::{Route, RouteError, RouteIdentity, RouteSpec, StripPrefix};
pub use table::{AmbiguousVersion, RouteId, Table};
pub use upstream_path::UpstreamPath;
pub use verify::{TableError, TableNote};
pub use version::{ApiVersion, VersionError};
pub use versioning::{DefaultVersion, VersionSource, Versioning};
