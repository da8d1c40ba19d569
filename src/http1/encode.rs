//! What the encoders of requests and responses have in common: field values, edits, and the field
//! lines of an outgoing head.

use std::fmt;

use crate::http1::error::{EncodeError, FieldValueError};
use crate::http1::field_kind::FieldKind;
use crate::http1::fields::FieldLine;
use crate::http1::framing::BodyLength;
use crate::http1::grammar::{find_control, is_token, push_number, trim};

/// Changes to the fields of a message that is forwarded.
///
/// The codec writes added fields without a check. An implementation must ensure that each added
/// name [`may_be_edited`] and that no value contains a control character other than tab; otherwise
/// an edit could split a message or change where its body ends.
pub trait FieldEdits: fmt::Debug {
    /// Whether received fields with this name, in any case, are removed.
    fn drops(&self, name: &[u8]) -> bool;

    /// Calls `put` with name and value of each field that is appended to the received ones.
    fn each_added(&self, put: &mut dyn FnMut(&[u8], &[u8]));
}

/// Whether an edit may add or remove fields with this name: it is a token (RFC 9110 section 5.1),
/// and the codec does not write the field itself, for framing, routing or the connection.
#[must_use]
pub fn may_be_edited(name: &[u8]) -> bool {
    is_token(name) && !FieldKind::of(name).is_reserved()
}

/// A field value: no control character other than tab, and no white space at either end (RFC 9110
/// section 5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldValue<'a>(&'a [u8]);

impl<'a> FieldValue<'a> {
    /// Checks a value, and trims the white space at its ends.
    ///
    /// # Errors
    /// If it contains a control character other than tab.
    pub fn new(value: &'a [u8]) -> Result<Self, FieldValueError> {
        match find_control(value, 0) {
            Some(_) => Err(FieldValueError),
            None => Ok(Self(trim(value))),
        }
    }

    /// The trimmed value.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// The selection of received fields that are forwarded, and the edits to them.
#[derive(Debug)]
pub(super) struct ForwardedFields<'a> {
    /// Whether `Host` is forwarded. Default false.
    pub(super) includes_host: bool,
    includes_trailer: bool,
    edits: Option<&'a dyn FieldEdits>,
}

impl<'a> ForwardedFields<'a> {
    /// The selection for a message with this outgoing body: `Trailer` is forwarded if it is
    /// chunked.
    pub(super) fn new(edits: Option<&'a dyn FieldEdits>, body: BodyLength) -> Self {
        Self {
            includes_host: false,
            includes_trailer: body == BodyLength::Chunked,
            edits,
        }
    }

    fn includes(&self, kind: FieldKind, name: &[u8]) -> bool {
        let by_kind = match kind {
            FieldKind::Ordinary | FieldKind::Expect => true,
            FieldKind::Host => self.includes_host,
            FieldKind::Trailer => self.includes_trailer,
            FieldKind::ContentLength
            | FieldKind::TransferEncoding
            | FieldKind::Connection
            | FieldKind::Upgrade
            | FieldKind::Te
            | FieldKind::HopByHop => false,
        };
        by_kind && !self.edits.is_some_and(|edits| edits.drops(name))
    }

    /// Copies the selected lines unchanged, each run of adjacent ones at once, and appends the
    /// edits. `end` is where the last line ends.
    pub(super) fn copy_lines(
        &self,
        out: &mut Vec<u8>,
        bytes: &[u8],
        lines: &[FieldLine],
        end: usize,
    ) {
        let mut run = None;
        for line in lines {
            let start = line.name.start();
            if self.includes(line.kind, line.name.of(bytes)) {
                run = run.or(Some(start));
            } else if let Some(from) = run.take() {
                out.extend_from_slice(bytes.get(from..start).unwrap_or_default());
            }
        }
        if let Some(from) = run {
            out.extend_from_slice(bytes.get(from..end).unwrap_or_default());
        }
        self.write_edits(out);
    }

    /// Writes the selected fields and appends the edits. Several `Cookie` fields become one: HTTP/2
    /// may split them, HTTP/1.1 must not (RFC 9113 section 8.2.3).
    pub(super) fn write_pairs<'f>(
        &self,
        out: &mut Vec<u8>,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    ) -> Result<(), EncodeError> {
        let is_cookie = |name: &[u8]| name.eq_ignore_ascii_case(b"cookie");
        let mut cookies = 0;
        for (name, value) in fields.clone() {
            if !is_token(name) || find_control(value, 0).is_some() {
                return Err(EncodeError::Field);
            }
            if !self.includes(FieldKind::of(name), name) {
                continue;
            }
            if is_cookie(name) {
                cookies += 1;
            } else {
                write_field(out, name, value);
            }
        }
        if cookies > 0 {
            let mut before: &[u8] = b"cookie: ";
            for (_, value) in fields.filter(|(name, _)| is_cookie(name)) {
                out.extend_from_slice(before);
                out.extend_from_slice(value);
                before = b"; ";
            }
            out.extend_from_slice(b"\r\n");
        }
        self.write_edits(out);
        Ok(())
    }

    fn write_edits(&self, out: &mut Vec<u8>) {
        if let Some(edits) = self.edits {
            write_added(out, edits);
        }
    }
}

/// Writes the fields that `edits` add.
pub(super) fn write_added(out: &mut Vec<u8>, edits: &dyn FieldEdits) {
    edits.each_added(&mut |name, value| {
        debug_assert!(may_be_edited(name) && find_control(value, 0).is_none());
        write_field(out, name, value);
    });
}

pub(super) fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Writes the field that declares the body length, if one does.
pub(super) fn write_framing(out: &mut Vec<u8>, body: BodyLength) {
    match body {
        BodyLength::None | BodyLength::UntilClose => {}
        BodyLength::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        BodyLength::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            push_number(out, length, 10);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Writes `Connection` with `options`, if there are any, and with `Upgrade` if there is a protocol.
pub(super) fn write_connection(
    out: &mut Vec<u8>,
    options: &[&[u8]],
    upgrade: Option<FieldValue<'_>>,
) {
    let upgrade_option = upgrade.map(|_| &b"upgrade"[..]);
    let mut before: &[u8] = b"Connection: ";
    for option in options.iter().copied().chain(upgrade_option) {
        out.extend_from_slice(before);
        out.extend_from_slice(option);
        before = b", ";
    }
    if before == b", " {
        out.extend_from_slice(b"\r\n");
    }
    if let Some(protocol) = upgrade {
        write_field(out, b"Upgrade", protocol.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let check = |value: &'static [u8], expected: Result<&[u8], FieldValueError>| {
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
            check(value, Err(FieldValueError));
        }
    }
}
