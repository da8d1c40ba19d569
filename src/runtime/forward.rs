//! Forwarding: a decided request to a backend, and the answer back.
//!
//! One task does all of an exchange; nothing in it is locked or shared with another worker. Either
//! side may speak HTTP/1.1 or HTTP/2, and the client may also be this process itself: where a body
//! comes from and where it goes are two enums, and tries, retries, times and limits are the same for
//! all of these ways.

pub mod answer;
pub mod body;
pub mod download;
pub mod exchange;
pub mod kept;
pub mod memory;
mod over_stream;
mod over_wire;
pub mod pipe;
pub mod requester;
mod sending;
