//! Shapes, keys and objects as data: what a configuration may contain.

use std::time::Duration;

use crate::config::document::{Value, is_integer};
use crate::config::units::{DurationText, SizeText};

/// The shape of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// `true` or `false`.
    Bool,
    /// Only `true`.
    True,
    /// Text; a number is an error.
    Text,
    /// Text; a whole number stands for its digits.
    Name,
    /// One of a few words.
    Words {
        /// The words.
        words: fn() -> Vec<&'static str>,
        /// Whether some look like numbers, so that YAML may resolve them to numbers.
        are_numbers: bool,
    },
    /// A whole number within bounds.
    Count {
        /// Minimum.
        min: u64,
        /// Maximum.
        max: u64,
    },
    /// A size within bounds.
    Size {
        /// Minimum, in bytes.
        min: u64,
        /// Maximum, in bytes.
        max: u64,
    },
    /// A duration within bounds.
    Time {
        /// Minimum.
        min: Duration,
        /// Maximum.
        max: Duration,
    },
    /// A list.
    List {
        /// The shape of its items.
        item: &'static Self,
        /// Minimum number of items.
        min: usize,
        /// Whether no two items may be equal.
        is_unique: bool,
    },
    /// A map from names to values.
    Map(&'static Self),
    /// A map with declared keys.
    Object(&'static Object),
    /// One of several shapes.
    OneOf(&'static [&'static Self]),
}

/// A map with declared keys.
#[derive(Debug)]
pub(crate) struct Object {
    /// Its name as a definition of the JSON Schema, in upper camel case.
    pub(crate) name: &'static str,
    /// Its name in messages: `a route`, or a key in backquotes.
    pub(crate) what: &'static str,
    /// One sentence.
    pub(crate) description: &'static str,
    /// A small example.
    pub(crate) example: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [Key],
    /// Objects whose keys it has too, after its own.
    pub(crate) groups: &'static [&'static Self],
    /// Keys at least one of which is required.
    pub(crate) any_of: &'static [&'static str],
    /// Keys that exclude one another.
    pub(crate) exclusive: &'static [&'static str],
    /// Keys of features that do not exist yet.
    pub(crate) not_built: &'static [&'static str],
    /// Whether its keys configure the process, so that an `init` message cannot set them.
    pub(crate) is_of_process: bool,
}

/// A key of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// The shape of its value.
    pub(crate) shape: &'static Shape,
    /// What its absence means.
    pub(crate) presence: Presence,
    /// One or two sentences.
    pub(crate) description: &'static str,
    /// An example of a value, in YAML.
    pub(crate) example: &'static str,
}

/// What the absence of a key means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Presence {
    /// It is an error.
    Required,
    /// The same as this value, in YAML.
    Default(&'static str),
    /// Described in words.
    Unset(&'static str),
}

impl Shape {
    /// Whether a value has this shape, without regard to its content.
    pub(crate) fn admits(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Bool | Self::True, Value::Bool(_))
            | (Self::Text | Self::Name | Self::Words { .. }, Value::Text(_))
            | (
                Self::Count { .. } | Self::Size { .. } | Self::Time { .. },
                Value::Text(_) | Value::Number(_),
            )
            | (Self::List { .. }, Value::List)
            | (Self::Map(_) | Self::Object(_), Value::Map) => true,
            (Self::Words { are_numbers, .. }, Value::Number(_)) => *are_numbers,
            (Self::Name, Value::Number(written)) => is_integer(written),
            (Self::OneOf(shapes), value) => shapes.iter().any(|shape| shape.admits(value)),
            _ => false,
        }
    }

    /// The alternatives, for "expected ..., found ...".
    pub(crate) fn alternatives(&self) -> Vec<String> {
        match self {
            Self::Bool => vec!["true".into(), "false".into()],
            Self::True => vec!["true".into()],
            Self::Text | Self::Name => vec!["text".into()],
            Self::Words { words, .. } => words().iter().map(|word| format!("`{word}`")).collect(),
            Self::Count { .. } => vec!["a whole number".into()],
            Self::Size { .. } => vec!["a size".into()],
            Self::Time { .. } => vec!["a duration".into()],
            Self::List { item, .. } => match item.object() {
                Some(object) => vec![format!("a list of {}", object.plural())],
                None => vec!["a list".into()],
            },
            Self::Map(_) | Self::Object(_) => vec!["a map".into()],
            Self::OneOf(shapes) => shapes
                .iter()
                .flat_map(|shape| shape.alternatives())
                .collect(),
        }
    }

    /// The object that a value of this shape is, or may be.
    pub(crate) fn object(&self) -> Option<&'static Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::OneOf(shapes) => shapes.iter().find_map(|shape| shape.object()),
            Self::Bool
            | Self::True
            | Self::Text
            | Self::Name
            | Self::Words { .. }
            | Self::Count { .. }
            | Self::Size { .. }
            | Self::Time { .. }
            | Self::List { .. }
            | Self::Map(_) => None,
        }
    }

    /// The bounds of a number, a size or a duration, as the configuration writes them.
    pub(crate) fn bounds(&self) -> Option<(String, String)> {
        match self {
            Self::Count { min, max } => Some((min.to_string(), max.to_string())),
            Self::Size { min, max } => {
                Some((SizeText(*min).to_string(), SizeText(*max).to_string()))
            }
            Self::Time { min, max } => Some((
                DurationText(*min).to_string(),
                DurationText(*max).to_string(),
            )),
            Self::Bool
            | Self::True
            | Self::Text
            | Self::Name
            | Self::Words { .. }
            | Self::List { .. }
            | Self::Map(_)
            | Self::Object(_)
            | Self::OneOf(_) => None,
        }
    }
}

impl Object {
    /// An object without keys, to base declarations on.
    pub(crate) const EMPTY: Self = Self {
        name: "",
        what: "",
        description: "",
        example: "",
        keys: &[],
        groups: &[],
        any_of: &[],
        exclusive: &[],
        not_built: &[],
        is_of_process: false,
    };

    /// Its keys and those of its groups, each with the object that declares it.
    pub(crate) fn all_keys(&'static self) -> impl Iterator<Item = (&'static Self, &'static Key)> {
        let groups = self.groups.iter().copied();
        std::iter::once(self)
            .chain(groups)
            .flat_map(|object| object.keys.iter().map(move |key| (object, key)))
    }

    /// The index of a key in [`Self::all_keys`], and the object that declares it.
    pub(crate) fn position(&'static self, key: &str) -> Option<(usize, &'static Self)> {
        let mut first = 0;
        for object in std::iter::once(self).chain(self.groups.iter().copied()) {
            if let Some(at) = object.keys.iter().position(|known| known.name == key) {
                return Some((first + at, object));
            }
            first += object.keys.len();
        }
        None
    }

    /// Whether `key` belongs to a feature that does not exist yet.
    pub(crate) fn is_not_built(&self, key: &str) -> bool {
        let mut objects = std::iter::once(self).chain(self.groups.iter().copied());
        objects.any(|object| object.not_built.contains(&key))
    }

    /// Several of it: `routes` for `a route`.
    pub(crate) fn plural(&self) -> String {
        let singular = self.what.strip_prefix("a ").unwrap_or(self.what);
        format!("{singular}s")
    }
}
