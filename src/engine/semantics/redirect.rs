//! The answer of a listener that sends all to https.

use crate::engine::edit::Edits;
use crate::engine::semantics::authority::is_authority;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn location(edits: &Edits) -> &str {
        std::str::from_utf8(edits.value_of("location").unwrap()).unwrap()
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
