//! The connections of one worker to the backends.

pub mod connect;
pub mod error;
pub mod multiplexed;
pub mod pool;
pub mod secure;
