//! What is to change in a header: a short list that a codec applies without knowing why.
//!
//! The semantics read a header through [`Headers`](crate::engine::request::Headers) and never touch
//! it. They say what goes and what comes as [`Edits`], and whoever writes the header to the other
//! side leaves out each field for which [`Edits::drops`] holds and then appends
//! [`Edits::added`]. The order in which the edits were made does not matter by then: a later one
//! has already undone what an earlier one said of the same name.
//!
//! Hop-by-hop fields and framing (RFC 9110, section 7.6.1; RFC 9112, section 6) are the codec's own
//! affair. It drops them first and looks at the header received for that, so no `Connection` option
//! can take off a field that is added here.

use std::fmt;

use crate::engine::request::is_field_name;
use crate::engine::semantics::field_value::ValueWriter;

/// Changes of one header, made for a request and cleared for the next: it then allocates nothing.
///
/// Names are tokens in lower case; an edit of what is none is not made. No value ever holds CR, LF,
/// NUL or another control character but the tab: each becomes a space, as RFC 9110, section 5.5, has
/// it.
#[derive(Clone, Default)]
pub struct Edits {
    entries: Vec<Entry>,
    /// The bytes of every name and value, one after the other.
    bytes: Vec<u8>,
    /// A bit for each kind of name, by length and first byte, of which there is an edit.
    kinds: u64,
}

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit<'e> {
    /// Every field of this name goes.
    Remove {
        /// The name, in lower case.
        name: &'e [u8],
    },
    /// The field has just this value, whatever was there.
    Set {
        /// The name, in lower case.
        name: &'e [u8],
        /// The value.
        value: &'e [u8],
    },
    /// The field comes beside those that are there, after them.
    Add {
        /// The name, in lower case.
        name: &'e [u8],
        /// The value.
        value: &'e [u8],
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Remove,
    Set,
    Add,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    change: Change,
    name_at: usize,
    value_at: usize,
    end: usize,
}

impl Edits {
    /// An empty list with room for what a usual request needs.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: Vec::with_capacity(16),
            bytes: Vec::with_capacity(1024),
            kinds: 0,
        }
    }

    /// Forgets every edit and keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        self.kinds = 0;
    }

    /// Whether nothing is changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every field of this name, in lower case, goes, with what earlier edits said of it.
    pub fn remove(&mut self, name: &'static str) {
        self.put(Change::Remove, name.as_bytes(), |_| ());
    }

    /// The field of this name, in lower case, has just this value, whatever was there and whatever
    /// earlier edits said.
    pub fn set(&mut self, name: &'static str, value: &[u8]) {
        self.set_with(name, |to| to.push(value));
    }

    /// The same, with a value that is written in pieces.
    pub fn set_with(&mut self, name: &'static str, write: impl FnOnce(&mut ValueWriter<'_>)) {
        self.put(Change::Set, name.as_bytes(), write);
    }

    /// The field of this name, in lower case, comes beside those that are there.
    pub fn add(&mut self, name: &'static str, value: &[u8]) {
        self.add_with(name, |to| to.push(value));
    }

    /// The same, with a value that is written in pieces.
    pub fn add_with(&mut self, name: &'static str, write: impl FnOnce(&mut ValueWriter<'_>)) {
        self.put(Change::Add, name.as_bytes(), write);
    }

    /// [`Self::remove`] for a name that was received or configured, in any case.
    pub fn remove_named(&mut self, name: &[u8]) {
        self.put_named(Change::Remove, name, b"");
    }

    /// [`Self::set`] for a name that was configured.
    pub fn set_named(&mut self, name: &[u8], value: &[u8]) {
        self.put_named(Change::Set, name, value);
    }

    /// [`Self::add`] for a name that was configured.
    pub fn add_named(&mut self, name: &[u8], value: &[u8]) {
        self.put_named(Change::Add, name, value);
    }

    /// Every edit. At most one removes or sets a name; what is added to it comes after.
    pub fn iter(&self) -> impl Iterator<Item = Edit<'_>> {
        self.entries.iter().map(|entry| {
            let (name, value) = (self.name(entry), self.value(entry));
            match entry.change {
                Change::Remove => Edit::Remove { name },
                Change::Set => Edit::Set { name, value },
                Change::Add => Edit::Add { name, value },
            }
        })
    }

    /// Whether a field that was received under this name, in any case, goes.
    #[inline]
    #[must_use]
    pub fn drops(&self, name: &[u8]) -> bool {
        self.kinds & kind(name) != 0 && self.drops_surely(name)
    }

    /// The fields that come, in their order, names in lower case.
    pub fn added(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries
            .iter()
            .filter(|entry| entry.change != Change::Remove)
            .map(|entry| (self.name(entry), self.value(entry)))
    }

    /// The first value that comes under this name.
    #[must_use]
    pub fn value_of(&self, name: &str) -> Option<&[u8]> {
        let mut added = self.added();
        Some(added.find(|(own, _)| *own == name.as_bytes())?.1)
    }

    fn drops_surely(&self, name: &[u8]) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.change != Change::Add && self.name(entry).eq_ignore_ascii_case(name))
    }

    /// Puts in an edit of a name that may be anything.
    fn put_named(&mut self, change: Change, name: &[u8], value: &[u8]) {
        if !is_field_name(name) {
            return;
        }
        self.put(change, name, |to| to.push(value));
        let put = self.entries.last().map(|put| put.name_at..put.value_at);
        if let Some(name) = put.and_then(|name| self.bytes.get_mut(name)) {
            name.make_ascii_lowercase();
        }
    }

    /// Puts in an edit of a token, in the case that it has.
    fn put(&mut self, change: Change, name: &[u8], write: impl FnOnce(&mut ValueWriter<'_>)) {
        debug_assert!(is_field_name(name));
        let bit = kind(name);
        if change != Change::Add && self.kinds & bit != 0 {
            let bytes = &self.bytes;
            let own = |entry: &Entry| bytes.get(entry.name_at..entry.value_at).unwrap_or_default();
            self.entries
                .retain(|entry| !own(entry).eq_ignore_ascii_case(name));
        }
        self.kinds |= bit;
        let name_at = self.bytes.len();
        self.bytes.extend_from_slice(name);
        let value_at = self.bytes.len();
        let mut value = ValueWriter::new(&mut self.bytes);
        write(&mut value);
        value.end();
        self.entries.push(Entry {
            change,
            name_at,
            value_at,
            end: self.bytes.len(),
        });
    }

    fn name(&self, entry: &Entry) -> &[u8] {
        let name = self.bytes.get(entry.name_at..entry.value_at);
        name.unwrap_or_default()
    }

    fn value(&self, entry: &Entry) -> &[u8] {
        let value = self.bytes.get(entry.value_at..entry.end);
        value.unwrap_or_default()
    }
}

impl fmt::Debug for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes);
        let line = |edit| match edit {
            Edit::Remove { name } => format!("- {}", text(name)),
            Edit::Set { name, value } => format!("= {}: {}", text(name), text(value)),
            Edit::Add { name, value } => format!("+ {}: {}", text(name), text(value)),
        };
        f.debug_list().entries(self.iter().map(line)).finish()
    }
}

/// One bit of sixty-four for a name in any case; names that differ in it are different.
#[inline]
fn kind(name: &[u8]) -> u64 {
    let first = name.first().map_or(0, |byte| usize::from(byte | 0x20));
    1 << ((name.len() * 11 + first) % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list after these edits, each written as `-name`, `=name:value` or `+name:value`.
    fn check(made: &[&str], expected: &[&str]) {
        let mut edits = Edits::default();
        for edit in made {
            let (sign, rest) = edit.split_at(1);
            let (name, value) = rest.split_once(':').unwrap_or((rest, ""));
            match sign {
                "-" => edits.remove_named(name.as_bytes()),
                "=" => edits.set_named(name.as_bytes(), value.as_bytes()),
                _ => edits.add_named(name.as_bytes(), value.as_bytes()),
            }
        }
        let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
        let got: Vec<_> = edits
            .iter()
            .map(|edit| match edit {
                Edit::Remove { name } => format!("-{}", text(name)),
                Edit::Set { name, value } => format!("={}:{}", text(name), text(value)),
                Edit::Add { name, value } => format!("+{}:{}", text(name), text(value)),
            })
            .collect();
        assert_eq!(got, expected, "{made:?}");
        for edit in edits.iter() {
            let (name, drops) = match edit {
                Edit::Remove { name } | Edit::Set { name, .. } => (name, true),
                Edit::Add { name, .. } => (name, expected.contains(&&*format!("-{}", text(name)))),
            };
            if drops {
                assert!(edits.drops(&name.to_ascii_uppercase()), "{made:?}");
            }
        }
        assert!(!edits.drops(b"accept"));
    }

    #[test]
    fn a_later_edit_undoes_an_earlier_one() {
        check(&[], &[]);
        check(&["+via:a", "+via:b"], &["+via:a", "+via:b"]);
        check(&["+via:a", "=via:b", "+via:c"], &["=via:b", "+via:c"]);
        check(&["=x-a:1", "-x-a"], &["-x-a"]);
        check(&["-x-a", "=x-a:1"], &["=x-a:1"]);
        check(&["=x-a:1", "=x-b:2", "-x-a"], &["=x-b:2", "-x-a"]);
    }

    #[test]
    fn no_control_character_gets_through() {
        check(&["=x:a\r\nb: c\0\td"], &["=x:a  b: c \td"]);
        check(&["=x\r\ny:1", "=:1"], &[]);
    }

    #[test]
    fn received_names_lose_their_case() {
        let mut edits = Edits::new();
        edits.remove_named(b"X-Forwarded-Port");
        assert_eq!(format!("{edits:?}"), "[\"- x-forwarded-port\"]");
        edits.clear();
        assert!(edits.is_empty() && !edits.drops(b"x-forwarded-port"));
    }
}
