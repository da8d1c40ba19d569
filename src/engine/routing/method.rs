//! Request methods (RFC 9110, section 9) and the sets of them that routes admit.

use std::fmt;

use thiserror::Error;

/// The methods of RFC 9110 and RFC 5789, in the order of their bits in a `MethodMask`.
pub const STANDARD_METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// The method of one request. Methods are case-sensitive (RFC 9110, section 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method<'a> {
    text: &'a str,
    bit: MethodMask,
}

/// A method that is no token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MethodError {
    /// Nothing stands where the method should.
    #[error("the method is empty; write one such as GET")]
    Empty,
    /// A byte that RFC 9110, section 5.6.2, does not allow in a token.
    #[error("the method {text:?} has {found:?} at byte {at}; a method is a token such as GET")]
    NotToken {
        /// The method as it came.
        text: String,
        /// The first character that cannot stand in a method.
        found: char,
        /// Its byte offset.
        at: usize,
    },
}

/// The methods that a route admits, as the configuration lists them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MethodSet {
    /// Those listed, sorted and without repetition; never empty.
    Listed(Box<[Box<str>]>),
    /// Every method.
    Any,
}

/// Nine standard methods and two marks in two bytes: the test of the hot path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MethodMask(u16);

impl<'a> Method<'a> {
    /// Reads a method.
    ///
    /// # Errors
    /// If `text` is no token.
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, MethodError> {
        match MethodMask::of_standard(text) {
            Some(bit) => Ok(Self { text, bit }),
            None => Self::parse_extension(text),
        }
    }

    #[cold]
    fn parse_extension(text: &'a str) -> Result<Self, MethodError> {
        if text.is_empty() {
            return Err(MethodError::Empty);
        }
        match text
            .char_indices()
            .find(|&(_, found)| !is_token_char(found))
        {
            Some((at, found)) => Err(MethodError::NotToken {
                text: text.chars().take(40).collect(),
                found,
                at,
            }),
            None => Ok(Self {
                text,
                bit: MethodMask::EXTENSION,
            }),
        }
    }

    /// The method as it came.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    pub(crate) const fn bit(self) -> MethodMask {
        self.bit
    }

    pub(crate) fn is_extension(self) -> bool {
        self.bit == MethodMask::EXTENSION
    }
}

impl MethodSet {
    /// A set of the given methods, in any order; each must be a token.
    pub fn listed<'m>(methods: impl IntoIterator<Item = Method<'m>>) -> Self {
        let mut listed: Vec<Box<str>> = methods
            .into_iter()
            .map(|method| method.as_str().into())
            .collect();
        listed.sort_unstable();
        listed.dedup();
        Self::Listed(listed.into())
    }

    /// Whether the set names this method: `HEAD` is not implied here.
    #[must_use]
    pub fn lists(&self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed.iter().any(|one| **one == *method),
        }
    }

    /// The methods listed; none if any is admitted.
    #[must_use]
    pub fn as_listed(&self) -> &[Box<str>] {
        match self {
            Self::Any => &[],
            Self::Listed(listed) => listed,
        }
    }

    /// For the order of precedence: the fewer the first, any is more than all.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Any => usize::MAX,
            Self::Listed(listed) => listed.len(),
        }
    }

    /// The mask of the methods listed, without what `GET` implies.
    pub(crate) fn mask(&self) -> MethodMask {
        match self {
            Self::Any => MethodMask::ANY,
            Self::Listed(listed) => listed.iter().fold(MethodMask(0), |mask, method| {
                mask.with(MethodMask::of_standard(method).unwrap_or(MethodMask::EXTENSION))
            }),
        }
    }
}

impl fmt::Display for MethodSet {
    /// `GET,POST`, or `any`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Listed(listed) => f.write_str(&listed.join(",")),
        }
    }
}

impl MethodMask {
    pub(crate) const ANY: Self = Self(u16::MAX);
    pub(crate) const GET: Self = Self(1);
    pub(crate) const HEAD: Self = Self(1 << 1);
    /// Stands for all methods beyond the standard ones: their names must be looked at.
    const EXTENSION: Self = Self(1 << 14);

    #[inline]
    fn of_standard(text: &str) -> Option<Self> {
        let bit = match text {
            "GET" => 0,
            "HEAD" => 1,
            "POST" => 2,
            "PUT" => 3,
            "DELETE" => 4,
            "CONNECT" => 5,
            "OPTIONS" => 6,
            "TRACE" => 7,
            "PATCH" => 8,
            _ => return None,
        };
        Some(Self(1 << bit))
    }

    #[inline]
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A `tchar` of RFC 9110, section 5.6.2.
pub(crate) fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_methods_have_their_own_bits() {
        let mut seen = MethodMask(0);
        for text in STANDARD_METHODS {
            let method = Method::parse(text).unwrap();
            assert!(!seen.meets(method.bit()), "{text}");
            assert!(!method.is_extension());
            seen = seen.with(method.bit());
        }
        assert!(Method::parse("get").unwrap().is_extension());
    }

    #[test]
    fn faults_say_what_is_wrong() {
        let fault = |text| Method::parse(text).unwrap_err().to_string();
        assert_eq!(fault(""), "the method is empty; write one such as GET");
        assert_eq!(
            fault("GE T"),
            "the method \"GE T\" has ' ' at byte 2; a method is a token such as GET"
        );
    }

    #[test]
    fn a_set_is_sorted_and_without_repetition() {
        let set = MethodSet::listed(["POST", "GET", "POST"].map(|m| Method::parse(m).unwrap()));
        assert_eq!((set.to_string().as_str(), set.count()), ("GET,POST", 2));
        assert!(set.lists("GET") && !set.lists("HEAD"));
        assert_eq!(MethodSet::Any.to_string(), "any");
    }
}
