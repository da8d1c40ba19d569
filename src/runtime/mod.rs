//! What runs: the clock, the snapshot in force and those who change it.

pub mod cell;
pub mod clock;
pub mod gateway;
