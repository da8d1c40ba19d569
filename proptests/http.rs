//! The HTTP gateway over real sockets: the real binary between well-behaved and misbehaving clients
//! and backends. `SOAK_SECONDS=60 cargo test --test http a_soak` runs a longer soak test.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails"
)]

#[path = "http/backend.rs"]
mod backend;
#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/client.rs"]
mod client;
#[path = "http/clients.rs"]
mod clients;
#[path = "http/failures.rs"]
mod failures;
#[path = "http/gateway.rs"]
mod gateway;
#[path = "http/load.rs"]
mod load;
#[path = "http/message.rs"]
mod message;
#[path = "http/operators.rs"]
mod operators;
#[path = "http/process.rs"]
mod process;
#[path = "http/requests.rs"]
mod requests;
#[path = "http/retries.rs"]
mod retries;
#[path = "http/rules.rs"]
mod rules;
#[path = "http/smuggling.rs"]
mod smuggling;
#[path = "http/upgrades.rs"]
mod upgrades;
