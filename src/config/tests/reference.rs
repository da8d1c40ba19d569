//! The generated files are up to date, and what they say is true.

use std::path::Path;
use std::{env, fs};

use serde_json::{Map, Value as Json, json};

use crate::config::compile::{LoadOptions, load_file};
use crate::config::document::parse_json;
use crate::config::keys::RawFile;
use crate::config::read::{Keys, Object, Presence, Strictness};
use crate::config::reference::{
    EXAMPLES, Found, document_value, json_schema, objects, reference_page, yaml_value,
};
use crate::config::serve::Serve;
use crate::config::tests::read;
use crate::engine::policy::RoutePolicy;

#[test]
fn the_generated_files_are_up_to_date() {
    for (name, expected) in [
        ("docs/configuration.md", reference_page()),
        ("fixtures/config.schema.json", json_schema()),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&path, &expected).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "{name} is out of date; run UPDATE_FIXTURES=1 cargo test --lib config"
        );
    }
}

#[test]
fn the_examples_load() {
    for example in EXAMPLES {
        let loaded = load_file(example, LoadOptions::FILE).unwrap();
        assert_eq!(loaded.remarks, [], "{example}");
    }
}

#[test]
fn the_examples_of_the_page_load() {
    let page = reference_page();
    let blocks: Vec<&str> = page
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let loaded = load_file(block, LoadOptions::FILE).unwrap();
        assert_eq!(loaded.remarks, [], "{block}");
    }
}

/// Puts the example of each key, and of each object, into an otherwise small file.
#[test]
fn the_examples_of_the_keys_are_read_without_errors() {
    let mut count = 0;
    for found in objects(RawFile::OBJECT) {
        for path in &found.paths {
            let object = yaml_value(object_at(path).example);
            for key in found.object.keys {
                assert!(!yaml_value(key.example).is_null(), "{key:?}");
                let mut object = object.clone();
                if found.object.exclusive.contains(&key.name) {
                    let members = object.as_object_mut().unwrap();
                    members.retain(|name, _| !found.object.exclusive.contains(&name.as_str()));
                }
                object[key.name] = yaml_value(key.example);
                let file = file_with(path, object);
                let document = parse_json(&file.to_string()).unwrap();
                let (_, diagnostics) = read(&document, Strictness::File);
                assert_eq!(diagnostics, [], "{file}");
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}

/// A file that has `object` at `path`, such as `routes[].retry`.
fn file_with(path: &str, object: Json) -> Json {
    let Some(at) = path.rfind(['.', '[']).filter(|_| !path.is_empty()) else {
        return match path {
            "" => object,
            key => json!({ key: object }),
        };
    };
    let (parent, step) = path.split_at(at);
    match step {
        "[]" => file_with(parent, json!([object])),
        ".NAME" => file_with(parent, json!({ "v1": object })),
        step => {
            let mut whole = yaml_value(object_at(parent).example);
            whole[step.trim_start_matches('.')] = object;
            if step == ".tls" {
                whole.as_object_mut().unwrap().remove("redirect_to_https");
            }
            file_with(parent, whole)
        }
    }
}

/// The object at a path; not one of its groups.
fn object_at(path: &str) -> &'static Object {
    let found = objects(RawFile::OBJECT);
    let is_there = |found: &&Found| found.paths.iter().any(|known| known == path);
    found.iter().find(is_there).unwrap().object
}

/// A file that states every declared default is the same as one that states nothing.
#[test]
fn the_declared_defaults_are_the_defaults() {
    let mut file = defaults_of(RawFile::OBJECT);
    assert_eq!(file["limits"]["streams"], 100);
    assert_eq!(file["defaults"]["retry"]["attempts"], 2);
    file["routes"] = json!([{"path_pattern": "/a", "service": "s", "backends": ["b"]}]);
    let loaded = load_file(&file.to_string(), LoadOptions::FILE).unwrap();
    assert_eq!(loaded.serve, Serve::default());
    assert_eq!(*loaded.configured[0].policy, RoutePolicy::default());
}

fn defaults_of(object: &'static Object) -> Json {
    let mut defaults = Map::new();
    for (_, key) in object.all_keys() {
        let value = match (key.presence, key.shape.object()) {
            (Presence::Default(value), _) => yaml_value(value),
            (_, Some(object))
                if object
                    .keys
                    .iter()
                    .all(|key| !matches!(key.presence, Presence::Required)) =>
            {
                defaults_of(object)
            }
            _ => continue,
        };
        defaults.insert(key.name.into(), value);
    }
    Json::Object(defaults)
}

#[test]
fn every_reference_of_the_schema_is_defined() {
    let schema: Json = serde_json::from_str(&json_schema()).unwrap();
    let text = schema.to_string();
    for reference in text.split("\"#/$defs/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schema["$defs"][name].is_object(), "{name}");
    }
    assert_eq!(
        schema["$defs"]["route"]["required"],
        json!(["path_pattern"])
    );
    assert_eq!(schema["examples"][0], document_value(EXAMPLES[0]));
}
