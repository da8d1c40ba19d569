//! JSON text into a [`Document`], without positions.
//!
//! The parser is `serde_json`; this module puts what it finds into the tree while it is parsed, and
//! makes a fault of what it refuses. It never looks at what a key means.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::config::builder::{Builder, Slot, checked};
use crate::config::document::{Document, Place};
use crate::config::fault::{Fault, Position};

/// See [`Document::from_json`].
pub(super) fn read(text: &str) -> Result<Document, Fault> {
    let text = checked(text)?;
    let mut builder = Builder::default();
    let mut parser = serde_json::Deserializer::from_str(text);
    JsonNode {
        builder: &mut builder,
        slot: Slot::ROOT,
    }
    .deserialize(&mut parser)
    .and_then(|_| parser.end())
    .map_err(|error| fault(&error))?;
    Ok(builder.finish())
}

/// Puts a JSON value and all in it into the document, while it is parsed.
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

fn fault(error: &serde_json::Error) -> Fault {
    let said = error.to_string();
    let said = said
        .split_once(" at line ")
        .map_or(said.as_str(), |(message, _)| message);
    let message = match said {
        "recursion limit exceeded" => "nested too deep to be a configuration".to_owned(),
        _ => format!("invalid JSON: {said}"),
    };
    let narrow = |wide: usize| u32::try_from(wide).unwrap_or(u32::MAX).max(1);
    let position = Position {
        line: narrow(error.line()),
        column: narrow(error.column()),
    };
    Fault {
        position: Some(position),
        ..Fault::error("config.syntax", message)
    }
}
