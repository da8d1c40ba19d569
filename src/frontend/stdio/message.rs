//! Messages: JSON values with their envelope and fields.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::config::Entries;
use crate::frontend::stdio::headers::HeaderFields;
use crate::frontend::stdio::text::{Key, Text, string};

/// A value that may be a message. It is read in place, because it is large to move.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    /// The envelope, if there is one.
    pub(super) envelope: Option<Envelope<'a>>,
    /// Whether it has fields: the body of an envelope may be something else.
    pub(super) has_fields: bool,
    pub(super) fields: Fields<'a>,
}

/// The addresses of sender and receiver; each may be any JSON value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) src: Option<&'a RawValue>,
    pub(super) dest: Option<&'a RawValue>,
}

/// The fields of all types of messages; the type decides which of them are used.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) kind: Text<'a>,
    pub(super) msg_id: Option<&'a RawValue>,
    pub(super) method: Text<'a>,
    pub(super) path: Text<'a>,
    pub(super) headers: HeaderFields<'a>,
    pub(super) body: Option<&'a RawValue>,
    pub(super) service: Text<'a>,
    pub(super) backend: Text<'a>,
    pub(super) version: Option<&'a RawValue>,
    pub(super) ttl: Text<'a>,
    pub(super) routes: Option<&'a RawValue>,
    pub(super) services: Option<&'a RawValue>,
    pub(super) versioning: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// Reads the value at the start of `text` into this empty message and returns its length.
    ///
    /// # Errors
    /// If it is not an object, not JSON, or incomplete.
    #[inline]
    pub(super) fn read(&mut self, text: &'a str) -> Result<usize, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(text);
        match EnvelopeSeed(self).deserialize(&mut json) {
            Ok(true) => Ok(json.into_iter::<IgnoredAny>().byte_offset()),
            // It has a `type` at the top level, or no field of an envelope: a bare message.
            Ok(false) => self.read_bare(text),
            Err(error) => Err(error),
        }
    }

    /// Reads a complete object field by field, so that a string or number that `serde_json` cannot
    /// represent affects only its own field. `None` if it is not an object.
    ///
    /// For other values it returns what [`Self::read`] does, but much slower.
    #[cold]
    pub(super) fn read_leniently(value: &'a str) -> Option<Self> {
        let Entries(entries) = serde_json::from_str(value).ok()?;
        let mut envelope = Envelope::default();
        let (mut body, mut has_type, mut is_enveloped) = (None, false, false);
        for &(name, value) in &entries {
            match string(name).as_deref() {
                Some("src") => envelope.src = Some(value),
                Some("dest") => envelope.dest = Some(value),
                Some("body") => body = Some(value),
                name => {
                    has_type |= name == Some("type");
                    continue;
                }
            }
            is_enveloped = true;
        }
        if has_type || !is_enveloped {
            return Some(Self {
                envelope: None,
                has_fields: true,
                fields: Fields::of(entries),
            });
        }
        let entries = body.and_then(|body| serde_json::from_str(body.get()).ok());
        Some(Self {
            envelope: Some(envelope),
            has_fields: entries.is_some(),
            fields: entries
                .map(|Entries(entries)| Fields::of(entries))
                .unwrap_or_default(),
        })
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

impl<'a> Fields<'a> {
    fn of(entries: Vec<(&'a RawValue, &'a RawValue)>) -> Self {
        let mut fields = Self::default();
        for (name, value) in entries {
            match string(name).as_deref() {
                Some("type") => fields.kind = Text::of(value),
                Some("msg_id") => fields.msg_id = Some(value),
                Some("method") => fields.method = Text::of(value),
                Some("path") => fields.path = Text::of(value),
                Some("headers") => fields.headers = HeaderFields::of(value),
                Some("body") => fields.body = Some(value),
                Some("service") => fields.service = Text::of(value),
                Some("backend") => fields.backend = Text::of(value),
                Some("version") => fields.version = Some(value),
                Some("ttl") => fields.ttl = Text::of(value),
                Some("routes") => fields.routes = Some(value),
                Some("services") => fields.services = Some(value),
                Some("versioning") => fields.versioning = Some(value),
                _ => {}
            }
        }
        fields
    }
}

/// Reads a value as an envelope and returns whether it is one.
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

/// Reads the body of an envelope and returns whether it is an object.
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
                "body" => fields.body = Some(entries.next_value()?),
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
