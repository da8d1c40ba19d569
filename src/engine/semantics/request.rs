//! A request together with how it arrived.

use crate::engine::request::{Headers, RawRequest};
use crate::engine::semantics::arrival::Arrival;
use crate::engine::semantics::authority::upstream_host;
use crate::engine::semantics::edit::Edits;
use crate::engine::semantics::forwarded::forwarded_edits;
use crate::engine::semantics::forwarding::HostRule;
use crate::engine::semantics::hops::hop_edits;
use crate::engine::semantics::identity::{Random, RequestId, identity_edits};
use crate::engine::semantics::known_fields::KnownFields;
use crate::engine::upstream::Address;

/// A request together with how it arrived.
#[derive(Debug)]
pub struct Request<'r, H: ?Sized> {
    /// How it arrived.
    pub arrival: &'r Arrival<'r>,
    /// The method as received.
    pub method: &'r str,
    /// Path and query as received: `/path?query`, or `*` for `OPTIONS`.
    pub target: &'r str,
    /// All header fields.
    pub headers: &'r H,
    /// The header fields that the gateway uses.
    pub fields: KnownFields<'r>,
    /// The length that the request declares for its body, in bytes; `None` if it declares none.
    pub content_length: Option<u64>,
}

impl<'r, H: Headers + ?Sized> Request<'r, H> {
    /// Reads a request: finds the header fields that the gateway uses.
    #[inline]
    pub fn read(
        arrival: &'r Arrival<'r>,
        (method, target): (&'r str, &'r str),
        headers: &'r H,
        content_length: Option<u64>,
    ) -> Self {
        Self {
            arrival,
            method,
            target,
            headers,
            fields: KnownFields::of(headers),
            content_length,
        }
    }

    /// The request as routing reads it.
    #[inline]
    #[must_use]
    pub const fn raw(&self) -> RawRequest<'r, H> {
        RawRequest {
            method: self.method,
            target: self.target,
            host: self.arrival.host,
            headers: self.headers,
        }
    }

    /// Adds the changes to the header of the upstream request that do not depend on the backend.
    /// `id` is the request id made with the same `random`.
    pub fn edits(&self, edits: &mut Edits, id: &RequestId<'_>, random: &Random) {
        hop_edits(edits, self.arrival, self.method, &self.fields);
        forwarded_edits(edits, self.arrival, self.headers, &self.fields);
        identity_edits(edits, id, &self.fields, random);
    }

    /// The `Host` field of the upstream request; see `authority::upstream_host`.
    pub fn upstream_host<'b>(
        &'b self,
        rule: &'b HostRule,
        backend: &'b Address,
        buffer: &'b mut String,
    ) -> Option<&'b str> {
        upstream_host(rule, self.arrival.host, &self.fields, backend, buffer)
    }
}
