//! The header fields of a request, as a message gives them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::config::excerpt;
use crate::engine::request::{is_field_name, is_field_value};
use crate::frontend::stdio::message::Key;
use crate::frontend::stdio::text::{kind, string};

/// The `headers` of an `api_request`.
#[derive(Debug, Default)]
pub(super) struct HeaderFields<'a> {
    pub(super) list: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The first thing that is wrong with them, as a sentence.
    pub(super) fault: Option<Box<str>>,
}

impl<'a> HeaderFields<'a> {
    pub(super) fn of(raw: &'a RawValue) -> Self {
        match raw.get() {
            "{}" | "null" => Self::default(),
            text if text.starts_with('{') => Self::read(text)
                .unwrap_or_else(|_| faulty("`headers` has a name with half a surrogate pair")),
            _ => faulty(&format!(
                "`headers` should be an object, but is {}",
                kind(raw)
            )),
        }
    }

    fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut headers = Self::default();
        let seed = HeaderFieldsSeed {
            headers: &mut headers,
            // JSON texts hold control characters as escapes alone, but for this one.
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
            _ => self.add_odd(name, raw),
        }
    }

    fn add_odd(&mut self, name: Cow<'a, str>, raw: &'a RawValue) {
        match raw.get().as_bytes().first() {
            Some(b'"') => match string(raw) {
                Some(value) if is_field_value(value.as_bytes()) => self.list.push((name, value)),
                Some(_) => self.note(&name, CONTROL),
                None => self.refuse(&name, raw),
            },
            Some(b'-' | b'0'..=b'9') => self.list.push((name, Cow::Borrowed(raw.get()))),
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                for value in values {
                    match value.get().as_bytes().first() {
                        Some(b'[') => self.refuse(&name, value),
                        _ => self.add_odd(name.clone(), value),
                    }
                }
            }
            _ => self.refuse(&name, raw),
        }
    }

    #[cold]
    fn refuse(&mut self, name: &str, raw: &RawValue) {
        let found = kind(raw);
        let wrong = format!("should be a text, a number or a list of these, but is {found}");
        self.note(name, &wrong);
    }

    #[cold]
    fn note(&mut self, name: &str, wrong: &str) {
        let fault = || format!("`headers.{}` {wrong}", excerpt(name)).into();
        self.fault.get_or_insert_with(fault);
    }
}

const CONTROL: &str = "has a control character, which no header may have";
const NO_NAME: &str = "is no name of a header; a name is a token such as X-Tenant";

/// The last of the control characters.
const DELETE: u8 = 0x7f;

#[cold]
fn faulty<'a>(fault: &str) -> HeaderFields<'a> {
    HeaderFields {
        list: Vec::new(),
        fault: Some(fault.into()),
    }
}

struct HeaderFieldsSeed<'h, 'a> {
    headers: &'h mut HeaderFields<'a>,
    /// Whether no text in them has an escape or a control character.
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
                self.headers.note(&name, NO_NAME);
            }
            self.headers.add(name, entries.next_value()?, self.is_plain);
        }
        Ok(())
    }
}
