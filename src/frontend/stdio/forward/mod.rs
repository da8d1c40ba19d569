//! `--forward`: requests go to their backends concurrently, and each reply is written when its
//! request has finished.
//!
//! The reading thread hands each request over as a job with the snapshot of its time, and
//! replies to all other messages in order. The forwarding thread runs each request through the proxy, as
//! `tollgate serve` does, and writes its response as one line. Only the proxy decides.

mod forwarder;
mod job;
mod limit;
mod output;
mod serve;

pub use serve::{Forwarding, serve};
