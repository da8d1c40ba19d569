//! The reference page of the configuration, `docs/configuration.md`.

use std::fmt::Write;

use crate::config::keys::RawFile;
use crate::config::read::{Key, Keys, Object, Presence, Shape, in_words};
use crate::config::reference::examples::{LARGE, SMALL};
use crate::config::reference::walk::{Found, objects, title};
use crate::config::units::DurationText;

/// The reference page, in Markdown.
#[must_use]
pub fn reference_page() -> String {
    let mut keys = String::new();
    for found in objects(RawFile::OBJECT) {
        section(&mut keys, &found);
    }
    TEMPLATE
        .replace("{{small}}", SMALL.trim_end())
        .replace("{{large}}", LARGE.trim_end())
        .replace("{{keys}}", keys.trim_end())
}

const TEMPLATE: &str = include_str!("../../../fixtures/reference/page.md");

fn section(out: &mut String, found: &Found) {
    let object = found.object;
    let _ = write!(out, "### {}\n\n", heading(object));
    let paths = found.paths.iter().map(|path| match path.as_str() {
        "" => "the top level of the file".to_owned(),
        path => format!("`{path}`"),
    });
    let paths: Vec<String> = paths.collect();
    let _ = write!(
        out,
        "{} At {}.\n\n",
        object.description.trim(),
        paths.join(", ")
    );
    out.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
    for key in object.keys {
        row(out, key);
    }
    out.push('\n');
    for sentence in rules(object) {
        let _ = write!(out, "{sentence}\n\n");
    }
}

fn row(out: &mut String, key: &Key) {
    let default = match key.presence {
        Presence::Required => "required".to_owned(),
        Presence::Default(value) => format!("`{value}`"),
        Presence::Unset(words) => words.to_owned(),
    };
    let _ = writeln!(
        out,
        "| `{}` | {} | {default} | {} Example: `{}` |",
        key.name,
        type_in_words(key.shape),
        key.description.trim(),
        key.example
    );
}

/// What the tables do not say: which keys depend on others.
fn rules(object: &Object) -> Vec<String> {
    let quoted = |keys: &[&str], word: &str| {
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        keys.join(word)
    };
    let mut rules = Vec::new();
    if !object.any_of.is_empty() {
        let keys = quoted(object.any_of, " or ");
        rules.push(format!("Either {keys} is required."));
    }
    if !object.exclusive.is_empty() && object.any_of.is_empty() {
        let keys = quoted(object.exclusive, " and ");
        rules.push(format!("{keys} exclude each other."));
    }
    if !object.groups.is_empty() {
        let groups: Vec<String> = object.groups.iter().map(|group| link(group)).collect();
        rules.push(format!(
            "The keys of {} belong here too.",
            groups.join(" and ")
        ));
    }
    if !object.not_built.is_empty() {
        let keys = quoted(object.not_built, ", ");
        rules.push(format!("Not supported yet, and an error: {keys}."));
    }
    rules
}

fn type_in_words(shape: &Shape) -> String {
    in_words(alternatives(shape))
}

fn alternatives(shape: &Shape) -> Vec<String> {
    let one = match shape {
        Shape::Bool => return vec!["`true`".into(), "`false`".into()],
        Shape::Words { words, .. } => {
            return words().iter().map(|word| format!("`{word}`")).collect();
        }
        Shape::OneOf(shapes) => {
            return shapes
                .iter()
                .flat_map(|shape| alternatives(shape))
                .collect();
        }
        Shape::True => "`true`".into(),
        Shape::Text | Shape::Name => "text".into(),
        Shape::Count { min, max } => format!("number, {min} to {max}"),
        Shape::Size { .. } => {
            let (min, max) = shape.bounds().unwrap_or_default();
            format!("size, {min} to {max}")
        }
        Shape::Time { min, max } => {
            let (min, max) = (DurationText(*min), DurationText(*max));
            format!("duration, {min} to {max}")
        }
        Shape::List { item, .. } => format!("list of {}", item_in_words(item)),
        Shape::Map(value) => format!("map of names to {}", item_in_words(value)),
        Shape::Object(object) => link(object),
    };
    vec![one]
}

/// The type of an item, in parentheses if there are several.
fn item_in_words(shape: &Shape) -> String {
    match &alternatives(shape)[..] {
        [one] => one.clone(),
        several => format!("({})", in_words(several.iter().cloned())),
    }
}

fn link(object: &Object) -> String {
    let anchor = title(object).replace(' ', "-");
    format!("[{}](#{anchor})", title_with_acronyms(object))
}

fn heading(object: &Object) -> String {
    let title = title_with_acronyms(object);
    let mut characters = title.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

fn title_with_acronyms(object: &Object) -> String {
    let words = title(object);
    let words = words.split(' ').map(|word| match word {
        "cors" | "tls" | "https" => word.to_ascii_uppercase(),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}
