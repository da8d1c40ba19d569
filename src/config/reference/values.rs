//! YAML in declarations, as JSON values.

use serde_json::{Map, Number, Value as Json};

use crate::config::document::{Document, Value, parse_yaml};
use crate::config::place::Place;

/// The value of a YAML text; null if it is not YAML.
pub(crate) fn yaml_value(text: &str) -> Json {
    // The text is a value, not a whole configuration.
    let doc = parse_yaml(&format!("value: {}", text.replace('\n', "\n  ")));
    let Ok(doc) = doc else { return Json::Null };
    let value = doc.entries(Place::ROOT).next();
    value.map_or(Json::Null, |(_, value)| to_json(&doc, value))
}

/// The value of a whole YAML document; null if it is not YAML.
pub(crate) fn document_value(text: &str) -> Json {
    parse_yaml(text).map_or(Json::Null, |doc| to_json(&doc, Place::ROOT))
}

fn to_json(doc: &Document, place: Place) -> Json {
    match doc.value(place) {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(value),
        Value::Number(written) => written
            .parse::<Number>()
            .map_or_else(|_| Json::from(written), Json::Number),
        Value::Text(text) => Json::from(text),
        Value::List => doc.items(place).map(|item| to_json(doc, item)).collect(),
        Value::Map => {
            let entries = doc.entries(place);
            let entries = entries.map(|(key, value)| {
                let key = doc.text(key).unwrap_or_default().to_owned();
                (key, to_json(doc, value))
            });
            Json::Object(entries.collect::<Map<_, _>>())
        }
    }
}
