//! What runs: the snapshot in force and those who change it.

pub mod gateway;
