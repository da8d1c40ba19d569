//! Connection options: what a message says about its connection alone (RFC 9110 section 7.6.1).

use crate::http1::field_kind::{FieldKind, is_protected_field};
use crate::http1::fields::{FieldLine, Span};
use crate::http1::grammar::{Version, trim};
use crate::http1::limits::MAX_CONNECTION_OPTIONS;

/// The `Connection` and `Upgrade` fields of one head.
#[derive(Debug, Default)]
pub(super) struct ConnectionOptions {
    close: bool,
    keep_alive: bool,
    upgrade: bool,
    /// The value of the last `Upgrade` field.
    protocol: Span,
    upgrade_fields: usize,
    /// The field names that `Connection` lists.
    named: Vec<Span>,
}

impl ConnectionOptions {
    /// Resets to the options of a head without `Connection` and `Upgrade`; keeps the allocation.
    pub(super) fn clear(&mut self) {
        let mut named = std::mem::take(&mut self.named);
        named.clear();
        *self = Self {
            named,
            ..Self::default()
        };
    }

    /// Takes a `Connection` field; `None` if it lists too many field names.
    pub(super) fn connection(&mut self, value: Span, bytes: &[u8]) -> Option<()> {
        let mut start = value.start();
        for raw in value.of(bytes).split(|byte| *byte == b',') {
            let span = Span::new(start, start + raw.len());
            start += raw.len() + 1;
            let option = trim(raw);
            if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"upgrade") {
                self.upgrade = true;
            } else if !option.is_empty() {
                if self.named.len() == MAX_CONNECTION_OPTIONS {
                    return None;
                }
                self.named.push(span);
            }
        }
        Some(())
    }

    /// Takes an `Upgrade` field.
    pub(super) fn upgrade(&mut self, value: Span) {
        self.protocol = value;
        self.upgrade_fields += 1;
    }

    /// Marks the fields that `Connection` lists as hop-by-hop, so that they are not forwarded.
    /// Fields that the codec interprets keep their kind: an option cannot remove the framing or
    /// the host from a message.
    pub(super) fn mark(&self, fields: &mut [FieldLine], bytes: &[u8]) {
        if self.named.is_empty() {
            return;
        }
        for field in fields {
            let name = field.name.of(bytes);
            let is_name = |option: &Span| trim(option.of(bytes)).eq_ignore_ascii_case(name);
            let is_removable = !field.kind.is_reserved() && !is_protected_field(name);
            if is_removable && self.named.iter().any(is_name) {
                field.kind = FieldKind::HopByHop;
            }
        }
    }

    /// Whether the connection persists after the message (RFC 9112 section 9.3).
    pub(super) const fn keeps_alive(&self, version: Version) -> bool {
        match version {
            Version::Http11 => !self.close,
            Version::Http10 => self.keep_alive && !self.close,
        }
    }

    /// The value of `Upgrade`, if `Connection` has the `upgrade` option, there is one `Upgrade`
    /// field and the version is HTTP/1.1.
    pub(super) const fn protocol(&self, version: Version) -> Option<Span> {
        match (version, self.upgrade, self.upgrade_fields) {
            (Version::Http11, true, 1) => Some(self.protocol),
            _ => None,
        }
    }
}
