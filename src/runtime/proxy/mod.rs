//! Forwarding: an admitted request to a backend, and the response back.

pub mod answer;
pub mod download;
pub mod exchange;
mod http1_attempt;
mod http2_attempt;
pub mod requester;
mod sending;
