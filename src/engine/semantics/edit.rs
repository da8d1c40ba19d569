//! Header edits: a short list of changes that a codec applies without knowing the reasons.
//!
//! The semantics read header fields through [`Headers`](crate::engine::request::Headers), never
//! change them, and describe changes as [`Edits`]. The codec that writes the header omits each
//! field for which [`Edits::drops`] holds and then appends [`Edits::added`]. The list is already
//! consistent: a later edit has replaced earlier ones of the same name.
//!
//! The codec handles hop-by-hop fields and framing itself (RFC 9110, section 7.6.1; RFC 9112,
//! section 6). It removes them first, by the header received, so that no `Connection` option can
//! remove a field that the gateway adds.

use std::fmt;

use crate::engine::request::is_field_name;
use crate::engine::semantics::field_value::ValueWriter;

/// Changes to one header. Reused from request to request, it stops allocating.
///
/// Names are tokens in lower case; an edit with an invalid name is ignored. Control characters in
/// values, CR, LF and NUL among them, become spaces, except the tab (RFC 9110, section 5.5).
#[derive(Clone, Default)]
pub struct Edits {
    entries: Vec<Entry>,
    /// The bytes of all names and values, concatenated.
    bytes: Vec<u8>,
    /// A Bloom filter of the names: one bit per length and first byte.
    kinds: u64,
}

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit<'e> {
    /// Remove every field of this name.
    Remove {
        /// The name, in lower case.
        name: &'e [u8],
    },
    /// Replace all fields of this name with one of this value.
    Set {
        /// The name, in lower case.
        name: &'e [u8],
        /// The value.
        value: &'e [u8],
    },
    /// Append a field, after those of the same name.
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
    /// An empty list with capacity for a typical request.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: Vec::with_capacity(16),
            bytes: Vec::with_capacity(1024),
            kinds: 0,
        }
    }

    /// Removes all edits; retains the capacity.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        self.kinds = 0;
    }

    /// Whether there are no edits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Removes every field of this name (lower case). Replaces earlier edits of the name.
    pub fn remove(&mut self, name: &'static str) {
        self.put(Change::Remove, name.as_bytes(), |_| ());
    }

    /// Replaces all fields of this name (lower case) with one of this value. Replaces earlier edits
    /// of the name.
    pub fn set(&mut self, name: &'static str, value: &[u8]) {
        self.set_with(name, |to| to.push(value));
    }

    /// [`Self::set`] with a value that `write` writes.
    pub fn set_with(&mut self, name: &'static str, write: impl FnOnce(&mut ValueWriter<'_>)) {
        self.put(Change::Set, name.as_bytes(), write);
    }

    /// Appends a field of this name (lower case).
    pub fn add(&mut self, name: &'static str, value: &[u8]) {
        self.add_with(name, |to| to.push(value));
    }

    /// [`Self::add`] with a value that `write` writes.
    pub fn add_with(&mut self, name: &'static str, write: impl FnOnce(&mut ValueWriter<'_>)) {
        self.put(Change::Add, name.as_bytes(), write);
    }

    /// [`Self::remove`] for a received or configured name, in any case.
    pub fn remove_named(&mut self, name: &[u8]) {
        self.put_named(Change::Remove, name, b"");
    }

    /// [`Self::set`] for a configured name, in any case.
    pub fn set_named(&mut self, name: &[u8], value: &[u8]) {
        self.put_named(Change::Set, name, value);
    }

    /// [`Self::add`] for a configured name, in any case.
    pub fn add_named(&mut self, name: &[u8], value: &[u8]) {
        self.put_named(Change::Add, name, value);
    }

    /// All edits. A name has at most one removal or replacement, before its additions.
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

    /// Whether a codec omits received fields of this name, in any case.
    #[inline]
    #[must_use]
    pub fn drops(&self, name: &[u8]) -> bool {
        self.kinds & kind(name) != 0 && self.drops_surely(name)
    }

    /// The fields that a codec appends, in this order; names in lower case.
    pub fn added(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries
            .iter()
            .filter(|entry| entry.change != Change::Remove)
            .map(|entry| (self.name(entry), self.value(entry)))
    }

    /// The first value added or set under this name (lower case).
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

    /// Adds an edit of an unchecked name, which it converts to lower case.
    fn put_named(&mut self, change: Change, name: &[u8], value: &[u8]) {
        if !is_field_name(name) {
            return;
        }
        self.put(change, name, |to| to.push(value));
        let last = self.entries.last().map(|last| last.name_at..last.value_at);
        if let Some(name) = last.and_then(|name| self.bytes.get_mut(name)) {
            name.make_ascii_lowercase();
        }
    }

    /// Adds an edit of a token, without changing its case.
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

/// The bit of a name in [`Edits::kinds`], whatever its case.
#[inline]
fn kind(name: &[u8]) -> u64 {
    let first = name.first().map_or(0, |byte| usize::from(byte | 0x20));
    1 << ((name.len() * 11 + first) % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the list after these edits, written as `-name`, `=name:value` or `+name:value`.
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
    fn a_later_edit_replaces_earlier_ones() {
        check(&[], &[]);
        check(&["+via:a", "+via:b"], &["+via:a", "+via:b"]);
        check(&["+via:a", "=via:b", "+via:c"], &["=via:b", "+via:c"]);
        check(&["=x-a:1", "-x-a"], &["-x-a"]);
        check(&["-x-a", "=x-a:1"], &["=x-a:1"]);
        check(&["=x-a:1", "=x-b:2", "-x-a"], &["=x-b:2", "-x-a"]);
    }

    #[test]
    fn control_characters_become_spaces() {
        check(&["=x:a\r\nb: c\0\td"], &["=x:a  b: c \td"]);
        check(&["=x\r\ny:1", "=:1"], &[]);
    }

    #[test]
    fn received_names_become_lower_case() {
        let mut edits = Edits::new();
        edits.remove_named(b"X-Forwarded-Port");
        assert_eq!(format!("{edits:?}"), "[\"- x-forwarded-port\"]");
        edits.clear();
        assert!(edits.is_empty() && !edits.drops(b"x-forwarded-port"));
    }
}
