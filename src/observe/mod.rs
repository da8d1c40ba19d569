//! What is counted and told of the traffic.

pub mod counters;
pub mod tally;
