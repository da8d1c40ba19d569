//! Backends: the addresses of a service.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use thiserror::Error;

/// Where a backend listens. Two addresses are the same if scheme, host and port are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    host: Arc<str>,
    port: u16,
    scheme: Scheme,
}

/// How a backend is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// In plain text; port 80 unless one is written.
    #[default]
    Http,
    /// Over TLS; port 443 unless one is written.
    Https,
}

/// Text that is no address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// No host is there.
    #[error("the backend {0:?} names no host; write one such as users-1:8080")]
    NoHost(String),
    /// A port that is none.
    #[error("the backend {0:?} has no valid port; a port is a number from 1 to 65535")]
    Port(String),
    /// A path, a query or user data.
    #[error("the backend {0:?} has more than a host and a port; leave out {1:?} and what follows")]
    TooMuch(String, char),
    /// A scheme that is not spoken.
    #[error("the backend {0:?} has an unknown scheme; write http://, https:// or none")]
    Scheme(String),
    /// A character that no host has.
    #[error(
        "the backend {0:?} has {1:?} in its host; a host is made of letters, digits, `-`, `_` and `.`"
    )]
    Character(String, char),
}

/// Where the gateway knows a backend from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendSource {
    /// The `backends` of the route itself.
    Inline,
    /// The `backends` of the service.
    Service,
    /// A registration.
    Registered,
}

/// One backend of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// What it is called: its host, or host and port if another of the route has that host.
    pub name: Arc<str>,
    /// Where it listens.
    pub address: Address,
    /// Where the gateway knows it from.
    pub source: BackendSource,
    /// Whether it may be picked.
    pub healthy: bool,
    /// A number that no other backend of this route has had.
    pub slot: u32,
}

impl Address {
    /// Reads `host`, `host:port` or either with `http://` or `https://` before it. Case does not
    /// count; an IPv6 host is written in brackets.
    ///
    /// # Errors
    /// If no host is there, the port is none, or more than these is written.
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
        let bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
        let odd = |c: &char| {
            !(c.is_ascii_alphanumeric() || "-_.".contains(*c) || bracketed && "[]:".contains(*c))
        };
        if host.is_empty() {
            return Err(AddressError::NoHost(text.into()));
        }
        if let Some(odd) = host.chars().find(odd) {
            return Err(AddressError::Character(text.into(), odd));
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

    /// How it is spoken to.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }
}

impl fmt::Display for Address {
    /// `host:port`, with `https://` before it where that is spoken.
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
            "the backend \"\" names no host; write one such as users-1:8080",
        );
        check(
            ":80",
            "the backend \":80\" names no host; write one such as users-1:8080",
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
            "the backend \"a b\" has ' ' in its host; a host is made of letters, digits, `-`, `_` and `.`",
        );
        check(
            "::1",
            "the backend \"::1\" has ':' in its host; a host is made of letters, digits, `-`, `_` and `.`",
        );
    }
}
