//! Redirects: responses in place of a backend that send the client to another URL.
//!
//! A `Location` contains no control bytes. Its host is from the configuration or absent, and never
//! from the request.

use thiserror::Error;

use crate::engine::policy::verdict::Verdict;
use crate::engine::routing::{Decision, PathPattern};

/// A redirect. [`Redirect::new`] validates the target.
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
    /// The target is neither a URL nor a path.
    #[error(
        "`{0}` is not a target; write a path such as /new or a URL such as https://example.com/"
    )]
    NotTarget(String),
    /// A path that begins with two slashes: browsers read a host from it.
    #[error("browsers read a host from `{0}`; begin the path with one slash")]
    TwoSlashes(String),
    /// A character that must be percent-encoded in a URL.
    #[error("the target has {0:?}; percent-encode it")]
    Character(char),
    /// A `*` that is not the whole last segment of a path.
    #[error("`*` is allowed only as the whole last segment of a path, as in /new/*")]
    StarNotLast,
    /// A `*`, although the pattern has none.
    #[error("the target ends with `*`, but the pattern `{0}` does not")]
    NoRest(String),
    /// A status that is not a redirect.
    #[error("{0} is not a redirect status; write 301, 302, 303, 307 or 308")]
    Status(u16),
}

impl Redirect {
    /// The statuses that a redirect may have.
    pub const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

    /// A redirect of the requests that `pattern` matches.
    ///
    /// # Errors
    /// If the status is not one of [`Redirect::STATUSES`], or `to` is neither a URL nor a path that
    /// begins with `/`, or ends with `*` while the pattern does not.
    pub fn new(to: &str, status: u16, pattern: &PathPattern) -> Result<Self, RedirectError> {
        if !Self::STATUSES.contains(&status) {
            return Err(RedirectError::Status(status));
        }
        let is_invalid = |c: &char| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(*c);
        if let Some(invalid) = to.chars().find(is_invalid) {
            return Err(RedirectError::Character(invalid));
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

    /// What the policy does, in one sentence.
    pub(super) fn explain(&self) -> String {
        format!("redirects to {} with {}", self.to, self.status)
    }

    /// The `Location` for a request: a URL, or a path of this host. Includes the query of the
    /// request unless the target has a query or a fragment.
    #[must_use]
    pub fn location(&self, decision: &Decision<'_>) -> String {
        let mut location = match self.to.strip_suffix("/*") {
            None => String::from(&*self.to),
            // The rest is empty or begins with exactly one slash.
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

/// Whether the text begins with a host and an optional port, without user information.
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

    fn error(to: &str, pattern: &str) -> Option<RedirectError> {
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
            assert_eq!(error(to, "/old/*"), None, "{to}");
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
            assert_eq!(error(to, "/old/*"), Some(expected), "{to}");
        }
        assert_eq!(
            error("/new/*", "/old").unwrap().to_string(),
            "the target ends with `*`, but the pattern `/old` does not"
        );
        let pattern = PathPattern::parse("/a").unwrap();
        assert_eq!(
            Redirect::new("/b", 200, &pattern),
            Err(RedirectError::Status(200))
        );
    }
}
