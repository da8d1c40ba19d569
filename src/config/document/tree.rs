//! The tree of a configuration text.
//!
//! Duplicate keys stay in the tree; [`Document::duplicate_keys`] lists them, because they are an
//! error and not a choice of the parser.

use std::collections::HashMap;

use crate::config::diagnostic::Diagnostic;
use crate::config::place::{Place, Position};

/// A parsed configuration text.
///
/// The nodes are in the order of the text: a container before its content, a key before its value.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(super) nodes: Vec<Node>,
    /// The characters of all scalars and keys, concatenated.
    pub(super) characters: String,
}

/// The value at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'d> {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`, in lower case.
    Bool(bool),
    /// A number as written: `2`, `-1`, `1.10`.
    Number(&'d str),
    /// Any other scalar.
    Text(&'d str),
    /// A list: see [`Document::items`].
    List,
    /// A map: see [`Document::entries`].
    Map,
}

impl Document {
    /// The value at `place`.
    pub(crate) fn value(&self, place: Place) -> Value<'_> {
        match self.node(place).map(|node| node.content) {
            None | Some(Content::Null) => Value::Null,
            Some(Content::Bool(value)) => Value::Bool(value),
            Some(Content::Number(characters)) => Value::Number(self.slice(characters)),
            Some(Content::Text(characters)) => Value::Text(self.slice(characters)),
            Some(Content::List { .. }) => Value::List,
            Some(Content::Map { .. }) => Value::Map,
        }
    }

    /// The text or whole number at `place`, for keys where a number stands for its digits.
    pub(crate) fn text(&self, place: Place) -> Option<&str> {
        match self.value(place) {
            Value::Text(text) => Some(text),
            Value::Number(digits) if is_integer(digits) => Some(digits),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List | Value::Map => None,
        }
    }

    /// The items of the list at `place`; empty if it is not a list.
    pub(crate) fn items(&self, place: Place) -> impl Iterator<Item = Place> + '_ {
        let end = match self.node(place).map(|node| node.content) {
            Some(Content::List { end }) => end,
            _ => 0,
        };
        self.children(place, end)
    }

    /// The keys and values of the map at `place`, including duplicates; empty if it is not a map.
    pub(crate) fn entries(&self, place: Place) -> impl Iterator<Item = (Place, Place)> + '_ {
        let end = match self.node(place).map(|node| node.content) {
            Some(Content::Map { end }) => end,
            _ => 0,
        };
        let mut children = self.children(place, end);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// Each duplicate key, as (first occurrence, duplicate).
    pub(crate) fn duplicate_keys(&self) -> Vec<(Place, Place)> {
        let mut found = Vec::new();
        let mut keys_of_map = Vec::new();
        for (index, node) in (0..).zip(&self.nodes) {
            if !matches!(node.content, Content::Map { .. }) {
                continue;
            }
            keys_of_map.clear();
            let keys = self.entries(Place(index)).map(|(key, _)| key);
            keys_of_map.extend(keys.filter_map(|key| Some((self.text(key)?, key))));
            duplicates(&keys_of_map, &mut found);
        }
        found
    }

    /// The path of a place, such as `routes[3].path_pattern`; empty for the whole document. A key
    /// and its value have the same path.
    pub(crate) fn at(&self, place: Place) -> String {
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

    /// The position of a place in the text; `None` in a document that came from JSON.
    pub(crate) fn position(&self, place: Place) -> Option<Position> {
        self.node(place)?.position()
    }

    /// An error at a place of this document.
    pub(crate) fn error(
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

/// Whether a number as written is a whole one.
pub(crate) fn is_integer(written: &str) -> bool {
    let digits = written.strip_prefix('-').unwrap_or(written);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A key or a value of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) parent: Place,
    /// In a list, the index of this item; in a map, the place of this key or of this value's key.
    pub(super) step: u32,
    /// 0 if unknown, like `column`.
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

/// The content of a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Number(Characters),
    Text(Characters),
    /// `end` is the index after the last node inside, as for `Map`.
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

/// Adds each duplicate key to `found`, after its first occurrence.
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
