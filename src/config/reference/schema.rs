//! The JSON Schema of configuration files.

use serde::ser::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::config::keys::RawFile;
use crate::config::read::{Key, Keys, Object, Presence, Shape};
use crate::config::reference::examples::EXAMPLES;
use crate::config::reference::values::{document_value, yaml_value};
use crate::config::reference::walk::{objects, title};

/// The JSON Schema (draft 2020-12) of configuration files, with a final newline.
#[must_use]
pub fn json_schema() -> String {
    let mut schema = Node::default();
    schema.set(
        "$schema",
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.set("title", json!("Tollgate configuration"));
    schema.add_object(RawFile::OBJECT);
    let examples: Vec<Json> = EXAMPLES.into_iter().map(document_value).collect();
    schema.set("examples", json!(examples));
    let mut definitions = Node::default();
    for (name, definition) in scalars() {
        definitions.set(name, definition);
    }
    for found in objects(RawFile::OBJECT).iter().skip(1) {
        let mut definition = Node::default();
        definition.add_object(found.object);
        definitions.set_node(&definition_name(found.object), definition);
    }
    schema.set_node("$defs", definitions);
    // Serialization cannot fail: every key is a string.
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text + "\n"
}

/// A JSON object that keeps the order of its keys.
#[derive(Default)]
struct Node(Vec<(String, Member)>);

enum Member {
    Value(Json),
    Node(Node),
}

impl Node {
    fn set(&mut self, key: &str, value: Json) {
        self.0.push((key.into(), Member::Value(value)));
    }

    fn set_node(&mut self, key: &str, node: Self) {
        self.0.push((key.into(), Member::Node(node)));
    }

    fn add_object(&mut self, object: &'static Object) {
        self.set("description", json!(object.description.trim()));
        self.set("type", json!("object"));
        self.set("additionalProperties", json!(false));
        let keys = || object.all_keys().map(|(_, key)| key);
        let required = keys().filter(|key| matches!(key.presence, Presence::Required));
        let required: Vec<&str> = required.map(|key| key.name).collect();
        if !required.is_empty() {
            self.set("required", json!(required));
        }
        if !object.any_of.is_empty() {
            let one_of = object.any_of.iter().map(|key| json!({"required": [key]}));
            self.set("oneOf", one_of.collect());
        } else if !object.exclusive.is_empty() {
            self.set("not", json!({"required": object.exclusive}));
        }
        let mut properties = Self::default();
        for key in keys() {
            properties.set_node(key.name, Self::of_key(key));
        }
        self.set_node("properties", properties);
    }

    fn of_key(key: &Key) -> Self {
        let mut node = Self::default();
        node.set("description", json!(key.description.trim()));
        if let Json::Object(members) = of_shape(key.shape) {
            for (name, value) in members {
                node.set(&name, value);
            }
        }
        if let Presence::Default(value) = key.presence {
            node.set("default", yaml_value(value));
        }
        node.set("examples", json!([yaml_value(key.example)]));
        node
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, member)| (key, member)))
    }
}

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Node(node) => node.serialize(serializer),
        }
    }
}

fn scalars() -> [(&'static str, Json); 3] {
    [
        (
            "text",
            json!({
                "description": "Text. A whole number stands for its digits; anything else that YAML takes for a number or a Boolean needs quotes.",
                "type": ["string", "integer"],
            }),
        ),
        (
            "duration",
            json!({
                "description": "A duration: `500ms`, `2s`, `1m30s`, `1h`.",
                "type": "string",
            }),
        ),
        (
            "size",
            json!({
                "description": "A size in bytes, or in KiB, MiB or GiB: `4096`, `32KiB`.",
                "type": ["string", "integer"],
            }),
        ),
    ]
}

fn of_shape(shape: &Shape) -> Json {
    match shape {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::True => json!({"const": true}),
        Shape::Text => json!({"type": "string"}),
        Shape::Name => json!({"$ref": "#/$defs/text"}),
        Shape::Words { words, .. } => {
            // Words such as `308` are integers in a file.
            let words = words().into_iter().map(|word| match word.parse::<u64>() {
                Ok(number) => json!(number),
                Err(_) => json!(word),
            });
            json!({"enum": words.collect::<Vec<_>>()})
        }
        Shape::Count { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Size { .. } => json!({"$ref": "#/$defs/size"}),
        Shape::Time { .. } => json!({"$ref": "#/$defs/duration"}),
        Shape::List {
            item,
            min,
            is_unique,
        } => {
            let mut list = json!({"type": "array", "items": of_shape(item)});
            if let (Some(list), true) = (list.as_object_mut(), *min > 0) {
                list.insert("minItems".into(), json!(min));
            }
            if let (Some(list), true) = (list.as_object_mut(), *is_unique) {
                list.insert("uniqueItems".into(), json!(true));
            }
            list
        }
        Shape::Map(value) => json!({"type": "object", "additionalProperties": of_shape(value)}),
        Shape::Object(object) => {
            json!({"$ref": format!("#/$defs/{}", definition_name(object))})
        }
        Shape::OneOf(shapes) => {
            let shapes: Vec<Json> = shapes.iter().map(|shape| of_shape(shape)).collect();
            json!({"anyOf": shapes})
        }
    }
}

fn definition_name(object: &Object) -> String {
    title(object).replace(' ', "_")
}
