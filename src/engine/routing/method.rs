//! Request methods (RFC 9110, section 9) and the sets of methods that routes admit.

use std::fmt;

use thiserror::Error;

/// The methods of RFC 9110 and RFC 5789, in the order of their bits in a `MethodMask`.
pub(crate) const STANDARD_METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// The method of one request. Methods are case-sensitive (RFC 9110, section 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method<'a> {
    text: &'a str,
    bit: MethodMask,
}

/// An invalid method.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MethodError {
    /// The method is empty.
    #[error("the method is empty; write one such as GET")]
    Empty,
    /// A character that is invalid in tokens (RFC 9110, section 5.6.2).
    #[error("the method {text:?} has {found:?} at byte {at}; a method is a token such as GET")]
    NotToken {
        /// The method as received, truncated to 40 characters.
        text: String,
        /// The first invalid character.
        found: char,
        /// The byte offset of that character.
        at: usize,
    },
}

/// The methods that a route admits, as the configuration lists them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MethodSet {
    /// These methods, sorted and distinct; never empty.
    Listed(Box<[Box<str>]>),
    /// Every method.
    Any,
}

/// A bit set of methods in two bytes, which the hot path tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MethodMask(u16);

impl<'a> Method<'a> {
    /// Parses a method.
    ///
    /// # Errors
    /// If `text` is not a token.
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

    /// The method as received.
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
    /// A set of these methods.
    pub fn listed<'m>(methods: impl IntoIterator<Item = Method<'m>>) -> Self {
        let mut listed: Vec<Box<str>> = methods
            .into_iter()
            .map(|method| method.as_str().into())
            .collect();
        listed.sort_unstable();
        listed.dedup();
        Self::Listed(listed.into())
    }

    /// Whether the set contains this method; `GET` does not imply `HEAD` here.
    #[must_use]
    pub fn lists(&self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed.iter().any(|listed| **listed == *method),
        }
    }

    /// The listed methods; empty for [`MethodSet::Any`].
    #[must_use]
    pub fn as_listed(&self) -> &[Box<str>] {
        match self {
            Self::Any => &[],
            Self::Listed(listed) => listed,
        }
    }

    /// The number of methods, for the order of precedence; `usize::MAX` for [`MethodSet::Any`].
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Any => usize::MAX,
            Self::Listed(listed) => listed.len(),
        }
    }

    /// The bit set of the methods, without the `HEAD` that `GET` implies.
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
    /// All methods other than the standard ones, which must be compared by name.
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

/// Whether a character is a `tchar` (RFC 9110, section 5.6.2).
pub(crate) fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_methods_have_their_own_bits() {
        let mut union = MethodMask(0);
        for text in STANDARD_METHODS {
            let method = Method::parse(text).unwrap();
            assert!(!union.meets(method.bit()), "{text}");
            assert!(!method.is_extension());
            union = union.with(method.bit());
        }
        assert!(Method::parse("get").unwrap().is_extension());
    }

    #[test]
    fn errors_name_the_invalid_character() {
        let error = |text| Method::parse(text).unwrap_err().to_string();
        assert_eq!(error(""), "the method is empty; write one such as GET");
        assert_eq!(
            error("GE T"),
            "the method \"GE T\" has ' ' at byte 2; a method is a token such as GET"
        );
    }

    #[test]
    fn a_set_is_sorted_and_distinct() {
        let set = MethodSet::listed(["POST", "GET", "POST"].map(|m| Method::parse(m).unwrap()));
        assert_eq!((set.to_string().as_str(), set.count()), ("GET,POST", 2));
        assert!(set.lists("GET") && !set.lists("HEAD"));
        assert_eq!(MethodSet::Any.to_string(), "any");
    }
}
