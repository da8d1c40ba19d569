//! A configuration text as a tree in which every key and value knows its place.
//!
//! YAML and JSON give the same tree. It has no semantics: it does not know a key, and it refuses
//! only text that is no YAML or JSON, that holds several documents, or that would grow out of
//! proportion (nested too deep, aliases of aliases). Duplicate keys stay in it and are listed by
//! [`Document::duplicate_keys`], for they are faults and not a choice of the parser.

use std::collections::HashMap;

use crate::config::diagnostic::{Diagnostic, Position};
use crate::config::{json, yaml};

/// A parsed configuration text.
///
/// The nodes stand in the order of the text, each container before what it contains, a key before
/// its value. So the order of two places is the order in which a reader meets them.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) nodes: Vec<Node>,
    /// The characters of all scalars and keys, one after the other.
    pub(super) characters: String,
}

/// Names a node of one [`Document`]: a key, a value or an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub(super) u32);

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'d> {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`, in just these letters.
    Bool(bool),
    /// A number as it was written: `2`, `-1`, `1.10`.
    Number(&'d str),
    /// Any other scalar.
    Text(&'d str),
    /// See [`Document::items`].
    List,
    /// See [`Document::entries`].
    Map,
}

impl Document {
    /// Reads one YAML 1.2 document; an empty text is an empty map.
    ///
    /// Merge keys (`<<`) are ordinary keys, aliases stand for a copy of what they name, and the
    /// position of what came through an alias is that of the original.
    ///
    /// # Errors
    /// The first `config.syntax` fault, with its position.
    pub fn from_yaml(text: &str) -> Result<Self, Diagnostic> {
        yaml::read(text)
    }

    /// Reads one JSON value. No place of it has a position.
    ///
    /// # Errors
    /// The first `config.syntax` fault, with its position.
    pub fn from_json(text: &str) -> Result<Self, Diagnostic> {
        json::read(text)
    }

    /// What stands at `place`.
    pub fn value(&self, place: Place) -> Value<'_> {
        match self.node(place).map(|node| node.content) {
            None | Some(Content::Null) => Value::Null,
            Some(Content::Bool(value)) => Value::Bool(value),
            Some(Content::Number(characters)) => Value::Number(self.slice(characters)),
            Some(Content::Text(characters)) => Value::Text(self.slice(characters)),
            Some(Content::List { .. }) => Value::List,
            Some(Content::Map { .. }) => Value::Map,
        }
    }

    /// The text or the whole number at `place`: what may stand where text is expected.
    pub fn text(&self, place: Place) -> Option<&str> {
        match self.value(place) {
            Value::Text(text) => Some(text),
            Value::Number(digits) if is_integer(digits) => Some(digits),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List | Value::Map => None,
        }
    }

    /// The elements of the list at `place`; none if it is no list.
    pub fn items(&self, place: Place) -> impl Iterator<Item = Place> + '_ {
        let end = match self.node(place).map(|node| node.content) {
            Some(Content::List { end }) => end,
            _ => 0,
        };
        self.children(place, end)
    }

    /// The keys and values of the map at `place`, duplicates too; none if it is no map.
    pub fn entries(&self, place: Place) -> impl Iterator<Item = (Place, Place)> + '_ {
        let end = match self.node(place).map(|node| node.content) {
            Some(Content::Map { end }) => end,
            _ => 0,
        };
        let mut children = self.children(place, end);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// Each key that its map already has, after the key that was there first.
    pub fn duplicate_keys(&self) -> Vec<(Place, Place)> {
        let mut found = Vec::new();
        let mut seen = Vec::new();
        for (index, node) in (0..).zip(&self.nodes) {
            if !matches!(node.content, Content::Map { .. }) {
                continue;
            }
            seen.clear();
            let keys = self.entries(Place(index)).map(|(key, _)| key);
            seen.extend(keys.filter_map(|key| Some((self.text(key)?, key))));
            duplicates(&seen, &mut found);
        }
        found
    }

    /// The path of a place, such as `routes[3].path_pattern`; empty for the whole document. A key
    /// and its value have the same path.
    pub fn at(&self, place: Place) -> String {
        let mut steps = Vec::new();
        let mut place = place;
        while place != Place::ROOT
            && let Some(node) = self.node(place)
        {
            steps.push(node);
            place = node.parent;
        }
        let mut path = String::new();
        for node in steps.into_iter().rev() {
            if self.value(node.parent) != Value::Map {
                path.push_str(&format!("[{}]", node.step));
                continue;
            }
            let key = self.text(Place(node.step)).unwrap_or("?");
            if !key.is_empty()
                && key
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
            {
                path.push_str(if path.is_empty() { "" } else { "." });
                path.push_str(key);
            } else {
                path.push_str(&format!("[{key:?}]"));
            }
        }
        path
    }

    /// Where a place is in the text; `None` in a document that came from JSON.
    pub fn position(&self, place: Place) -> Option<Position> {
        self.node(place)?.position()
    }

    /// An error at a place of this document.
    pub fn fault(
        &self,
        place: Place,
        code: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            at: self.at(place),
            position: self.position(place),
            place,
            ..Diagnostic::error(code, message)
        }
    }

    fn node(&self, place: Place) -> Option<&Node> {
        self.nodes.get(usize::try_from(place.0).ok()?)
    }

    fn slice(&self, characters: Characters) -> &str {
        let range = usize::try_from(characters.start)
            .ok()
            .zip(usize::try_from(characters.end).ok());
        range
            .and_then(|(start, end)| self.characters.get(start..end))
            .unwrap_or_default()
    }

    fn children(&self, place: Place, end: u32) -> impl Iterator<Item = Place> + '_ {
        let mut next = place.0 + 1;
        std::iter::from_fn(move || {
            let child = Place(next);
            if next >= end {
                return None;
            }
            next = match self.node(child)?.content {
                Content::List { end } | Content::Map { end } => end,
                Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => {
                    next + 1
                }
            };
            Some(child)
        })
    }
}

impl Place {
    /// The whole document.
    pub const ROOT: Self = Self(0);
}

/// Whether a number as it was written is a whole one.
pub(super) fn is_integer(written: &str) -> bool {
    let digits = written.strip_prefix('-').unwrap_or(written);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A key or a value of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) parent: Place,
    /// In a list the index of this element; in a map the place of this key or of this value's key.
    pub(super) step: u32,
    /// 0 if unknown, as is `column`.
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) content: Content,
}

impl Node {
    fn position(&self) -> Option<Position> {
        (self.line > 0).then_some(Position {
            line: self.line,
            column: self.column,
        })
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Number(Characters),
    Text(Characters),
    /// `end` is the index after the last node inside, as in `Map`.
    List {
        end: u32,
    },
    Map {
        end: u32,
    },
}

/// A range of [`Document::characters`], in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Characters {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Adds to `found` each key that comes again, after its first.
fn duplicates(keys: &[(&str, Place)], found: &mut Vec<(Place, Place)>) {
    if keys.len() <= 16 {
        for (index, (key, place)) in keys.iter().enumerate() {
            if let Some((_, first)) = keys.iter().take(index).find(|(earlier, _)| earlier == key) {
                found.push((*first, *place));
            }
        }
        return;
    }
    let mut first_of = HashMap::with_capacity(keys.len());
    for &(key, place) in keys {
        let first = *first_of.entry(key).or_insert(place);
        if first != place {
            found.push((first, place));
        }
    }
}
