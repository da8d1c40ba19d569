//! The header fields in a message.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::config::excerpt;
use crate::engine::request::{is_field_name, is_field_value};
use crate::frontend::stdio::text::{Key, kind, string};

/// The `headers` of an `api_request`.
#[derive(Debug, Default)]
pub(super) struct HeaderFields<'a> {
    pub(super) list: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The first error in them.
    pub(super) error: Option<Box<str>>,
}

impl<'a> HeaderFields<'a> {
    pub(super) fn of(raw: &'a RawValue) -> Self {
        match raw.get() {
            "{}" | "null" => Self::default(),
            text if text.starts_with('{') => Self::read(text)
                .unwrap_or_else(|_| invalid("`headers` has a name with an unpaired surrogate")),
            _ => invalid(&format!("`headers` must be an object, not {}", kind(raw))),
        }
    }

    fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut headers = Self::default();
        let seed = HeaderFieldsSeed {
            headers: &mut headers,
            // JSON strings contain control characters only as escapes, except DELETE.
            is_plain: memchr::memchr2(b'\\', DELETE, text.as_bytes()).is_none(),
        };
        seed.deserialize(&mut serde_json::Deserializer::from_str(text))?;
        Ok(headers)
    }

    #[inline]
    fn add(&mut self, name: Cow<'a, str>, raw: &'a RawValue, is_plain: bool) {
        let json = raw.get();
        let inside = || json.strip_prefix('"')?.strip_suffix('"');
        match inside() {
            Some(value) if is_plain => self.list.push((name, Cow::Borrowed(value))),
            _ => self.add_other(name, raw),
        }
    }

    /// Adds any value but a plain string.
    fn add_other(&mut self, name: Cow<'a, str>, raw: &'a RawValue) {
        match raw.get().as_bytes().first() {
            Some(b'"') => match string(raw) {
                Some(value) if is_field_value(value.as_bytes()) => self.list.push((name, value)),
                Some(_) => self.note(&name, CONTROL_CHARACTER),
                None => self.reject(&name, raw),
            },
            Some(b'-' | b'0'..=b'9') => self.list.push((name, Cow::Borrowed(raw.get()))),
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                for value in values {
                    match value.get().as_bytes().first() {
                        Some(b'[') => self.reject(&name, value),
                        _ => self.add_other(name.clone(), value),
                    }
                }
            }
            _ => self.reject(&name, raw),
        }
    }

    #[cold]
    fn reject(&mut self, name: &str, raw: &RawValue) {
        let found = kind(raw);
        let problem = format!("must be a string, a number or an array of these, not {found}");
        self.note(name, &problem);
    }

    #[cold]
    fn note(&mut self, name: &str, problem: &str) {
        let error = || format!("`headers.{}` {problem}", excerpt(name)).into();
        self.error.get_or_insert_with(error);
    }
}

const CONTROL_CHARACTER: &str = "contains a control character; remove it";
const INVALID_NAME: &str = "is not a header name; use a token such as X-Tenant";

/// DELETE, the only control character that JSON strings may contain unescaped.
const DELETE: u8 = 0x7f;

#[cold]
fn invalid<'a>(error: &str) -> HeaderFields<'a> {
    HeaderFields {
        list: Vec::new(),
        error: Some(error.into()),
    }
}

struct HeaderFieldsSeed<'h, 'a> {
    headers: &'h mut HeaderFields<'a>,
    /// Whether no string in them has an escape or a control character.
    is_plain: bool,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for HeaderFieldsSeed<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for HeaderFieldsSeed<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(Key(name)) = entries.next_key()? {
            if !is_field_name(name.as_bytes()) {
                self.headers.note(&name, INVALID_NAME);
            }
            self.headers.add(name, entries.next_value()?, self.is_plain);
        }
        Ok(())
    }
}
