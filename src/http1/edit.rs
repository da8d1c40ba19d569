//! What the gateway changes in the fields of a message that it passes on.
//!
//! The types are the check: a [`FieldName`] and a [`FieldValue`] cannot hold a line end, so no edit
//! can split a message in two, whatever text a configuration or a client put into it; and a name
//! that frames a message, routes it, or speaks of this connection alone cannot be made at all. Those
//! fields are written by the codec.

use thiserror::Error;

use crate::http1::grammar::{find_control, is_token, trim};
use crate::http1::kind::FieldKind;

/// The name of a field: a token (RFC 9110 section 5.1), compared without case, and none of those
/// that the codec writes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldName<'a>(&'a [u8]);

/// The value of a field: no control but tabs, no white space at either end (RFC 9110 section 5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldValue<'a>(&'a [u8]);

/// One change. A later one sees what those before it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit<'a> {
    /// Takes every field of this name away.
    Remove {
        /// Which.
        name: FieldName<'a>,
    },
    /// Takes every field of this name away, and puts one in their place, at the end.
    Set {
        /// Which.
        name: FieldName<'a>,
        /// What it is to be.
        value: FieldValue<'a>,
    },
    /// Puts a field at the end, beside those of this name.
    Add {
        /// Which.
        name: FieldName<'a>,
        /// What it is to be.
        value: FieldValue<'a>,
    },
}

/// What cannot be the name or the value of a field in an edit.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EditFault {
    /// Not a token.
    #[error("a field name must be letters, digits and !#$%&'*+-.^_`|~")]
    Name,
    /// `Host`, `Content-Length`, `Transfer-Encoding`, `Connection` and their like.
    #[error(
        "this field frames or routes the message or belongs to the connection; the gateway writes it itself"
    )]
    Reserved,
    /// A control, such as a line end.
    #[error("a field value must have no controls but tabs")]
    Value,
}

impl EditFault {
    /// A stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "http1.edit_name",
            Self::Reserved => "http1.edit_reserved",
            Self::Value => "http1.edit_value",
        }
    }
}

impl<'a> FieldName<'a> {
    /// Checks a name.
    ///
    /// # Errors
    /// If it is no token, or reserved.
    pub fn new(name: &'a [u8]) -> Result<Self, EditFault> {
        if !is_token(name) {
            return Err(EditFault::Name);
        }
        if FieldKind::of(name).is_reserved() {
            return Err(EditFault::Reserved);
        }
        Ok(Self(name))
    }

    /// As it was given.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    pub(crate) const fn is(self, name: &[u8]) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }
}

impl<'a> FieldValue<'a> {
    /// Checks a value, and takes the white space off its ends.
    ///
    /// # Errors
    /// If it has a control.
    pub fn new(value: &'a [u8]) -> Result<Self, EditFault> {
        match find_control(value, 0) {
            Some(_) => Err(EditFault::Value),
            None => Ok(Self(trim(value))),
        }
    }

    /// As it will be sent.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Edit<'a> {
    pub(crate) const fn name(&self) -> FieldName<'a> {
        match self {
            Self::Remove { name } | Self::Set { name, .. } | Self::Add { name, .. } => *name,
        }
    }

    /// Whether fields of this name that stood there before are gone.
    pub(crate) const fn replaces(&self) -> bool {
        matches!(self, Self::Remove { .. } | Self::Set { .. })
    }

    pub(crate) const fn value(&self) -> Option<FieldValue<'a>> {
        match self {
            Self::Remove { .. } => None,
            Self::Set { value, .. } | Self::Add { value, .. } => Some(*value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |name: &[u8], expected: Option<EditFault>| {
            assert_eq!(FieldName::new(name).err(), expected, "{name:?}");
        };
        check(b"X-Request-Id", None);
        check(b"Trailer", None);
        for name in [
            &b""[..],
            b"a b",
            b"a:",
            b"a\r\nb",
            b"a\nb",
            b"\xc3\xa9",
            b"a\0",
        ] {
            check(name, Some(EditFault::Name));
        }
        for name in [
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
            check(name.as_bytes(), Some(EditFault::Reserved));
        }
    }

    #[test]
    fn values() {
        let check = |value: &'static [u8], expected: Result<&[u8], EditFault>| {
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
            check(value, Err(EditFault::Value));
        }
    }
}
