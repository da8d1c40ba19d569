//! Messages: what a JSON value says to the gateway.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::frontend::stdio::salvage::Salvaged;
use crate::frontend::stdio::text::{Text, kind, string};

/// A value that may be a message. It is read in place: it is too large to be moved about.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    /// The addresses it came in, if it came in an envelope.
    pub(super) envelope: Option<Envelope<'a>>,
    /// Whether it has fields: an envelope may have something else for a body.
    pub(super) has_fields: bool,
    pub(super) fields: Fields<'a>,
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
    pub(super) fault: Option<Box<(String, &'static str)>>,
}

impl<'a> Message<'a> {
    /// Reads the value at the beginning of `text` into this empty message, and tells where it ends.
    ///
    /// # Errors
    /// If it is no object, or no JSON at all, or not whole.
    #[inline]
    pub(super) fn read(&mut self, text: &'a str) -> Result<usize, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(text);
        match EnvelopeSeed(self).deserialize(&mut json) {
            Ok(true) => Ok(json.into_iter::<IgnoredAny>().byte_offset()),
            // It has a `type` at its top, or nothing of an envelope: it is bare.
            Ok(false) => self.read_bare(text),
            // A bare message may carry any `body`, also one that reads like no message at all.
            Err(error) if !error.is_eof() && Salvaged::is_bare(text) => self.read_bare(text),
            Err(error) => Err(error),
        }
    }

    fn read_bare(&mut self, text: &'a str) -> Result<usize, serde_json::Error> {
        *self = Self {
            has_fields: true,
            ..Self::default()
        };
        let mut json = serde_json::Deserializer::from_str(text);
        FieldsSeed(&mut self.fields).deserialize(&mut json)?;
        Ok(json.into_iter::<IgnoredAny>().byte_offset())
    }
}

/// Reads a value as an envelope, and tells whether it is one.
struct EnvelopeSeed<'m, 'a>(&'m mut Message<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for EnvelopeSeed<'_, 'a> {
    type Value = bool;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for EnvelopeSeed<'_, 'a> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<bool, A::Error> {
        let (mut has_type, mut is_enveloped) = (false, false);
        let mut envelope = Envelope::default();
        while let Some(Key(key)) = entries.next_key()? {
            match &*key {
                "src" => envelope.src = Some(entries.next_value()?),
                "dest" => envelope.dest = Some(entries.next_value()?),
                "body" => {
                    self.0.fields = Fields::default();
                    self.0.has_fields = entries.next_value_seed(BodySeed(&mut self.0.fields))?;
                }
                key => {
                    has_type |= key == "type";
                    entries.next_value::<IgnoredAny>()?;
                    continue;
                }
            }
            is_enveloped = true;
        }
        self.0.envelope = Some(envelope);
        Ok(is_enveloped && !has_type)
    }
}

/// Reads the body of an envelope, and tells whether it is an object.
struct BodySeed<'m, 'a>(&'m mut Fields<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for BodySeed<'_, 'a> {
    type Value = bool;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for BodySeed<'_, 'a> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<bool, A::Error> {
        FieldsSeed(self.0).visit_map(entries)?;
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }
}

/// Reads the fields of a message.
struct FieldsSeed<'m, 'a>(&'m mut Fields<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for FieldsSeed<'_, 'a> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for FieldsSeed<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let fields = self.0;
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
        Ok(())
    }
}

impl<'a> HeaderFields<'a> {
    fn of(raw: &'a RawValue) -> Self {
        match raw.get() {
            "{}" | "null" => Self::default(),
            text if text.starts_with('{') => serde_json::from_str(text).unwrap_or_else(|_| Self {
                list: Vec::new(),
                fault: Some(Box::new((
                    "headers".into(),
                    "one with a name that is no text",
                ))),
            }),
            _ => Self {
                list: Vec::new(),
                fault: Some(Box::new(("headers".into(), kind(raw)))),
            },
        }
    }

    fn add(&mut self, name: Cow<'a, str>, raw: &'a RawValue) {
        match raw.get().as_bytes().first() {
            Some(b'"') => match string(raw) {
                Some(value) => self.list.push((name, value)),
                None => {
                    let place = format!("headers.{name}");
                    self.fault = Some(Box::new((place, "a text with half a character")));
                }
            },
            Some(b'-' | b'0'..=b'9') => self.list.push((name, Cow::Borrowed(raw.get()))),
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                for value in values {
                    if matches!(kind(value), "a text" | "a number") {
                        self.add(name.clone(), value);
                    } else {
                        self.fault = Some(Box::new((format!("headers.{name}"), kind(value))));
                    }
                }
            }
            _ => self.fault = Some(Box::new((format!("headers.{name}"), kind(raw)))),
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
