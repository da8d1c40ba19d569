//! To whom the answer to a value goes that cannot be read as a message.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::frontend::stdio::message::Envelope;
use crate::frontend::stdio::reply::Recipient;
use crate::frontend::stdio::text::string;

/// What can be told of a value that is JSON but cannot be read as a message: of equal names the
/// last counts, and a name or a text with half a surrogate pair is in nobody's way.
#[derive(Debug, Default)]
pub(super) struct Salvaged<'a> {
    src: Option<&'a RawValue>,
    dest: Option<&'a RawValue>,
    body: Option<&'a RawValue>,
    msg_id: Option<&'a RawValue>,
    kind: Option<&'a RawValue>,
}

impl<'a> Salvaged<'a> {
    pub(super) fn read(value: &'a [u8]) -> Self {
        serde_json::from_slice(value).unwrap_or_default()
    }

    /// Whether a whole object is at the beginning of `text`, with a `type` at its top.
    #[cold]
    pub(super) fn is_bare(text: &'a str) -> bool {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Self>();
        matches!(values.next(), Some(Ok(Self { kind: Some(_), .. })))
    }

    /// To whom the answer goes.
    pub(super) fn recipient(&self) -> Recipient<'a> {
        let is_enveloped = self.kind.is_none()
            && (self.src.is_some() || self.dest.is_some() || self.body.is_some());
        if !is_enveloped {
            return Recipient {
                envelope: None,
                msg_id: self.msg_id,
            };
        }
        let inner = self
            .body
            .map(|body| Self::read(body.get().as_bytes()))
            .unwrap_or_default();
        let envelope = Some(Envelope {
            src: self.src,
            dest: self.dest,
        });
        Recipient {
            envelope,
            msg_id: inner.msg_id,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Salvaged<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SalvagedVisitor)
    }
}

struct SalvagedVisitor;

impl<'de> Visitor<'de> for SalvagedVisitor {
    type Value = Salvaged<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut salvaged = Salvaged::default();
        while let Some((name, value)) = entries.next_entry::<&RawValue, &RawValue>()? {
            match string(name).as_deref() {
                Some("src") => salvaged.src = Some(value),
                Some("dest") => salvaged.dest = Some(value),
                Some("body") => salvaged.body = Some(value),
                Some("msg_id") => salvaged.msg_id = Some(value),
                Some("type") => salvaged.kind = Some(value),
                _ => {}
            }
        }
        Ok(salvaged)
    }
}
