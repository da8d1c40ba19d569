//! What a proxy adds to a message and removes from it (RFC 9110), as pure functions: no I/O, clock,
//! randomness or protocol.
//!
//! The engine reads header fields through [`Headers`](crate::engine::request::Headers) and
//! describes changes as [`Edits`]; the codec of each protocol applies them. The steps of a request:
//!
//! 1. [`Request::read`] finds the fields that the gateway uses;
//! 2. `engine::admit` returns a plan or a local response;
//! 3. [`Request::edits`] describes the changes to the header of the upstream request;
//!    [`Request::upstream_host`] returns the `Host` for each attempt;
//! 4. [`retry`] decides whether a failed attempt is repeated;
//! 5. the policy chain of the route describes the changes to the header of the response.

mod arrival;
mod authority;
mod budget;
mod edit;
pub(crate) mod error;
mod field_value;
pub mod forwarded;
mod forwarding;
pub(crate) mod grpc;
pub(crate) mod hops;
pub(crate) mod https_redirect;
pub mod identity;
mod known_fields;
mod problem;
mod request;
pub mod retry;

pub use arrival::{Arrival, Protocol};
pub use budget::{BudgetRule, RetryBudget};
pub use edit::{Edit, Edits};
pub use error::{Cause, GatewayError, RequestError, TlsReason, UpstreamError};
pub use field_value::ValueWriter;
pub use forwarding::{Forwarding, HostRule, Retry, RetryOn, Timeouts};
pub use identity::{Random, RequestId};
pub use known_fields::KnownFields;
pub use problem::Problem;
pub use request::Request;

#[cfg(test)]
pub(crate) mod tests {
    use core::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::engine::request::Headers;

    /// A plain request for `shop.test` from `192.0.2.7`.
    pub(crate) const ARRIVAL: Arrival<'static> = Arrival {
        peer: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
        is_trusted: false,
        is_tls: false,
        protocol: Protocol::Http11,
        host: Some("shop.test"),
        pseudonym: "tollgate",
        https_port: None,
    };

    /// The fields that a codec writes after applying the edits; names in lower case.
    pub(crate) fn applied<H: Headers + ?Sized>(
        edits: &Edits,
        headers: &H,
    ) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
        let remaining = headers.fields().filter(|(name, _)| !edits.drops(name));
        remaining
            .chain(edits.added())
            .map(|(name, value)| (text(name).to_ascii_lowercase(), text(value)))
            .collect()
    }
}
