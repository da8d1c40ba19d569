//! Header rules: changes to the header of requests or responses, applied after those of the
//! gateway.

use crate::engine::semantics::Edits;

/// Changes to a header, applied in the order of the fields. Names are in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HeaderRules {
    /// Fields to remove.
    pub remove: Vec<Box<str>>,
    /// Fields to replace with one of this value.
    pub set: Vec<(Box<str>, Box<str>)>,
    /// Fields to append.
    pub add: Vec<(Box<str>, Box<str>)>,
}

impl HeaderRules {
    /// Whether there are no rules.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }

    /// The value set for `host`, which the codec writes with the request line, not as an edit.
    pub(super) fn host(&self) -> Option<&str> {
        let mut set = self.set.iter().rev();
        set.find(|(name, _)| &**name == "host")
            .map(|(_, value)| &**value)
    }

    /// Adds the changes to the edits.
    ///
    /// Skips [reserved](is_reserved) names. Loading a configuration that has them fails.
    pub fn apply(&self, edits: &mut Edits) {
        for name in self.remove.iter().filter(|name| !is_reserved(name)) {
            edits.remove_named(name.as_bytes());
        }
        let allowed = |(name, _): &&(Box<str>, Box<str>)| !is_reserved(name);
        for (name, value) in self.set.iter().filter(allowed) {
            edits.set_named(name.as_bytes(), value.as_bytes());
        }
        for (name, value) in self.add.iter().filter(allowed) {
            edits.add_named(name.as_bytes(), value.as_bytes());
        }
    }

    /// What the rules do, in one sentence.
    pub(super) fn explain(&self, message: &str) -> String {
        let names = |fields: &[(Box<str>, Box<str>)]| {
            let names = fields.iter().map(|(name, _)| &**name);
            names.collect::<Vec<_>>().join(", ")
        };
        let parts = [
            ("removes", self.remove.join(", ")),
            ("sets", names(&self.set)),
            ("adds", names(&self.add)),
        ];
        let parts = parts.iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<_> = parts
            .map(|(verb, names)| format!("{verb} {names}"))
            .collect();
        format!("{message}: {}", parts.join("; "))
    }
}

/// Whether rules must not change a field (the name in any case). The codec writes these fields:
/// those of framing and of the connection (RFC 9110, section 7.6.1; RFC 9113, section 8.2.2), and
/// `host`, which depends on the attempt.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::semantics::tests::applied;

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
    fn rules_apply_last() {
        let check = |lines: &[&str], expected: &[&str]| {
            let headers = [("X-A", "1"), ("x-b", "2"), ("X-A", "3")];
            let mut edits = Edits::new();
            edits.set("x-own", b"gateway");
            rules(lines).apply(&mut edits);
            let fields = applied(&edits, &headers[..]).into_iter();
            let got: Vec<_> = fields
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
}
