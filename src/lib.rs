//! Tollgate, an API gateway: the single entrance to a set of microservices.
//!
//! A request moves one way: a [`frontend`] reads it, [`engine::admit()`] decides, and [`runtime`]
//! forwards it. The layers, each of which imports only those above it in this list:
//!
//! - [`engine`] is pure: it decides and explains, and does nothing else;
//! - [`config`] compiles a file or a message to engine values, or reports every error in it;
//! - [`observe`] counts what happens, and logs it;
//! - [`runtime`] holds the published snapshot, owns the connections, and forwards;
//! - [`control`] changes that snapshot: sources send updates to one reconciler;
//! - [`frontend`] translates: HTTP from clients, the JSON lines of `tollgate stdio`, and the command
//!   line.
//!
//! [`http1`], the HTTP/1.1 codec, stands beside them and imports none of them.

pub mod config;
pub mod control;
pub mod engine;
pub mod frontend;
pub mod http1;
pub mod observe;
pub mod runtime;
