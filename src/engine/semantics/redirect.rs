//! Answers that send the client elsewhere.

use crate::engine::edit::Edits;
use crate::engine::pattern::PathPattern;
use crate::engine::policy::Redirect;
use crate::engine::semantics::authority::is_authority;

/// Answers by a route's own redirect: `Location`, and the status. The edits are cleared before.
///
/// `path` is the normal path that was matched, and `pattern` the pattern it matched: what its `*`
/// took stands for a final `*` of the redirect. The query goes along, unless the redirect has one.
pub fn redirect_answer(
    edits: &mut Edits,
    redirect: &Redirect,
    pattern: &PathPattern,
    path: &str,
    query: Option<&str>,
) -> u16 {
    edits.clear();
    edits.set_with("location", |to| {
        match redirect.to.strip_suffix('*') {
            Some(beginning) => {
                to.push(beginning.as_bytes());
                to.push(rest(pattern, path).as_bytes());
            }
            None => to.push(redirect.to.as_bytes()),
        }
        if let Some(query) = query.filter(|_| !redirect.to.contains('?')) {
            to.push(b"?");
            to.push(query.as_bytes());
        }
    });
    redirect.status
}

/// Answers a request on a listener that sends all to https: the same host and target, the port left
/// out if it is 443, and the status 308, which keeps the method. The edits are cleared before.
///
/// None if the request names no host to go to, or the target is no path: that is a 400.
pub fn https_answer(edits: &mut Edits, host: Option<&str>, target: &str, port: u16) -> Option<u16> {
    edits.clear();
    let host = host.filter(|host| is_authority(host.as_bytes()) && target.starts_with('/'))?;
    let name = match host.rsplit_once(':') {
        Some((name, _)) if !host.ends_with(']') => name,
        _ => host,
    };
    edits.set_with("location", |to| {
        to.push(b"https://");
        to.push(name.as_bytes());
        if port != 443 {
            to.push(b":");
            to.push_decimal(port.into());
        }
        to.push(target.as_bytes());
    });
    Some(308)
}

/// What the `*` of a pattern took of a path, without the slash before it.
fn rest<'p>(pattern: &PathPattern, path: &'p str) -> &'p str {
    let Some(fixed) = pattern.as_str().strip_suffix('*') else {
        return "";
    };
    let before = fixed.matches('/').count();
    let slash = path.match_indices('/').nth(before.saturating_sub(1));
    slash.map_or("", |(at, _)| path.get(at + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(edits: &Edits) -> &str {
        std::str::from_utf8(edits.value_of("location").unwrap()).unwrap()
    }

    #[test]
    fn of_a_route() {
        let check = |to: &str, pattern, path, query, expected| {
            let redirect = Redirect {
                to: to.into(),
                status: 301,
            };
            let pattern = PathPattern::parse(pattern).unwrap();
            let mut edits = Edits::new();
            let status = redirect_answer(&mut edits, &redirect, &pattern, path, query);
            assert_eq!((status, location(&edits)), (301, expected));
        };
        check("/new", "/old", "/old", None, "/new");
        check("/new/*", "/old/*", "/old/a/b", Some("x=1"), "/new/a/b?x=1");
        check("/new/*", "/old/*", "/old", None, "/new/");
        check("/new/*", "/old/*", "/old/", None, "/new/");
        check(
            "https://b.test/*",
            "/*",
            "/a/b/",
            None,
            "https://b.test/a/b/",
        );
        check("/n/*", "/a/{id}/*", "/a/7/x/y", None, "/n/x/y");
        check("/n?y=2", "/old/*", "/old/a", Some("x=1"), "/n?y=2");
        check("/n/*", "/old", "/old", Some(""), "/n/?");
    }

    #[test]
    fn to_https() {
        let check = |host, target, port, expected: Option<&str>| {
            let mut edits = Edits::new();
            let status = https_answer(&mut edits, host, target, port);
            assert_eq!(status, expected.map(|_| 308));
            assert_eq!(expected, status.map(|_| location(&edits)));
        };
        check(Some("a.test:80"), "/x?y", 443, Some("https://a.test/x?y"));
        check(Some("[::1]:80"), "/", 8443, Some("https://[::1]:8443/"));
        check(Some("[::1]"), "/", 443, Some("https://[::1]/"));
        check(Some("a b"), "/", 443, None);
        check(Some("a.test"), "*", 443, None);
        check(None, "/", 443, None);
    }
}
