//! Connection options: what a message says of this connection alone (RFC 9110 section 7.6.1).

use crate::http1::field_section::FieldLine;
use crate::http1::grammar::trim;
use crate::http1::kind::{FieldKind, is_protected};
use crate::http1::span::Span;
use crate::http1::version::Version;

/// How many fields `Connection` may name, beside the options that are known here.
pub(crate) const MAX_OPTIONS: usize = 32;

/// What the `Connection` and `Upgrade` fields of one head say.
#[derive(Debug, Default)]
pub(crate) struct Options {
    close: bool,
    keep_alive: bool,
    upgrade: bool,
    /// The value of `Upgrade`, and how many of them there are.
    protocol: Span,
    protocols: usize,
    named: Vec<Span>,
}

impl Options {
    pub(crate) fn clear(&mut self) {
        let mut named = std::mem::take(&mut self.named);
        named.clear();
        *self = Self {
            named,
            ..Self::default()
        };
    }

    /// Takes a `Connection` field; `None` if it names too many others.
    pub(crate) fn connection(&mut self, value: Span, bytes: &[u8]) -> Option<()> {
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
                if self.named.len() == MAX_OPTIONS {
                    return None;
                }
                self.named.push(span);
            }
        }
        Some(())
    }

    /// Takes an `Upgrade` field.
    pub(crate) fn upgrade(&mut self, value: Span) {
        self.protocol = value;
        self.protocols += 1;
    }

    /// Marks the fields that `Connection` named, so that they are not passed on. What the codec has
    /// a use for keeps its kind: an option cannot take the framing or the host out of a message.
    pub(crate) fn mark(&self, fields: &mut [FieldLine], bytes: &[u8]) {
        if self.named.is_empty() {
            return;
        }
        for field in fields {
            let name = field.name.of(bytes);
            let is = |option: &Span| trim(option.of(bytes)).eq_ignore_ascii_case(name);
            let may_go = !field.kind.is_reserved() && !is_protected(name);
            if may_go && self.named.iter().any(is) {
                field.kind = FieldKind::HopByHop;
            }
        }
    }

    /// Whether another message may follow on this connection (RFC 9112 section 9.3).
    pub(crate) const fn keeps_alive(&self, version: Version) -> bool {
        match version {
            Version::Http11 => !self.close,
            Version::Http10 => self.keep_alive && !self.close,
        }
    }

    /// The protocols to change to, if both fields ask for it and one line lists them.
    pub(crate) const fn protocol(&self, version: Version) -> Option<Span> {
        match (version, self.upgrade, self.protocols) {
            (Version::Http11, true, 1) => Some(self.protocol),
            _ => None,
        }
    }
}
