//! Constraints of a route on header fields and query parameters.

use std::fmt;

use crate::engine::request::Headers;

/// A constraint on one header field or query parameter. If that occurs more than once, one
/// occurrence must satisfy it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Constraint {
    /// The name: in lower case for a header field (RFC 9110, section 5.1), case-sensitive for a
    /// query parameter.
    pub name: Box<str>,
    /// The test of the value.
    pub test: ValueTest,
}

/// A test of a value. Comparison is byte by byte and case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueTest {
    /// The value equals this text.
    Exact(Box<str>),
    /// The value starts with this text.
    Prefix(Box<str>),
    /// Any value, even an empty one.
    Present,
}

impl ValueTest {
    /// Whether every value that satisfies `other` also satisfies this test.
    #[must_use]
    pub fn is_implied_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Present, _) => true,
            (Self::Exact(a), Self::Exact(b)) => a == b,
            (Self::Prefix(a), Self::Exact(b) | Self::Prefix(b)) => b.starts_with(&**a),
            (Self::Prefix(a), Self::Present) => a.is_empty(),
            (Self::Exact(_), Self::Prefix(_) | Self::Present) => false,
        }
    }

    /// Whether no value satisfies both tests.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a != b,
            (Self::Exact(value), Self::Prefix(prefix))
            | (Self::Prefix(prefix), Self::Exact(value)) => !value.starts_with(&**prefix),
            (Self::Prefix(a), Self::Prefix(b)) => !a.starts_with(&**b) && !b.starts_with(&**a),
            (Self::Present, _) | (_, Self::Present) => false,
        }
    }

    /// A value that satisfies the test.
    #[must_use]
    pub fn example(&self) -> &str {
        match self {
            Self::Exact(value) | Self::Prefix(value) => value,
            Self::Present => "1",
        }
    }

    fn admits(&self, mut value: impl Iterator<Item = u8>) -> bool {
        match self {
            Self::Present => true,
            Self::Exact(exact) => exact
                .bytes()
                .map(Some)
                .chain([None])
                .all(|b| value.next() == b),
            Self::Prefix(prefix) => prefix.bytes().all(|b| value.next() == Some(b)),
        }
    }
}

impl Constraint {
    /// Whether a field of this name satisfies the test. Ignores spaces and tabs around values (RFC
    /// 9110, section 5.5).
    pub fn admits_headers<H: Headers + ?Sized>(&self, headers: &H) -> bool {
        headers.fields().any(|(name, value)| {
            name.eq_ignore_ascii_case(self.name.as_bytes())
                && self.test.admits(trim_ows(value).iter().copied())
        })
    }

    /// Whether a parameter of this name satisfies the test. Names and values are percent-decoded
    /// first, with `+` as a space (WHATWG URL, section 5.1).
    #[must_use]
    pub fn admits_query(&self, query: Option<&str>) -> bool {
        query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .any(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                decoded(name).eq(self.name.bytes()) && self.test.admits(decoded(value))
            })
    }

    /// Whether every request that satisfies all of `others` also satisfies this constraint.
    pub(crate) fn is_implied_by(&self, others: &[Self]) -> bool {
        others
            .iter()
            .any(|other| other.name == self.name && self.test.is_implied_by(&other.test))
    }
}

impl fmt::Display for Constraint {
    /// `name=value`, `name=value…` or `name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            ValueTest::Exact(value) => write!(f, "{}={value}", self.name),
            ValueTest::Prefix(value) => write!(f, "{}={value}…", self.name),
            ValueTest::Present => f.write_str(&self.name),
        }
    }
}

/// A field value without surrounding optional white space (RFC 9110, section 5.6.3).
pub(crate) fn trim_ows(value: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let Some(from) = value.iter().position(|b| !blank(b)) else {
        return &[];
    };
    let to = value
        .iter()
        .rposition(|b| !blank(b))
        .map_or(0, |last| last + 1);
    value.get(from..to).unwrap_or(value)
}

/// The decoded bytes of a form-encoded name or value. Invalid escapes are left unchanged.
fn decoded(text: &str) -> impl Iterator<Item = u8> + '_ {
    let mut bytes = text.bytes();
    std::iter::from_fn(move || {
        let byte = bytes.next()?;
        if byte == b'+' {
            return Some(b' ');
        }
        let mut ahead = bytes.clone();
        if byte == b'%'
            && let (Some(high), Some(low)) = (hex(ahead.next()), hex(ahead.next()))
        {
            bytes = ahead;
            return Some(high << 4 | low);
        }
        Some(byte)
    })
}

fn hex(byte: Option<u8>) -> Option<u8> {
    match byte? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(name: &str, value: &str) -> Constraint {
        Constraint {
            name: name.into(),
            test: ValueTest::Exact(value.into()),
        }
    }

    fn prefix(name: &str, value: &str) -> Constraint {
        Constraint {
            name: name.into(),
            test: ValueTest::Prefix(value.into()),
        }
    }

    fn present(name: &str) -> Constraint {
        Constraint {
            name: name.into(),
            test: ValueTest::Present,
        }
    }

    #[test]
    fn headers() {
        let headers = [
            ("X-Tenant", " acme\t"),
            ("x-tenant", "other"),
            ("X-Empty", ""),
        ];
        let check = |constraint: Constraint, expected: bool| {
            assert_eq!(
                constraint.admits_headers(&headers[..]),
                expected,
                "{constraint}"
            );
        };
        check(exact("x-tenant", "acme"), true);
        check(exact("x-tenant", "other"), true);
        check(exact("x-tenant", "Acme"), false);
        check(exact("x-tenant", "acm"), false);
        check(prefix("x-tenant", "oth"), true);
        check(prefix("x-tenant", "acme corp"), false);
        check(present("x-empty"), true);
        check(exact("x-empty", ""), true);
        check(present("x-absent"), false);
    }

    #[test]
    fn queries() {
        let query = Some("a=1&b&c=x%20y&d=p+q&e=%zz&f%5B%5D=7&&a=2");
        let check = |constraint: Constraint, expected: bool| {
            assert_eq!(constraint.admits_query(query), expected, "{constraint}");
        };
        check(exact("a", "1"), true);
        check(exact("a", "2"), true);
        check(exact("a", "12"), false);
        check(present("b"), true);
        check(exact("b", ""), true);
        check(exact("c", "x y"), true);
        check(exact("d", "p q"), true);
        check(exact("e", "%zz"), true);
        check(exact("f[]", "7"), true);
        check(present(""), false);
        check(present("g"), false);
        assert!(!present("a").admits_query(None));
    }

    #[test]
    fn implication() {
        let implied = |a: &Constraint, b: &Constraint| a.test.is_implied_by(&b.test);
        assert!(implied(&present("x"), &exact("x", "a")));
        assert!(implied(&prefix("x", "a"), &exact("x", "ab")));
        assert!(implied(&prefix("x", "a"), &prefix("x", "ab")));
        assert!(implied(&prefix("x", ""), &present("x")));
        assert!(!implied(&prefix("x", "a"), &present("x")));
        assert!(!implied(&exact("x", "a"), &prefix("x", "a")));
    }
}
