//! What a route changes in a header, after all that the gateway itself does.

use crate::engine::policy::HeaderRules;
use crate::engine::policy::deprecation::Lifecycle;
use crate::engine::semantics::edit::Edits;

/// Puts the rules of a route into the edits: what goes, what is set, what is added.
///
/// Names that are [`is_reserved`] are passed over; a configuration that has them is to be refused
/// where it is read.
pub fn rule_edits(edits: &mut Edits, rules: &HeaderRules) {
    for name in rules.remove.iter().filter(|name| !is_reserved(name)) {
        edits.remove_named(name.as_bytes());
    }
    let kept = |(name, _): &&(Box<str>, Box<str>)| !is_reserved(name);
    for (name, value) in rules.set.iter().filter(kept) {
        edits.set_named(name.as_bytes(), value.as_bytes());
    }
    for (name, value) in rules.add.iter().filter(kept) {
        edits.add_named(name.as_bytes(), value.as_bytes());
    }
}

/// Whether no rule may touch a field, whose name is in any case: the codec makes it, as part of the
/// framing or for one connection only (RFC 9110, section 7.6.1; RFC 9113, section 8.2.2), or for
/// each try, as `host`, which a route may have rewritten all the same:
/// [`upstream_host`](crate::engine::semantics::authority::upstream_host) minds it.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 12] = [
        "connection",
        "content-length",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    name.starts_with(':') || RESERVED.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Puts `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` of a version into the edits of a
/// response. The dates are the gateway's, whatever the backend says; the link comes beside others.
pub fn lifecycle_edits(edits: &mut Edits, lifecycle: &Lifecycle) {
    for (name, value) in lifecycle.headers() {
        if name == "link" {
            edits.add(name, value.as_bytes());
        } else {
            edits.set(name, value.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::semantics::tests::told;

    fn rules(lines: &[&str]) -> HeaderRules {
        let mut rules = HeaderRules::default();
        for line in lines {
            let (sign, rest) = line.split_at(1);
            let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
            match sign {
                "-" => rules.remove.push(name.into()),
                "!" => rules.set.push((name.into(), value.into())),
                _ => rules.add.push((name.into(), value.into())),
            }
        }
        rules
    }

    #[test]
    fn rules_come_last() {
        let check = |lines: &[&str], expected: &[&str]| {
            let headers = [("X-A", "1"), ("x-b", "2"), ("X-A", "3")];
            let mut edits = Edits::new();
            edits.set("x-own", b"gateway");
            rule_edits(&mut edits, &rules(lines));
            let told = told(&edits, &headers[..]).into_iter();
            let got: Vec<_> = told
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(got, expected, "{lines:?}");
        };
        check(&[], &["x-a=1", "x-b=2", "x-a=3", "x-own=gateway"]);
        check(&["-x-a"], &["x-b=2", "x-own=gateway"]);
        check(&["-x-own", "!x-a=9"], &["x-b=2", "x-a=9"]);
        check(&["!x-own=mine", "-x-a"], &["x-b=2", "x-own=mine"]);
        check(&["+x-b=4", "-x-b", "-x-a"], &["x-own=gateway", "x-b=4"]);
        check(
            &["!connection=x-own", "-transfer-encoding", "+host=a", "-x-a"],
            &["x-b=2", "x-own=gateway"],
        );
    }

    #[test]
    fn the_end_of_a_version() {
        let life = Lifecycle::new(Some("2026-01-31"), None, Some("https://a.test/v2"));
        let headers = [("Deprecation", "@1"), ("Link", "</>; rel=\"up\"")];
        let mut edits = Edits::new();
        lifecycle_edits(&mut edits, &life.unwrap().unwrap());
        let own = "<https://a.test/v2>; rel=\"deprecation\"";
        assert_eq!(
            told(&edits, &headers[..]),
            [
                ("link", "</>; rel=\"up\""),
                ("deprecation", "@1769817600"),
                ("link", own),
            ]
            .map(|(name, value)| (name.into(), value.into()))
        );
    }
}
