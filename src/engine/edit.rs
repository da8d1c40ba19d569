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

/// Changes of one header, made for a request and cleared for the next: it then allocates nothing.
///
/// Names are lower case. No name and no value ever holds CR, LF, NUL or another control character
/// but the tab: in a value each becomes a space, as RFC 9110, section 5.5, has it, and an edit of
/// such a name is not made.
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

/// A value while it is written, piece by piece.
#[derive(Debug)]
pub struct ValueWriter<'e> {
    bytes: &'e mut Vec<u8>,
    /// Where the value begins.
    start: usize,
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

    /// How many edits there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
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
        if name.is_empty() || has_control(name) {
            return;
        }
        if name.iter().any(u8::is_ascii_uppercase) {
            self.put(change, &name.to_ascii_lowercase(), |to| to.push(value));
        } else {
            self.put(change, name, |to| to.push(value));
        }
    }

    /// Puts in an edit of a name without capitals and controls.
    fn put(&mut self, change: Change, name: &[u8], write: impl FnOnce(&mut ValueWriter<'_>)) {
        debug_assert!(!name.is_empty() && !name.iter().any(|byte| is_control(*byte)));
        debug_assert!(!name.iter().any(u8::is_ascii_uppercase));
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
        write(&mut ValueWriter {
            bytes: &mut self.bytes,
            start: value_at,
        });
        if let Some(value) = self.bytes.get_mut(value_at..)
            && has_control(value)
        {
            blank_controls(value);
        }
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

impl ValueWriter<'_> {
    /// Appends these bytes.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes back all that was written of this value.
    pub fn restart(&mut self) {
        self.bytes.truncate(self.start);
    }

    /// Appends two lower-case hexadecimal digits for each byte.
    pub fn push_hex(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.push(&hex(*word));
        }
        for byte in rest {
            let [.., high, low] = hex([0, 0, 0, *byte]);
            self.push(&[high, low]);
        }
    }

    /// Appends a number as decimal digits.
    pub fn push_decimal(&mut self, number: u64) {
        let mut digits = [b'0'; 20];
        let mut rest = number;
        let mut length = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            length += 1;
            if rest == 0 {
                break;
            }
        }
        self.push(digits.get(digits.len() - length..).unwrap_or_default());
    }
}

impl fmt::Write for ValueWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

/// Two lower-case hexadecimal digits for each byte, all made at once.
pub(crate) const fn hex(bytes: [u8; 4]) -> [u8; 8] {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    /// From behind `9` to `a`.
    const TO_LETTERS: u64 = 0x27;
    let [a, b, c, d] = bytes;
    // Each nibble into a byte of its own: halves, quarters, eighths are drawn apart.
    let mut word = u64::from_be_bytes([0, 0, a, b, 0, 0, c, d]);
    word = (word << 8) & 0x00FF_0000_00FF_0000 | word & 0x0000_00FF_0000_00FF;
    word = (word << 4) & 0x0F00_0F00_0F00_0F00 | word & 0x000F_000F_000F_000F;
    // One in each byte that is ten or more.
    let letters = ((word + ONES * 6) >> 4) & ONES;
    (word + ZEROS + letters * TO_LETTERS).to_be_bytes()
}

/// One bit of sixty-four for a name in any case; names that differ in it are different.
#[inline]
fn kind(name: &[u8]) -> u64 {
    let first = name.first().map_or(0, |byte| usize::from(byte | 0x20));
    1 << ((name.len() * 11 + first) % 64)
}

/// Eight bytes are looked at at once; the last eight of many perhaps twice.
fn has_control(bytes: &[u8]) -> bool {
    let of_one = |found, byte: &u8| found | is_control(*byte);
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().fold(false, of_one);
    };
    let (words, _) = bytes.as_chunks();
    let may_have = |found, word: &[u8; 8]| found | may_have_control(*word);
    words.iter().fold(may_have_control(*last), may_have) && bytes.iter().fold(false, of_one)
}

/// Whether one of the bytes is below a space, and be it a tab, or 0x7F; it may err where it says so.
const fn may_have_control(bytes: [u8; 8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let word = u64::from_ne_bytes(bytes);
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let flipped = word ^ (ONES * 0x7F);
    let is_delete = flipped.wrapping_sub(ONES) & !flipped;
    (below_space | is_delete) & HIGH != 0
}

#[cold]
fn blank_controls(value: &mut [u8]) {
    for byte in value.iter_mut().filter(|byte| is_control(**byte)) {
        *byte = b' ';
    }
}

const fn is_control(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' || byte == 0x7F
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

    #[test]
    fn numbers() {
        for number in [0, 7, 10, 409, u64::MAX] {
            let mut edits = Edits::default();
            edits.set_with("n", |to| to.push_decimal(number));
            assert_eq!(edits.value_of("n").unwrap(), number.to_string().as_bytes());
        }
        assert_eq!(hex([0xA3, 0x9F, 0, 0x18]), *b"a39f0018");
        let mut edits = Edits::default();
        edits.set_with("n", |to| to.push_hex(&[0, 1, 0x7F, 0x80, 0xFF, 0x0A]));
        assert_eq!(edits.value_of("n").unwrap(), b"00017f80ff0a");
    }
}
