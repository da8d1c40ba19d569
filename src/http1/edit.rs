//! What the gateway changes in the fields of a message that it passes on, and values that it writes
//! into it.

use std::fmt;

use thiserror::Error;

use crate::http1::grammar::{find_control, is_token, trim};
use crate::http1::kind::FieldKind;

/// Changes of the fields that are passed on.
///
/// Whoever implements it answers for it that each name that is added [`may_be_edited`] and no value
/// has a control but the tab, so that no edit can split a message in two or move the end of its
/// body: they are written as they are.
pub trait FieldEdits: fmt::Debug {
    /// Whether fields that came under this name, in any case, are left out.
    fn drops(&self, name: &[u8]) -> bool;

    /// Gives each field, name and value, that is put behind those that came.
    fn each_added(&self, put: &mut dyn FnMut(&[u8], &[u8]));
}

/// Whether an edit may name a field: it is a token (RFC 9110 section 5.1), and none of those that
/// the codec writes itself, as they frame a message, route it, or speak of this connection alone.
#[must_use]
pub fn may_be_edited(name: &[u8]) -> bool {
    is_token(name) && !FieldKind::of(name).is_reserved()
}

/// The value of a field: no control but tabs, no white space at either end (RFC 9110 section 5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldValue<'a>(&'a [u8]);

/// What cannot be the value of a field: it has a control, such as a line end.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a field value must have no controls but tabs")]
pub struct ValueError;

impl<'a> FieldValue<'a> {
    /// Checks a value, and takes the white space off its ends.
    ///
    /// # Errors
    /// If it has a control.
    pub fn new(value: &'a [u8]) -> Result<Self, ValueError> {
        match find_control(value, 0) {
            Some(_) => Err(ValueError),
            None => Ok(Self(trim(value))),
        }
    }

    /// As it will be sent.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edits as texts: `-name` drops, `name: value` adds.
    impl FieldEdits for &[&str] {
        fn drops(&self, name: &[u8]) -> bool {
            let mut dropped = self.iter().filter_map(|edit| edit.strip_prefix('-'));
            dropped.any(|own| own.as_bytes().eq_ignore_ascii_case(name))
        }

        fn each_added(&self, put: &mut dyn FnMut(&[u8], &[u8])) {
            for (name, value) in self.iter().filter_map(|edit| edit.split_once(": ")) {
                put(name.as_bytes(), value.as_bytes());
            }
        }
    }

    #[test]
    fn names() {
        for name in ["X-Request-Id", "Trailer", "via"] {
            assert!(may_be_edited(name.as_bytes()), "{name}");
        }
        for name in [
            "",
            "a b",
            "a:",
            "a\r\nb",
            "a\nb",
            "\u{e9}",
            "a\0",
            "host",
            "Content-Length",
            "TRANSFER-ENCODING",
            "connection",
            "keep-alive",
            "te",
            "upgrade",
            "proxy-connection",
            "proxy-authorization",
        ] {
            assert!(!may_be_edited(name.as_bytes()), "{name:?}");
        }
    }

    #[test]
    fn values() {
        let check = |value: &'static [u8], expected: Result<&[u8], ValueError>| {
            assert_eq!(
                FieldValue::new(value).map(FieldValue::as_bytes),
                expected,
                "{value:?}"
            );
        };
        check(b" a\tb ", Ok(b"a\tb"));
        check(b"", Ok(b""));
        check(b"\xff", Ok(b"\xff"));
        for value in [&b"a\r\nSet-Cookie: x"[..], b"\n", b"a\r", b"a\0b", b"\x7f"] {
            check(value, Err(ValueError));
        }
    }
}
