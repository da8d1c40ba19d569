//! What a proxy has to say and to leave unsaid (RFC 9110), as functions without I/O, clock, chance
//! or protocol.
//!
//! A header is read through [`Headers`], what changes is said in [`Edits`], and the codec of either
//! protocol applies it. For one request, in this order:
//!
//! 1. [`Request::read`] notes the fields that matter and names the request;
//! 2. [`hops::is_last_hop`] and [`cors::preflight`] tell what is answered here, without a backend;
//! 3. `decide` finds the plan or refuses; what is refused is answered by [`problem`];
//! 4. [`Request::edits`] says what changes in the header on its way up, and
//!    [`Request::upstream_host`], for each try, which host that backend is asked for;
//! 5. [`retry`] says whether another try follows a failed one;
//! 6. [`response_edits`] says what changes in the header on its way down.

use core::net::IpAddr;

use crate::engine::policy::deprecation::Lifecycle;
use crate::engine::policy::{Policy, cors, headers};
use crate::engine::request::Headers;
use crate::engine::semantics::edit::Edits;
use crate::engine::semantics::hops::Protocol;
use crate::engine::semantics::identity::{Random, RequestId};
use crate::engine::semantics::noted::Noted;
use crate::engine::upstream::backend::Address;

pub mod authority;
pub mod budget;
pub mod edit;
pub mod error;
pub mod field_value;
pub mod forwarded;
pub mod grpc;
pub mod hops;
pub mod identity;
pub mod noted;
pub mod problem;
pub mod retry;

/// How a request came to the gateway, beside its own header.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'c> {
    /// Who is at the other end of the connection.
    pub peer: IpAddr,
    /// Whether that is one of `trusted_proxies`, whose `X-Forwarded-*` are believed.
    pub is_trusted: bool,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
    /// The protocol of the request.
    pub protocol: Protocol,
    /// The host that the request names, by whatever way.
    pub host: Option<&'c str>,
    /// What the gateway calls itself in `Via`: a token.
    pub pseudonym: &'c str,
}

/// A request, read once.
#[derive(Debug)]
pub struct Request<'r, H: ?Sized> {
    /// How it came.
    pub arrival: &'r Arrival<'r>,
    /// Its method, as it came.
    pub method: &'r str,
    /// All its fields.
    pub headers: &'r H,
    /// Those that matter.
    pub noted: Noted<'r>,
    /// Its name.
    pub id: RequestId<'r>,
}

impl<'r, H: Headers + ?Sized> Request<'r, H> {
    /// Notes the fields that matter, and names the request.
    #[inline]
    pub fn read(
        arrival: &'r Arrival<'r>,
        method: &'r str,
        headers: &'r H,
        random: &Random,
    ) -> Self {
        let noted = Noted::of(headers);
        let id = RequestId::of(&noted, random);
        Self {
            arrival,
            method,
            headers,
            noted,
            id,
        }
    }

    /// Says what changes in the header on its way to any backend. `random` is as it was given to
    /// [`Self::read`]; the edits are cleared before.
    pub fn edits(&self, edits: &mut Edits, policy: &Policy, random: &Random) {
        edits.clear();
        hops::hop_edits(edits, self.arrival, self.method, &self.noted);
        forwarded::forwarded_edits(edits, self.arrival, self.headers, &self.noted);
        identity::identity_edits(edits, &self.id, &self.noted, random);
        headers::rule_edits(edits, &policy.request_headers);
    }

    /// Which host a backend is asked for; see [`authority::upstream_host`].
    pub fn upstream_host<'b>(
        &'b self,
        policy: &'b Policy,
        backend: &'b Address,
        buffer: &'b mut String,
    ) -> Option<&'b str> {
        authority::upstream_host(policy, self.arrival.host, &self.noted, backend, buffer)
    }
}

/// Says what changes in the header of a response; the edits are cleared before.
///
/// `lifecycle` is of the version that answered, `origin` the request's `Origin` if it had just one.
/// What the route's own rules say comes last. `Via` is not added: a gateway may, and nobody reads it
/// (RFC 9110, section 7.6.3).
pub fn response_edits(
    edits: &mut Edits,
    policy: &Policy,
    lifecycle: Option<&Lifecycle>,
    origin: Option<&[u8]>,
) {
    edits.clear();
    if let Some(lifecycle) = lifecycle {
        headers::lifecycle_edits(edits, lifecycle);
    }
    if let Some(cors) = &policy.cors {
        cors::response_cors_edits(edits, cors, origin);
    }
    headers::rule_edits(edits, &policy.response_headers);
}

#[cfg(test)]
pub(crate) mod tests {
    use core::net::Ipv4Addr;

    use super::*;

    /// A plain request for `shop.test` from `192.0.2.7`.
    pub(crate) const ARRIVAL: Arrival<'static> = Arrival {
        peer: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
        is_trusted: false,
        is_tls: false,
        protocol: Protocol::Http11,
        host: Some("shop.test"),
        pseudonym: "tollgate",
    };

    /// The fields after the edits, as a codec would write them, names in lower case.
    pub(crate) fn told<H: Headers + ?Sized>(edits: &Edits, headers: &H) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
        let kept = headers.fields().filter(|(name, _)| !edits.drops(name));
        kept.chain(edits.added())
            .map(|(name, value)| (text(name).to_ascii_lowercase(), text(value)))
            .collect()
    }
}
