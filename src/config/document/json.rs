//! JSON text into a [`Document`], without positions.
//!
//! The parser is `serde_json`. This module adds each value to the tree as it is parsed and turns
//! the parser's errors into diagnostics. It knows no keys.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::config::diagnostic::Diagnostic;
use crate::config::document::builder::{Builder, Slot};
use crate::config::document::tree::Document;
use crate::config::place::{Place, Position};
use crate::config::text::checked;

/// Parses one JSON value. Its places have no positions.
///
/// # Errors
/// The first `config.syntax` diagnostic, with its position.
pub(crate) fn parse(text: &str) -> Result<Document, Diagnostic> {
    let text = checked(text)?;
    let mut builder = Builder::default();
    let mut parser = serde_json::Deserializer::from_str(text);
    JsonNode {
        builder: &mut builder,
        slot: Slot::ROOT,
    }
    .deserialize(&mut parser)
    .and_then(|_| parser.end())
    .map_err(|error| invalid_scalar(text, &error).unwrap_or_else(|| syntax_error(&error)))?;
    Ok(builder.finish())
}

/// The diagnostic for the first string or number that is valid JSON but cannot be represented.
#[cold]
fn invalid_scalar(text: &str, error: &serde_json::Error) -> Option<Diagnostic> {
    // A text nested too deeply for the parser is also too deep for the search.
    if error.to_string().starts_with(TOO_DEEP) {
        return None;
    }
    let whole: &RawValue = serde_json::from_str(text).ok()?;
    let mut builder = Builder::default();
    let (place, message) = Unparsed(&mut builder).add(Slot::ROOT, whole).err()?;
    Some(builder.finish().error(place, "config.syntax", message))
}

/// Adds unparsed values to a document, up to the first that cannot be represented.
struct Unparsed<'b>(&'b mut Builder);

impl Unparsed<'_> {
    fn add(&mut self, slot: Slot, raw: &RawValue) -> Result<Place, (Place, &'static str)> {
        match raw.get().as_bytes().first() {
            Some(b'{') => {
                let map = self.0.map(slot);
                let Entries(entries) = serde_json::from_str(raw.get()).unwrap_or_default();
                for (name, value) in entries {
                    let Ok(name) = serde_json::from_str::<String>(name.get()) else {
                        return Err((map, "a key has half a surrogate pair"));
                    };
                    let key = self.0.text(Slot::key(map), &name);
                    self.add(Slot::value(map, key), value)?;
                }
                Ok(map)
            }
            Some(b'[') => {
                let list = self.0.list(slot);
                let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                for (index, item) in (0..).zip(items) {
                    self.add(Slot::item(list, index), item)?;
                }
                Ok(list)
            }
            Some(b'"') => {
                let place = self.0.null(slot);
                let read = serde_json::from_str::<String>(raw.get());
                read.map_or(Err((place, "the text has half a surrogate pair")), |_| {
                    Ok(place)
                })
            }
            _ => {
                let place = self.0.null(slot);
                let read = serde_json::from_str::<serde_json::Value>(raw.get());
                read.map_or(Err((place, "the number is out of range")), |_| Ok(place))
            }
        }
    }
}

/// The entries of a JSON object in the order of the text, all unparsed, because a name or a value
/// may be one that cannot be represented.
#[derive(Debug, Default)]
pub(crate) struct Entries<'a>(pub(crate) Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut unparsed = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            unparsed.push(entry);
        }
        Ok(Entries(unparsed))
    }
}

/// Adds a JSON value and its content to the document while it is parsed.
struct JsonNode<'b> {
    builder: &'b mut Builder,
    slot: Slot,
}

impl<'de> DeserializeSeed<'de> for JsonNode<'_> {
    type Value = Place;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Place, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonNode<'_> {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Place, E> {
        Ok(self.builder.null(self.slot))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Place, E> {
        Ok(self.builder.bool(self.slot, value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Place, E> {
        Ok(self.builder.number(self.slot, &value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Place, E> {
        Ok(self.builder.number(self.slot, &value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Place, E> {
        Ok(self.builder.number(self.slot, &format!("{value:?}")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Place, E> {
        Ok(self.builder.text(self.slot, text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Place, A::Error> {
        let list = self.builder.list(self.slot);
        for index in 0.. {
            let slot = Slot::item(list, index);
            if items
                .next_element_seed(JsonNode {
                    builder: self.builder,
                    slot,
                })?
                .is_none()
            {
                break;
            }
        }
        self.builder.close(list);
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Place, A::Error> {
        let map = self.builder.map(self.slot);
        loop {
            let slot = Slot::key(map);
            let Some(key) = entries.next_key_seed(JsonNode {
                builder: self.builder,
                slot,
            })?
            else {
                break;
            };
            let slot = Slot::value(map, key);
            entries.next_value_seed(JsonNode {
                builder: self.builder,
                slot,
            })?;
        }
        self.builder.close(map);
        Ok(map)
    }
}

fn syntax_error(error: &serde_json::Error) -> Diagnostic {
    let full = error.to_string();
    let short = full
        .split_once(" at line ")
        .map_or(full.as_str(), |(message, _)| message);
    let message = match short {
        TOO_DEEP => "nested too deeply".to_owned(),
        _ => format!("invalid JSON: {short}"),
    };
    let narrow = |wide: usize| u32::try_from(wide).unwrap_or(u32::MAX).max(1);
    let position = Position {
        line: narrow(error.line()),
        column: narrow(error.column()),
    };
    Diagnostic {
        position: Some(position),
        ..Diagnostic::error("config.syntax", message)
    }
}

const TOO_DEEP: &str = "recursion limit exceeded";
