//! Kinds of scalars: Booleans, text and words.

use std::marker::PhantomData;

use crate::config::diagnostic::{did_you_mean, excerpt};
use crate::config::document::Value;
use crate::config::place::{At, Place};
use crate::config::read::kind::Kind;
use crate::config::read::reader::{Reader, located};
use crate::config::read::shape::Shape;

/// `true` or `false`.
pub(crate) enum Bool {}

/// Only `true`.
pub(crate) enum True {}

/// Text that is never a number: paths, addresses, hosts.
pub(crate) enum Text {}

/// Text that names something: a whole number stands for its digits.
pub(crate) enum Name {}

/// One of a few words.
pub(crate) struct Word<W>(PhantomData<W>);

/// A set of words and the value of each.
pub(crate) trait Words: 'static {
    /// The type of the values.
    type Value: Copy + 'static;
    /// Each word and its value.
    const WORDS: &'static [(&'static str, Self::Value)];
    /// Whether some words look like numbers.
    const ARE_NUMBERS: bool = false;
}

impl Kind for Bool {
    type Value = bool;

    const SHAPE: &'static Shape = &Shape::Bool;

    fn read(reader: &mut Reader<'_>, place: Place, _: &'static str) -> Option<bool> {
        if let Value::Bool(value) = reader.value(place) {
            return Some(value);
        }
        reader.mismatch(place, "true or false", None);
        None
    }
}

impl Kind for True {
    type Value = ();

    const SHAPE: &'static Shape = &Shape::True;

    fn read(reader: &mut Reader<'_>, place: Place, example: &'static str) -> Option<()> {
        if Bool::read(reader, place, example)? {
            return Some(());
        }
        let message = "`false` has no meaning here".into();
        let help = Some("write `true`, or remove the constraint".into());
        reader.error(place, "config.type", message, help);
        None
    }
}

impl Kind for Text {
    type Value = At<String>;

    const SHAPE: &'static Shape = &Shape::Text;

    fn read(reader: &mut Reader<'_>, place: Place, _: &'static str) -> Option<At<String>> {
        if let Value::Text(text) = reader.value(place) {
            return Some(located(text, place));
        }
        reader.not_text(place);
        None
    }
}

impl Kind for Name {
    type Value = At<String>;

    const SHAPE: &'static Shape = &Shape::Name;

    fn read(reader: &mut Reader<'_>, place: Place, _: &'static str) -> Option<At<String>> {
        if let Some(text) = reader.text(place) {
            return Some(located(text, place));
        }
        reader.not_text(place);
        None
    }
}

impl<W: Words> Kind for Word<W> {
    type Value = W::Value;

    const SHAPE: &'static Shape = &Shape::Words {
        words: || W::WORDS.iter().map(|(word, _)| *word).collect(),
        are_numbers: W::ARE_NUMBERS,
    };

    fn read(reader: &mut Reader<'_>, place: Place, _: &'static str) -> Option<W::Value> {
        match reader.value(place) {
            Value::Text(word) => choose(reader, place, word, W::WORDS),
            Value::Number(word) if W::ARE_NUMBERS => choose(reader, place, word, W::WORDS),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List | Value::Map => {
                reader.not_text(place);
                None
            }
        }
    }
}

/// Returns the value of a word. Reports a word that is not among `words`.
pub(crate) fn choose<V: Copy>(
    reader: &mut Reader<'_>,
    place: Place,
    word: &str,
    words: &[(&'static str, V)],
) -> Option<V> {
    if let Some((_, value)) = words.iter().find(|(known, _)| *known == word) {
        return Some(*value);
    }
    let known = || words.iter().map(|(known, _)| *known);
    // A number is never a misspelt word.
    let is_number = word.parse::<f64>().is_ok();
    let help = match did_you_mean(word, known()) {
        Some(meant) if !is_number => format!("did you mean `{meant}`?"),
        _ => format!(
            "write {}",
            in_words(known().map(|word| format!("`{word}`")))
        ),
    };
    let message = format!("unknown value `{}`", excerpt(word));
    reader.error(place, "config.value", message, Some(help));
    None
}

/// The word for a value; empty if it has none.
pub(crate) fn word_of<W: Words<Value: PartialEq>>(value: &W::Value) -> &'static str {
    let mut words = W::WORDS.iter();
    let found = words.find(|(_, known)| known == value);
    found.map_or("", |(word, _)| word)
}

/// `a, b or c`.
pub(crate) fn in_words(items: impl IntoIterator<Item = String>) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    match items.pop() {
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} or {last}", items.join(", ")),
        None => String::new(),
    }
}

/// Declares a set of words: `words! { Scheme: bool { "https" => true, "http" => false } }`.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $name:ident: $value:ty { $($word:expr => $meaning:expr),+ $(,)? }
        $(are_numbers: $are_numbers:literal)?
    ) => {
        $(#[$attribute])*
        pub(crate) enum $name {}

        impl $crate::config::read::scalars::Words for $name {
            type Value = $value;
            const WORDS: &'static [(&'static str, $value)] = &[$(($word, $meaning)),+];
            $(const ARE_NUMBERS: bool = $are_numbers;)?
        }
    };
}
pub(crate) use words;
