//! Redirects: responses that send the client elsewhere, in place of a backend.
//!
//! A `Location` has no control byte, and its host is the one that the configuration names, or none:
//! never one that the request names.

use thiserror::Error;

use crate::engine::policy::verdict::Verdict;
use crate::engine::routing::{Decision, PathPattern};

/// A response that sends the client elsewhere. [`Redirect::new`] checks the target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Redirect {
    /// The target: a URL or a path. A final `*` stands for what the `*` of the pattern matched.
    pub to: Box<str>,
    /// 301, 302, 303, 307 or 308. Default: 308.
    pub status: u16,
}

/// An invalid redirect.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RedirectError {
    /// It is neither a URL nor a path.
    #[error("`{0}` is no target; write a path such as /new, or a URL such as https://example.com/")]
    NotTarget(String),
    /// Browsers take it for the host of a URL.
    #[error("`{0}` is taken for the host of a URL; a path begins with one slash")]
    TwoSlashes(String),
    /// A byte that a URL can hold only as an escape.
    #[error("the target has {0:?}; a URL holds it only as an escape")]
    Character(char),
    /// A `*` that is not the whole last segment of a path.
    #[error("`*` stands for the rest of the path only as the whole last segment, as in /new/*")]
    StarNotLast,
    /// A `*`, but the pattern has none that it could stand for.
    #[error("`{0}` has no `*`, so that the one of the target stands for nothing")]
    NoRest(String),
    /// A status that is not a redirect.
    #[error("{0} is no redirect; write 301, 302, 303, 307 or 308")]
    Status(u16),
}

impl Redirect {
    /// The statuses that a redirect may have.
    pub const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

    /// A redirect of the requests that `pattern` matches.
    ///
    /// # Errors
    /// If `to` is neither a URL nor a path from the root, or has a `*` that stands for nothing.
    pub fn new(to: &str, status: u16, pattern: &PathPattern) -> Result<Self, RedirectError> {
        if !Self::STATUSES.contains(&status) {
            return Err(RedirectError::Status(status));
        }
        let is_odd = |c: &char| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(*c);
        if let Some(odd) = to.chars().find(is_odd) {
            return Err(RedirectError::Character(odd));
        }
        if to.starts_with("//") {
            return Err(RedirectError::TwoSlashes(to.into()));
        }
        let url = to.strip_prefix("https://").or(to.strip_prefix("http://"));
        let is_url = url.is_some_and(names_host);
        if !is_url && !to.starts_with('/') {
            return Err(RedirectError::NotTarget(to.into()));
        }
        if to.ends_with('*') {
            if !to.ends_with("/*") || to.contains(['?', '#']) {
                return Err(RedirectError::StarNotLast);
            }
            if !pattern.is_subtree() {
                return Err(RedirectError::NoRest(pattern.to_string()));
            }
        }
        Ok(Self {
            to: to.into(),
            status,
        })
    }

    pub(super) fn on_request(&self, decision: &Decision<'_>) -> Verdict {
        Verdict::Redirect {
            status: self.status,
            location: self.location(decision),
        }
    }

    /// What it does, in one sentence.
    pub(super) fn explain(&self) -> String {
        format!("redirects to {} with {}", self.to, self.status)
    }

    /// The `Location` for a request: a URL, or a path of this host. The query is kept, unless the
    /// target has its own or a fragment.
    #[must_use]
    pub fn location(&self, decision: &Decision<'_>) -> String {
        let mut location = match self.to.strip_suffix("/*") {
            None => String::from(&*self.to),
            // The rest is empty or begins with one slash, and a second cannot follow.
            Some(stem) => format!("{stem}{}", decision.rest()),
        };
        if location.is_empty() {
            location.push('/');
        }
        if !self.to.contains(['?', '#'])
            && let Some(query) = decision.query()
        {
            location.push('?');
            location.push_str(query);
        }
        location
    }
}

/// Whether a host, perhaps with a port, stands at the beginning, and no user data.
fn names_host(rest: &str) -> bool {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at(end);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, port),
        _ => (authority, "1"),
    };
    let is_bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
    let is_host = |c: char| {
        c.is_ascii_alphanumeric() || "-_.".contains(c) || is_bracketed && "[]:".contains(c)
    };
    !host.is_empty() && host.chars().all(is_host) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(to: &str, pattern: &str) -> Option<RedirectError> {
        Redirect::new(to, 308, &PathPattern::parse(pattern).unwrap()).err()
    }

    #[test]
    fn targets() {
        for to in [
            "/",
            "/new",
            "/new/*",
            "/*",
            "/a*b",
            "/new?a=b#c",
            "/search?q=a*b",
            "https://example.com",
            "http://example.com:8080/*",
            "https://[::1]:8443/x",
        ] {
            assert_eq!(fault(to, "/old/*"), None, "{to}");
        }
        let text = |to: &str| to.to_owned();
        for (to, expected) in [
            ("", RedirectError::NotTarget(text(""))),
            ("new", RedirectError::NotTarget(text("new"))),
            ("ftp://a", RedirectError::NotTarget(text("ftp://a"))),
            (
                "javascript:x",
                RedirectError::NotTarget(text("javascript:x")),
            ),
            ("https://", RedirectError::NotTarget(text("https://"))),
            ("https:///a", RedirectError::NotTarget(text("https:///a"))),
            ("https://a@b", RedirectError::NotTarget(text("https://a@b"))),
            ("https://a:0", RedirectError::NotTarget(text("https://a:0"))),
            ("https://*", RedirectError::NotTarget(text("https://*"))),
            (
                "//evil.test",
                RedirectError::TwoSlashes(text("//evil.test")),
            ),
            ("/\\evil.test", RedirectError::Character('\\')),
            ("/a b", RedirectError::Character(' ')),
            ("/a\r\nX: y", RedirectError::Character('\r')),
            ("/é", RedirectError::Character('é')),
            ("/{id}", RedirectError::Character('{')),
            ("/new*", RedirectError::StarNotLast),
            ("/new?x=/*", RedirectError::StarNotLast),
        ] {
            assert_eq!(fault(to, "/old/*"), Some(expected), "{to}");
        }
        assert_eq!(
            fault("/new/*", "/old").unwrap().to_string(),
            "`/old` has no `*`, so that the one of the target stands for nothing"
        );
        let pattern = PathPattern::parse("/a").unwrap();
        assert_eq!(
            Redirect::new("/b", 200, &pattern),
            Err(RedirectError::Status(200))
        );
    }
}
