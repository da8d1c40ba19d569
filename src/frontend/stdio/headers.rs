//! The header fields of a request, as a message gives them.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::config::fault::excerpt;
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
            text if text.starts_with('{') => serde_json::from_str(text).unwrap_or_else(|_| {
                Self::faulty("`headers` has a name with half a surrogate pair".into())
            }),
            _ => Self::faulty(format!(
                "`headers` should be an object, but is {}",
                kind(raw)
            )),
        }
    }

    fn faulty(fault: String) -> Self {
        Self {
            list: Vec::new(),
            fault: Some(fault.into()),
        }
    }

    fn add(&mut self, name: Cow<'a, str>, raw: &'a RawValue) {
        match raw.get().as_bytes().first() {
            Some(b'"') => match string(raw) {
                Some(value) => self.list.push((name, value)),
                None => self.refuse(&name, raw),
            },
            Some(b'-' | b'0'..=b'9') => self.list.push((name, Cow::Borrowed(raw.get()))),
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                for value in values {
                    match value.get().as_bytes().first() {
                        Some(b'[') => self.refuse(&name, value),
                        _ => self.add(name.clone(), value),
                    }
                }
            }
            _ => self.refuse(&name, raw),
        }
    }

    #[cold]
    fn refuse(&mut self, name: &str, raw: &RawValue) {
        self.note(
            name,
            "should be a text, a number or a list of these, but is",
            kind(raw),
        );
    }

    #[cold]
    fn note(&mut self, name: &str, should: &str, found: &str) {
        self.fault
            .get_or_insert_with(|| format!("`headers.{}` {should} {found}", excerpt(name)).into());
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
