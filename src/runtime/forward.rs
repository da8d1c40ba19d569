//! Forwarding: a decided request to a backend, and the answer back.
//!
//! One task does all of an exchange; nothing in it is locked or shared with another worker.

pub mod answer;
pub mod body;
pub mod kept;
pub mod pipe;
