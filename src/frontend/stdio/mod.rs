//! The JSON-lines interface: `tollgate stdio`.
//!
//! It translates and decides nothing. Values from standard input become messages; messages become
//! requests to the engine, or updates for the reconciler; each result is one line on standard
//! output.

mod discover;
mod dispatch;
mod fields;
pub mod forward;
mod headers;
mod message;
mod message_loop;
mod prefixes;
mod reply;
mod sample;
mod session;
mod text;
pub mod values;

pub use self::message_loop::{Options, serve};
pub use self::sample::{SampleRequest, SampleUpstream, SampleVersionId};
