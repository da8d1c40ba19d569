//! What is counted and told of the traffic.

pub mod access_log;
pub mod counters;
pub mod log;
pub mod record;
pub mod tally;
