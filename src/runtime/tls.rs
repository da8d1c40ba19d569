//! TLS on both sides: what is read from files, and what is made of it.
//!
//! Nothing here opens a socket. The handshakes themselves are `rustls`; the cryptography below it is
//! AWS-LC, which a C compiler builds.

pub mod client;
pub mod error;
pub mod files;
mod names;
mod pem;
mod provider;
pub mod reasons;
pub mod roots;
pub mod server;
mod stamp;
mod validity;
pub mod watcher;
