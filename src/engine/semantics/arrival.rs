//! How a request arrived: what the gateway knows about it beyond its header.

use core::net::{IpAddr, Ipv4Addr};

/// How a request arrived: what the gateway knows about it beyond its header.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'c> {
    /// The address of the downstream peer.
    pub peer: IpAddr,
    /// Whether the peer is one of `trusted_proxies`, whose `X-Forwarded-*` fields are used.
    pub is_trusted: bool,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
    /// The protocol of the request.
    pub protocol: Protocol,
    /// The host of the request, from its target, `:authority` or `Host`.
    pub host: Option<&'c str>,
    /// The pseudonym of the gateway in `Via` (RFC 9110, section 7.6.3): a token.
    pub pseudonym: &'c str,
    /// The port of the https listener to which this listener redirects every request; `None` if
    /// the listener serves requests.
    pub https_port: Option<u16>,
}

impl Arrival<'_> {
    /// A request from this machine: HTTP/1.1 in cleartext, without a host.
    pub const LOCAL: Arrival<'static> = Arrival {
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        is_trusted: false,
        is_tls: false,
        protocol: Protocol::Http11,
        host: None,
        pseudonym: "tollgate",
        https_port: None,
    };
}

/// The protocol in which a message was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl Protocol {
    /// The protocol version as written in `Via` (RFC 9110, section 7.6.3).
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
        }
    }
}
