//! Field lines out: what all heads that are sent have in common.

use crate::http1::edit::{FieldEdits, FieldValue, may_be_edited};
use crate::http1::field_section::FieldLine;
use crate::http1::grammar::{find_control, is_token, push_number};
use crate::http1::kind::FieldKind;
use crate::http1::length::BodyLength;
use crate::http1::send_error::SendError;

/// Which of the fields that came are passed on, and what is put to them.
#[derive(Debug)]
pub(crate) struct Passing<'a> {
    /// Whether `Host` is.
    pub(crate) host: bool,
    /// Whether `Trailer` is.
    pub(crate) trailer: bool,
    edits: Option<&'a dyn FieldEdits>,
}

impl<'a> Passing<'a> {
    pub(crate) fn new(edits: Option<&'a dyn FieldEdits>, body: BodyLength) -> Self {
        Self {
            host: false,
            trailer: body == BodyLength::Chunked,
            edits,
        }
    }

    fn passes(&self, kind: FieldKind, name: &[u8]) -> bool {
        let of_itself = match kind {
            FieldKind::Ordinary | FieldKind::Expect => true,
            FieldKind::Host => self.host,
            FieldKind::Trailer => self.trailer,
            FieldKind::ContentLength
            | FieldKind::TransferEncoding
            | FieldKind::Connection
            | FieldKind::Upgrade
            | FieldKind::Te
            | FieldKind::HopByHop => false,
        };
        of_itself && !self.edits.is_some_and(|edits| edits.drops(name))
    }

    /// Copies the lines that stay, each run of them at once, as they are. `end` is where the last
    /// line ends. Then the edits.
    pub(crate) fn write_lines(
        &self,
        out: &mut Vec<u8>,
        bytes: &[u8],
        lines: &[FieldLine],
        end: usize,
    ) {
        let mut run = None;
        for line in lines {
            let start = line.name.start();
            if self.passes(line.kind, line.name.of(bytes)) {
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

    /// Writes the fields that stay, and then the edits. Several cookies become one, as HTTP/2 splits
    /// them and HTTP/1.1 does not (RFC 9113 section 8.2.3).
    pub(crate) fn write_pairs<'f>(
        &self,
        out: &mut Vec<u8>,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    ) -> Result<(), SendError> {
        let is_cookie = |name: &[u8]| name.eq_ignore_ascii_case(b"cookie");
        let mut cookies = 0;
        for (name, value) in fields.clone() {
            if !is_token(name) || find_control(value, 0).is_some() {
                return Err(SendError::Field);
            }
            if !self.passes(FieldKind::of(name), name) {
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

/// The fields that edits add.
pub(crate) fn write_added(out: &mut Vec<u8>, edits: &dyn FieldEdits) {
    edits.each_added(&mut |name, value| {
        debug_assert!(may_be_edited(name) && find_control(value, 0).is_none());
        write_field(out, name, value);
    });
}

pub(crate) fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// The one field that says where the body ends, if there is anything to say.
pub(crate) fn write_framing(out: &mut Vec<u8>, body: BodyLength) {
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

/// `Connection` with its options, if there are any, and `Upgrade`, which is one.
pub(crate) fn write_connection(
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
