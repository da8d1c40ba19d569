//! HTTP/2 from clients and to backends, over real sockets.
//!
//! Clients and backends run in this process. They use the `h2` crate, or frames built by hand where
//! the crate cannot send what a test needs.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

#[path = "http2/backend.rs"]
mod backend;
#[path = "http2/client.rs"]
mod client;
#[path = "http2/floods.rs"]
mod floods;
#[path = "http2/frames.rs"]
mod frames;
#[path = "http2/malformed.rs"]
mod malformed;
#[path = "http2/passing.rs"]
mod passing;
#[path = "http2/resets.rs"]
mod resets;
#[path = "http2/rig.rs"]
mod rig;
#[path = "http2/tls.rs"]
mod tls;
#[path = "http2/windows.rs"]
mod windows;
