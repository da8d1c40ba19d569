//! The pure core: it decides, and does nothing else. No I/O, no clock, no randomness, no logs.
//!
//! [`decide::decide`] is the whole flow on one screen: a [`request::RawRequest`] and a
//! [`snapshot::Snapshot`] in, a [`decide::Plan`] or a [`reject::Reject`] out.

pub mod backend;
pub mod balance;
pub mod constraint;
mod cover;
pub mod decide;
pub mod edit;
pub mod explain;
pub mod field_value;
mod form;
pub mod host;
mod index;
pub mod lifecycle;
pub mod listing;
pub mod method;
mod outline;
pub mod path;
pub mod pattern;
pub mod policy;
pub mod precedence;
pub mod redirect;
mod refusal;
pub mod registry;
pub mod reject;
pub mod request;
pub mod route;
mod router;
pub mod semantics;
pub mod snapshot;
mod sync;
pub mod table;
pub mod upstream_path;
pub mod verify;
pub mod version;
pub mod versioning;
mod walk;
