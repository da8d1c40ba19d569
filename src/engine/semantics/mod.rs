//! What a proxy adds to and removes from a message (RFC 9110), as functions without I/O, clock,
//! randomness or protocol.
//!
//! The engine reads a header through [`Headers`](crate::engine::request::Headers) and describes changes as [`Edits`]; the codec of
//! either protocol applies them. For one request, in this order:
//!
//! 1. [`Request::read`] finds the fields that matter;
//! 2. `engine::admit` responds itself or makes a plan;
//! 3. [`Request::edits`] describes what changes in the header on its way to the backend, and
//!    [`Request::upstream_host`], for each attempt, the `Host` of that backend;
//! 4. [`retry`] decides whether another attempt follows a failed one;
//! 5. the policy chain of the route describes what changes in the header of the response.

pub mod arrival;
pub mod authority;
pub mod budget;
pub mod edit;
pub mod error;
pub mod field_value;
pub mod forwarded;
pub mod forwarding;
pub mod grpc;
pub mod hops;
pub mod https_redirect;
pub mod identity;
pub mod noted;
pub mod problem;
pub mod request;
pub mod retry;

pub use arrival::{Arrival, Protocol};
pub use edit::{Edit, Edits};
pub use error::{Cause, GatewayError, RequestError, TlsReason, UpstreamError};
pub use field_value::ValueWriter;
pub use forwarding::{Forwarding, HostRule, Retry, RetryOn, Timeouts};
pub use identity::{Random, RequestId};
pub use noted::Noted;
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

    /// The fields after the edits, as a codec writes them, names in lower case.
    pub(crate) fn applied<H: Headers + ?Sized>(
        edits: &Edits,
        headers: &H,
    ) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
        let kept = headers.fields().filter(|(name, _)| !edits.drops(name));
        kept.chain(edits.added())
            .map(|(name, value)| (text(name).to_ascii_lowercase(), text(value)))
            .collect()
    }
}
