//! An entry of `services`, and how backends are reached.

use crate::config::read::Presence::{Default, Unset};
use crate::config::read::{Bool, Count, Located, Map, Set, Text, Word, object, words};
use crate::engine::upstream::Protocol;

object! {
    /// A service: a set of interchangeable backends, or one such set per version.
    pub(crate) struct RawService: "a service", "{backends: [\"users-1:8080\"]}" {
        /// Backends for all versions: `host`, `host:port` or `https://host:port`. The default port is 80, with https 443.
        backends: Set<Text> = Unset("none"), "[\"users-1:8080\", \"users-2:8080\"]";
        /// The versions by name: `v1`, `v2`, ... or dates. A neutral route to the service stands for one route per version.
        versions: Map<RawVersion> = Unset("one neutral version"), "{v1: {backends: [\"users-1:8080\"]}}";
        ..upstream: RawUpstream;
    }
    not_built: &["health_check", "discover"],
}

object! {
    /// A version of a service.
    pub(crate) struct RawVersion: "a version", "{backends: [\"users-1:8080\"]}" {
        /// Backends for this version.
        backends: Set<Text> = Unset("those of the service"), "[\"users-v2-1:8080\"]";
        /// The date since which the version is deprecated. Responses carry `Deprecation` (RFC 9745).
        deprecated: Text = Unset("not deprecated"), "2026-01-31";
        /// The date on which the version ends. Responses carry `Sunset` (RFC 8594).
        sunset: Text = Unset("no end"), "2026-12-31";
        /// A URL with more about the deprecation. Responses carry it in `Link`.
        link: Text = Unset("none"), "https://docs.example.com/v1-ends";
    }
}

object! {
    /// How backends are reached. For a service, and for a route with `backends` of its own.
    pub(crate) struct RawUpstream: "the settings of backends", "{protocol: h2}" {
        /// The protocol: `h1`, or `h2` (over TLS by ALPN, in plain text by prior knowledge).
        protocol: Located<Word<ProtocolWord>> = Default("h1"), "h2";
        /// How certificates of `https` backends are verified.
        tls: Located<RawUpstreamTls> = Unset("the defaults of its keys"), "{ca: ca.pem}";
        /// Maximum number of requests in flight to one backend, per worker.
        max_in_flight: Located<MaxInFlight> = Unset("`limits.in_flight_per_backend`"), "500";
    }
}

object! {
    /// How certificates of `https` backends are verified.
    pub(crate) struct RawUpstreamTls: "`tls`", "{ca: ca.pem}" {
        /// A PEM file with the trusted authorities, relative to the folder of the configuration.
        ca: Text = Unset("those of the system"), "tls/ca.pem";
        /// The name that the certificate must have, also sent as SNI.
        server_name: Text = Unset("the host of the backend"), "users-1.internal";
        /// Whether the certificate is verified.
        verify: Bool = Default("true"), "false";
    }
}

/// Requests in flight to one backend.
pub(crate) type MaxInFlight = Count<u32, 1, 1_000_000>;

words! {
    /// `protocol`.
    ProtocolWord: Protocol { "h1" => Protocol::H1, "h2" => Protocol::H2 }
}
