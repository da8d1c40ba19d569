//! Hosts, methods, headers and query: whether they match a request.

use crate::reference::model::{Constraint, Request, Route};

/// Whether a host pattern (`None`: any host) matches the request's host.
pub(crate) fn host_matches(pattern: Option<&str>, request: &Request) -> bool {
    let Some(pattern) = pattern else { return true };
    let Some(host) = request.host.as_deref() else {
        return false;
    };
    let host = plain_host(host);
    match pattern.strip_prefix("*.") {
        Some(suffix) => host
            .strip_suffix(suffix)
            .is_some_and(|below| below.ends_with('.')),
        None => host == pattern,
    }
}

/// The rank of a host pattern: exact, the longest suffix, any.
pub(crate) fn host_rank(pattern: Option<&str>) -> (u8, std::cmp::Reverse<usize>) {
    match pattern {
        Some(host) if host.starts_with("*.") => (1, std::cmp::Reverse(host.len())),
        Some(_) => (0, std::cmp::Reverse(0)),
        None => (2, std::cmp::Reverse(0)),
    }
}

/// Whether all header constraints of a route hold.
pub(crate) fn headers_match(route: &Route, request: &Request) -> bool {
    route.headers.iter().all(|(name, constraint)| {
        values_of(request, name)
            .iter()
            .any(|value| holds(constraint, value.as_bytes()))
    })
}

/// Whether all query constraints of a route hold.
pub(crate) fn query_matches(route: &Route, request: &Request) -> bool {
    let pairs = query_pairs(request);
    route.query.iter().all(|(name, constraint)| {
        pairs
            .iter()
            .any(|(key, value)| key == name.as_bytes() && holds(constraint, value))
    })
}

/// Whether the route itself lists the method, or lists none.
pub(crate) fn method_listed(route: &Route, method: &str) -> bool {
    route.methods.is_empty() || route.methods.iter().any(|listed| listed == method)
}

/// The values of a header, without surrounding white space.
pub(crate) fn values_of<'r>(request: &'r Request, name: &str) -> Vec<&'r str> {
    let same = request
        .headers
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name));
    same.map(|(_, value)| value.trim_matches([' ', '\t']))
        .collect()
}

fn plain_host(host: &str) -> String {
    let name = host.split(':').next().unwrap_or(host);
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn holds(constraint: &Constraint, value: &[u8]) -> bool {
    match constraint {
        Constraint::Exact(exact) => value == exact.as_bytes(),
        Constraint::Prefix(prefix) => value.starts_with(prefix.as_bytes()),
        Constraint::Present => true,
    }
}

fn query_pairs(request: &Request) -> Vec<(Vec<u8>, Vec<u8>)> {
    let query = request.query.as_deref().unwrap_or("");
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Percent-decodes; `+` is a space, and invalid escapes are unchanged.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match (first, after) {
            (b'%', [high, low, later @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    rest = later;
                    high * 16 + low
                }
                _ => b'%',
            },
            (b'+', _) => b' ',
            (byte, _) => *byte,
        });
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
