//! Kinds made of other kinds: lists, maps, alternatives.

use std::marker::PhantomData;

use crate::config::diagnostic::excerpt;
use crate::config::document::Value;
use crate::config::place::{At, Place};
use crate::config::read::kind::Kind;
use crate::config::read::reader::Reader;
use crate::config::read::scalars::in_words;
use crate::config::read::shape::Shape;

/// A list.
///
/// `MIN` and `IS_UNIQUE` are for the JSON Schema; the compiler reports such errors, each with its
/// own code.
pub(crate) struct List<K, const MIN: usize = 0, const IS_UNIQUE: bool = false>(PhantomData<K>);

/// A list without equal items.
pub(crate) type Set<K> = List<K, 0, true>;

/// A list with one item or more.
pub(crate) type NonEmpty<K> = List<K, 1, false>;

/// A list with one item or more and without equal items.
pub(crate) type NonEmptySet<K> = List<K, 1, true>;

/// A list, or its only item.
pub(crate) struct OneOrMany<K>(PhantomData<K>);

/// A map from names to values, in the order of the text.
pub(crate) struct Map<K>(PhantomData<K>);

/// One kind or the other, depending on the type of the value: a scalar or an object.
pub(crate) struct Or<A, B>(PhantomData<(A, B)>);

/// A value of [`Or`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Either<A, B> {
    /// The first kind.
    First(A),
    /// The second kind.
    Second(B),
}

/// A value with its place.
pub(crate) struct Located<K>(PhantomData<K>);

/// A rare, large value on the heap.
pub(crate) struct Boxed<K>(PhantomData<K>);

impl<K: Kind, const MIN: usize, const IS_UNIQUE: bool> Kind for List<K, MIN, IS_UNIQUE> {
    type Value = At<Vec<K::Value>>;

    const SHAPE: &'static Shape = &Shape::List {
        item: K::SHAPE,
        min: MIN,
        is_unique: IS_UNIQUE,
    };

    fn read(reader: &mut Reader<'_>, place: Place, example: &'static str) -> Option<Self::Value> {
        let found = reader.value(place);
        if found != Value::List {
            let help = match found {
                Value::Text(text) if K::SHAPE.admits(found) => {
                    format!("write a list: [{}]", in_a_list(text))
                }
                Value::Number(digits) if K::SHAPE.admits(Value::Text(digits)) => {
                    format!("write a list: [\"{digits}\"]")
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::List
                | Value::Map => format!("write {example}"),
            };
            reader.mismatch(place, &Self::SHAPE.alternatives().concat(), Some(help));
            return None;
        }
        let items = reader.items(place);
        Some(read_items::<K>(reader, place, items))
    }
}

impl<K: Kind> Kind for OneOrMany<K> {
    type Value = At<Vec<K::Value>>;

    const SHAPE: &'static Shape = &Shape::OneOf(&[
        K::SHAPE,
        &Shape::List {
            item: K::SHAPE,
            min: 1,
            is_unique: false,
        },
    ]);

    fn read(reader: &mut Reader<'_>, place: Place, _: &'static str) -> Option<Self::Value> {
        let items = match reader.value(place) {
            Value::List => reader.items(place),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map => {
                vec![place]
            }
        };
        Some(read_items::<K>(reader, place, items))
    }
}

impl<K: Kind> Kind for Map<K> {
    type Value = Vec<(At<String>, K::Value)>;

    const SHAPE: &'static Shape = &Shape::Map(K::SHAPE);

    fn read(reader: &mut Reader<'_>, place: Place, example: &'static str) -> Option<Self::Value> {
        let values = K::SHAPE.object().map(|object| object.plural());
        let values = values.unwrap_or_else(|| "texts".into());
        let expected = format!("a map from names to {values}");
        let entries = reader.entries(place, &expected, example)?;
        let mut values = Vec::with_capacity(entries.len());
        for (name, place) in entries {
            values.extend(K::read(reader, place, item_example::<K>()).map(|value| (name, value)));
        }
        Some(values)
    }
}

impl<A: Kind, B: Kind> Kind for Or<A, B> {
    type Value = Either<A::Value, B::Value>;

    const SHAPE: &'static Shape = &Shape::OneOf(&[A::SHAPE, B::SHAPE]);

    fn read(reader: &mut Reader<'_>, place: Place, example: &'static str) -> Option<Self::Value> {
        let found = reader.value(place);
        if A::SHAPE.admits(found) {
            return A::read(reader, place, example).map(Either::First);
        }
        if B::SHAPE.admits(found) {
            return B::read(reader, place, example).map(Either::Second);
        }
        if matches!(A::SHAPE, Shape::Text | Shape::Name)
            && matches!(found, Value::Bool(_) | Value::Number(_))
        {
            reader.not_text(place);
            return None;
        }
        let expected = in_words(Self::SHAPE.alternatives());
        reader.mismatch(place, &expected, Some(format!("write {example}")));
        None
    }
}

impl<K: Kind> Kind for Located<K> {
    type Value = At<K::Value>;

    const SHAPE: &'static Shape = K::SHAPE;

    fn read(reader: &mut Reader<'_>, place: Place, example: &'static str) -> Option<Self::Value> {
        let value = K::read(reader, place, example)?;
        Some(At { value, place })
    }
}

impl<K: Kind> Kind for Boxed<K> {
    type Value = Box<K::Value>;

    const SHAPE: &'static Shape = K::SHAPE;

    fn read(reader: &mut Reader<'_>, place: Place, example: &'static str) -> Option<Self::Value> {
        K::read(reader, place, example).map(Box::new)
    }
}

fn read_items<K: Kind>(
    reader: &mut Reader<'_>,
    place: Place,
    items: Vec<Place>,
) -> At<Vec<K::Value>> {
    let mut value = Vec::with_capacity(items.len());
    for item in items {
        value.extend(K::read(reader, item, item_example::<K>()));
    }
    At { value, place }
}

/// An example of an item of a list or a map.
fn item_example<K: Kind>() -> &'static str {
    K::SHAPE.object().map_or("text", |object| object.example)
}

/// `text` as an item of a YAML flow list, in quotes if it needs them.
fn in_a_list(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    let begins_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    if begins_plain && text.chars().all(is_plain) {
        return excerpt(text);
    }
    format!("\"{}\"", excerpt(text))
}
