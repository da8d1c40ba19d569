//! Messages: what a JSON value says to the gateway.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::frontend::stdio::reply::Recipient;
use crate::frontend::stdio::text::{Text, kind, string};

/// A value that may be a message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// The addresses it came in, if it came in an envelope.
    pub(super) envelope: Option<Envelope<'a>>,
    /// What it says; none if an envelope has no object for a body.
    pub(super) fields: Option<Fields<'a>>,
}

/// Who sent a message, and to whom; each may be any value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) src: Option<&'a RawValue>,
    pub(super) dest: Option<&'a RawValue>,
}

/// The fields of all messages; which of them count depends on the type.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) kind: Text<'a>,
    pub(super) msg_id: Option<&'a RawValue>,
    pub(super) method: Text<'a>,
    pub(super) path: Text<'a>,
    pub(super) headers: HeaderFields<'a>,
    pub(super) service: Text<'a>,
    pub(super) backend: Text<'a>,
    pub(super) version: Option<&'a RawValue>,
    pub(super) ttl: Text<'a>,
    pub(super) routes: Option<&'a RawValue>,
    pub(super) services: Option<&'a RawValue>,
    pub(super) versioning: Option<&'a RawValue>,
}

/// The `headers` of an `api_request`.
#[derive(Debug, Default)]
pub(super) struct HeaderFields<'a> {
    pub(super) list: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Where it is not as it should be, and what is there.
    pub(super) fault: Option<(String, &'static str)>,
}

impl<'a> Message<'a> {
    /// Reads the value at the beginning of `text`, and tells where it ends.
    ///
    /// # Errors
    /// If it is no object, or no JSON at all, or not whole.
    #[inline]
    pub(super) fn read(text: &'a [u8]) -> Result<(Self, usize), serde_json::Error> {
        let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Enveloped<'a>>();
        match values.next() {
            Some(Ok(Enveloped {
                is_bare: false,
                envelope,
                fields,
            })) => {
                let message = Self {
                    envelope: Some(envelope),
                    fields,
                };
                Ok((message, values.byte_offset()))
            }
            Some(Ok(Enveloped { is_bare: true, .. })) => {
                let mut values =
                    serde_json::Deserializer::from_slice(text).into_iter::<Fields<'a>>();
                match values.next() {
                    Some(fields) => {
                        let message = Self {
                            envelope: None,
                            fields: Some(fields?),
                        };
                        Ok((message, values.byte_offset()))
                    }
                    None => Err(Error::custom("no value is there")),
                }
            }
            Some(Err(error)) => Err(error),
            None => Err(Error::custom("no value is there")),
        }
    }
}

/// What can be told of a value that is JSON but cannot be read as a message.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Salvaged<'a> {
    #[serde(borrow, default)]
    src: Option<&'a RawValue>,
    #[serde(borrow, default)]
    dest: Option<&'a RawValue>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(borrow, default)]
    msg_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
}

impl<'a> Salvaged<'a> {
    pub(super) fn read(value: &'a [u8]) -> Self {
        // A list would be read as the fields in their order.
        let object = Some(value).filter(|value| value.starts_with(b"{"));
        object
            .and_then(|value| serde_json::from_slice(value).ok())
            .unwrap_or_default()
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

/// A value read as if it were an envelope.
struct Enveloped<'a> {
    /// Whether it has a `type` at its top, or nothing of an envelope: then it is bare.
    is_bare: bool,
    envelope: Envelope<'a>,
    fields: Option<Fields<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Enveloped<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Enveloped<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (mut has_type, mut is_enveloped) = (false, false);
        let mut envelope = Envelope::default();
        let mut fields = None;
        while let Some(Key(key)) = entries.next_key()? {
            match &*key {
                "src" => envelope.src = Some(entries.next_value()?),
                "dest" => envelope.dest = Some(entries.next_value()?),
                "body" => fields = entries.next_value::<Body<'de>>()?.0,
                key => {
                    has_type |= key == "type";
                    entries.next_value::<IgnoredAny>()?;
                    continue;
                }
            }
            is_enveloped = true;
        }
        Ok(Enveloped {
            is_bare: has_type || !is_enveloped,
            envelope,
            fields,
        })
    }
}

/// The body of an envelope: its fields if it is an object.
struct Body<'a>(Option<Fields<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        FieldsVisitor
            .visit_map(entries)
            .map(|fields| Body(Some(fields)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Body(None))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Body(None))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Body(None))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Body(None))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Body(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Body(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Body(None))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(Key(key)) = entries.next_key()? {
            match &*key {
                "type" => fields.kind = entries.next_value()?,
                "msg_id" => fields.msg_id = Some(entries.next_value()?),
                "method" => fields.method = entries.next_value()?,
                "path" => fields.path = entries.next_value()?,
                "headers" => fields.headers = HeaderFields::of(entries.next_value()?),
                "service" => fields.service = entries.next_value()?,
                "backend" => fields.backend = entries.next_value()?,
                "version" => fields.version = Some(entries.next_value()?),
                "ttl" => fields.ttl = entries.next_value()?,
                "routes" => fields.routes = Some(entries.next_value()?),
                "services" => fields.services = Some(entries.next_value()?),
                "versioning" => fields.versioning = Some(entries.next_value()?),
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

impl<'a> HeaderFields<'a> {
    fn of(raw: &'a RawValue) -> Self {
        match raw.get() {
            "{}" | "null" => Self::default(),
            text if text.starts_with('{') => serde_json::from_str(text).unwrap_or_default(),
            _ => Self {
                list: Vec::new(),
                fault: Some(("headers".into(), kind(raw))),
            },
        }
    }

    fn add(&mut self, name: Cow<'a, str>, raw: &'a RawValue) {
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                if let Some(value) = string(raw) {
                    self.list.push((name, value));
                }
            }
            Some(b'-' | b'0'..=b'9') => self.list.push((name, Cow::Borrowed(raw.get()))),
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                for value in values {
                    if matches!(kind(value), "a text" | "a number") {
                        self.add(name.clone(), value);
                    } else {
                        self.fault = Some((format!("headers.{name}"), kind(value)));
                    }
                }
            }
            _ => self.fault = Some((format!("headers.{name}"), kind(raw))),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for HeaderFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderFieldsVisitor)
    }
}

struct HeaderFieldsVisitor;

impl<'de> Visitor<'de> for HeaderFieldsVisitor {
    type Value = HeaderFields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut headers = HeaderFields::default();
        while let Some(Key(name)) = entries.next_key()? {
            headers.add(name, entries.next_value()?);
        }
        Ok(headers)
    }
}

/// A key, borrowed unless it has escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor).map(Self)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
