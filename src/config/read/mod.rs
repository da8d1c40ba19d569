//! Reading a document by declared keys.
//!
//! An [`object!`] declaration lists the keys of a map once: name, [`Kind`], default, example and
//! description. It makes the struct that holds their values and the code that reads them, and its
//! [`Object`] describes them to the JSON Schema and to the reference page.
//!
//! Reading checks shapes: known keys, required keys, types, bounds and words. It reports every
//! error at once and does not stop at the first. The meaning of texts (patterns, addresses, names)
//! is up to the compiler.

// The macros name the modules that are visible to the rest of the configuration.
mod containers;
pub(super) mod kind;
pub(super) mod object;
mod quantity;
pub(super) mod reader;
pub(super) mod scalars;
pub(super) mod shape;

pub(crate) use containers::{Boxed, Either, List, Located, Map, NonEmpty, NonEmptySet, OneOrMany};
pub(crate) use containers::{Or, Set};
pub(crate) use kind::Kind;
pub(crate) use object::{Keys, object};
pub(crate) use quantity::{Count, DAY_MS, OrNone, Size, Time};
pub(crate) use reader::Reader;
pub use reader::Strictness;
pub(crate) use scalars::{Bool, Name, Text, True, Word, Words, choose, in_words, word_of, words};
pub(crate) use shape::{Key, Object, Presence, Shape};
