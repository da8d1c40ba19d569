//! The backends of a service version, and the choice of one for a request.

pub mod backend;
pub mod balancer;
pub mod cluster;
pub mod registry;
pub mod settings;

pub use backend::{Address, AddressError, Backend, BackendSource, Scheme};
pub use balancer::Cursor;
pub use cluster::{Cluster, Pick};
pub use registry::{Registry, ServiceKey};
pub use settings::{Protocol, Upstream, UpstreamTls};
