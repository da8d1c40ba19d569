//! The backends of a service version, and the choice of one for a request.

mod backend;
mod balancer;
mod cluster;
pub(crate) mod registry;
mod settings;

pub use backend::{Address, AddressError, Backend, BackendSource, Scheme};
pub use balancer::Cursor;
pub use cluster::{Cluster, Pick};
pub use registry::{Registry, ServiceKey};
pub use settings::{Protocol, Upstream, UpstreamTls};
