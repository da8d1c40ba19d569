//! A writer for field values.

use std::fmt;

/// Writes a field value in pieces.
#[derive(Debug)]
pub struct ValueWriter<'e> {
    bytes: &'e mut Vec<u8>,
    /// The offset of the value.
    start: usize,
}

impl<'e> ValueWriter<'e> {
    /// Appends the value to these bytes.
    pub(crate) const fn new(bytes: &'e mut Vec<u8>) -> Self {
        Self {
            start: bytes.len(),
            bytes,
        }
    }

    /// Ends the value: each control character except the tab becomes a space.
    pub(crate) fn end(self) {
        if let Some(value) = self.bytes.get_mut(self.start..)
            && has_control(value)
        {
            blank_controls(value);
        }
    }

    /// Appends these bytes.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Discards what was written of this value.
    pub fn restart(&mut self) {
        self.bytes.truncate(self.start);
    }

    /// Appends two lower-case hexadecimal digits per byte.
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

/// Two lower-case hexadecimal digits per byte, computed in parallel.
pub(crate) const fn hex(bytes: [u8; 4]) -> [u8; 8] {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    /// The distance from the character after `9` to `a`.
    const TO_LETTERS: u64 = 0x27;
    let [a, b, c, d] = bytes;
    // Spread each nibble to a byte: first the halves, then the quarters, then the eighths.
    let mut word = u64::from_be_bytes([0, 0, a, b, 0, 0, c, d]);
    word = (word << 8) & 0x00FF_0000_00FF_0000 | word & 0x0000_00FF_0000_00FF;
    word = (word << 4) & 0x0F00_0F00_0F00_0F00 | word & 0x000F_000F_000F_000F;
    // 1 in each byte that is at least ten.
    let letters = ((word + ONES * 6) >> 4) & ONES;
    (word + ZEROS + letters * TO_LETTERS).to_be_bytes()
}

/// Whether a value has a control character. Checks eight bytes at a time; the last eight may
/// overlap.
pub(crate) fn has_control(bytes: &[u8]) -> bool {
    let one = |found, byte: &u8| found | is_control(*byte);
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().fold(false, one);
    };
    let (words, _) = bytes.as_chunks();
    let may_have = |found, word: &[u8; 8]| found | may_have_control(*word);
    words.iter().fold(may_have_control(*last), may_have) && bytes.iter().fold(false, one)
}

/// Whether a byte may be below the space (a tab too) or 0x7F: there are false positives, but no
/// false negatives.
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

pub(crate) const fn is_control(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' || byte == 0x7F
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for number in [0, 7, 10, 409, u64::MAX] {
            let mut bytes = Vec::new();
            ValueWriter::new(&mut bytes).push_decimal(number);
            assert_eq!(bytes, number.to_string().as_bytes());
        }
        assert_eq!(hex([0xA3, 0x9F, 0, 0x18]), *b"a39f0018");
        let mut bytes = Vec::new();
        ValueWriter::new(&mut bytes).push_hex(&[0, 1, 0x7F, 0x80, 0xFF, 0x0A]);
        assert_eq!(bytes, b"00017f80ff0a");
    }

    #[test]
    fn controls_are_found_at_every_position() {
        for length in 0..40 {
            for at in 0..length {
                for byte in [0, 8, b'\n', b'\r', 0x1F, 0x7F, b'\t', b' ', 0x80, 0xFF] {
                    let mut bytes = vec![b'a'; length];
                    if let Some(place) = bytes.get_mut(at) {
                        *place = byte;
                    }
                    assert_eq!(
                        has_control(&bytes),
                        is_control(byte),
                        "{byte:#x} at {at} of {length}"
                    );
                }
            }
        }
    }
}
