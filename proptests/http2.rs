//! HTTP/2 from clients and to backends, over real sockets.
//!
//! The clients and the backends are of this process: the `h2` crate where it can say what a test
//! wants said, and frames put together by hand where it cannot.

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
