//! Settings for the connections to the backends of a cluster: protocol, TLS and limits.

/// Settings for the connections to the backends of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Upstream {
    /// The protocol. Default: HTTP/1.1.
    pub protocol: Protocol,
    /// TLS settings for backends whose scheme is `https`.
    pub tls: UpstreamTls,
    /// The maximum number of requests in flight per backend; `None`: limited only by the process.
    pub max_in_flight: Option<u32>,
}

/// The protocol that backends speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    H1,
    /// HTTP/2: over TLS by ALPN, in cleartext by prior knowledge.
    H2,
}

/// How the gateway verifies a backend.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamTls {
    /// The path of a PEM file with trusted certificate authorities; `None`: those of the system.
    pub ca: Option<Box<str>>,
    /// The name that the certificate must match, also sent as SNI; `None`: the host of the backend.
    pub server_name: Option<Box<str>>,
    /// Whether the certificate is verified. Default: yes.
    pub verify: bool,
}

impl Default for UpstreamTls {
    fn default() -> Self {
        Self {
            ca: None,
            server_name: None,
            verify: true,
        }
    }
}
