//! Kinds of values: how a value is read, and its shape.

use crate::config::place::Place;
use crate::config::read::reader::Reader;
use crate::config::read::shape::Shape;

/// A kind of value that a key may have.
///
/// The types that implement it are names for kinds; no value of them exists, except for objects.
pub(crate) trait Kind {
    /// The type of a value that was read.
    type Value;

    /// Its shape, for the JSON Schema and the reference page.
    const SHAPE: &'static Shape;

    /// Reads the value at `place`. Reports what is wrong and returns `None`, or returns the value.
    /// `example` is a value that would be right, in YAML.
    fn read(reader: &mut Reader<'_>, place: Place, example: &'static str) -> Option<Self::Value>;
}
