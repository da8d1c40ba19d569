//! Backends: the addresses of a service.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use thiserror::Error;

/// The address of a backend: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    host: Arc<str>,
    port: u16,
    scheme: Scheme,
}

/// The scheme of a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// HTTP in cleartext. Default port: 80.
    #[default]
    Http,
    /// HTTP over TLS. Default port: 443.
    Https,
}

/// An invalid address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// The host is missing.
    #[error("the backend {0:?} has no host; write one such as users-1:8080")]
    NoHost(String),
    /// The port is invalid.
    #[error("the backend {0:?} has no valid port; a port is a number from 1 to 65535")]
    Port(String),
    /// A path, a query or user information.
    #[error("the backend {0:?} has more than a host and a port; leave out {1:?} and what follows")]
    TooMuch(String, char),
    /// An unsupported scheme.
    #[error("the backend {0:?} has an unknown scheme; write http://, https:// or none")]
    Scheme(String),
    /// A character that is invalid in hosts.
    #[error(
        "the backend {0:?} has {1:?} in its host; a host consists of letters, digits, `-`, `_` and `.`"
    )]
    Character(String, char),
}

/// Where the gateway learned of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendSource {
    /// The `backends` of the route.
    Inline,
    /// The `backends` of the service.
    Service,
    /// A registration.
    Registered,
}

/// A backend of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The name: the host, or host and port if another backend of the cluster has the same host.
    /// Fixed when the backend joins the cluster.
    pub name: Arc<str>,
    /// The address.
    pub address: Address,
    /// Where the gateway learned of the backend.
    pub source: BackendSource,
    /// Whether the backend is healthy, so that it can be picked.
    pub is_healthy: bool,
    /// The backend id, unique among all backends that the cluster has ever had.
    pub id: u32,
}

impl Address {
    /// Parses `host` or `host:port`, each with an optional `http://` or `https://`. Ignores case;
    /// an IPv6 address is in brackets.
    ///
    /// # Errors
    /// If the host is missing or invalid, the port or scheme is invalid, or anything else follows.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some(_) => return Err(AddressError::Scheme(text.into())),
            None => (Scheme::Http, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if let Some(extra) = rest.chars().find(|c| matches!(c, '/' | '?' | '#' | '@')) {
            return Err(AddressError::TooMuch(text.into(), extra));
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !rest.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let is_bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
        let is_invalid = |c: &char| {
            !(c.is_ascii_alphanumeric() || "-_.".contains(*c) || is_bracketed && "[]:".contains(*c))
        };
        if host.is_empty() {
            return Err(AddressError::NoHost(text.into()));
        }
        if let Some(invalid) = host.chars().find(is_invalid) {
            return Err(AddressError::Character(text.into(), invalid));
        }
        let port = match port {
            None if scheme == Scheme::Https => 443,
            None => 80,
            Some(port) => match port.parse::<u16>() {
                Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => number,
                _ => return Err(AddressError::Port(text.into())),
            },
        };
        Ok(Self {
            host: host.to_ascii_lowercase().into(),
            port,
            scheme,
        })
    }

    /// The host, in lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }
}

impl fmt::Display for Address {
    /// `host:port`, or `https://host:port`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "",
            Scheme::Https => "https://",
        };
        write!(f, "{scheme}{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let check = |text: &str, expected: &str| {
            let got = Address::parse(text).map_or_else(|f| f.to_string(), |a| a.to_string());
            assert_eq!(got, expected, "{text}");
        };
        check("users-1", "users-1:80");
        check("Users-1:8080", "users-1:8080");
        check("http://users-1/", "users-1:80");
        check("HTTPS://users-1", "https://users-1:443");
        check("https://users-1:8443", "https://users-1:8443");
        check("[::1]", "[::1]:80");
        check("[::1]:8080", "[::1]:8080");
        check("127.0.0.1:65535", "127.0.0.1:65535");
        check(
            "",
            "the backend \"\" has no host; write one such as users-1:8080",
        );
        check(
            ":80",
            "the backend \":80\" has no host; write one such as users-1:8080",
        );
        check(
            "a:",
            "the backend \"a:\" has no valid port; a port is a number from 1 to 65535",
        );
        check(
            "a:0",
            "the backend \"a:0\" has no valid port; a port is a number from 1 to 65535",
        );
        check(
            "a:+80",
            "the backend \"a:+80\" has no valid port; a port is a number from 1 to 65535",
        );
        check(
            "a:80/x",
            "the backend \"a:80/x\" has more than a host and a port; leave out '/' and what follows",
        );
        check(
            "ftp://a",
            "the backend \"ftp://a\" has an unknown scheme; write http://, https:// or none",
        );
        check(
            "a b",
            "the backend \"a b\" has ' ' in its host; a host consists of letters, digits, `-`, `_` and `.`",
        );
        check(
            "::1",
            "the backend \"::1\" has ':' in its host; a host consists of letters, digits, `-`, `_` and `.`",
        );
    }
}
