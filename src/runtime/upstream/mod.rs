//! The connections of one worker to the backends.

mod connect;
mod error;
mod multiplexed;
mod pool;
mod tls;

pub(crate) use error::UpstreamError;
pub(crate) use multiplexed::StreamPermit;
pub(crate) use pool::{Lease, Upstreams};
