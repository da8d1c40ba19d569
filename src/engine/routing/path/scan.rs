//! A fast scan that recognises most normal paths.

/// Whether a path that begins with `/` has only plain bytes and no `/` or `.` after a `/`. Then it
/// is normal, as almost all are.
///
/// This is the gateway's hottest loop, measured by `benches/normal_path.rs`.
pub(super) fn is_normal(path: &[u8]) -> bool {
    let (Some((_, here)), Some((_, next))) = (path.split_last(), path.split_first()) else {
        return false;
    };
    let (Some(last_here), Some(last_next)) = (here.last_chunk(), next.last_chunk()) else {
        let mut pairs = here.iter().zip(next);
        return pairs.all(|(&byte, &next)| is_plain(next) && !may_begin_dot_segment(byte, next));
    };
    let mut special = [false; LANES];
    for (here, next) in here.as_chunks().0.iter().zip(next.as_chunks().0) {
        scan(&mut special, here, next);
    }
    // The last lanes overlap the previous ones unless the length is a multiple of `LANES`.
    scan(&mut special, last_here, last_next);
    !special.contains(&true)
}

/// Marks the lanes that may need normalisation. Branchless, so that the compiler vectorises it.
fn scan(special: &mut [bool; LANES], here: &[u8; LANES], next: &[u8; LANES]) {
    for ((special, &byte), &next) in special.iter_mut().zip(here).zip(next) {
        *special |= !plain_by_ranges(next) | may_begin_dot_segment(byte, next);
    }
}

/// Whether `next` begins a dot segment or an empty one. `.` is 0x2E and `/` is 0x2F.
fn may_begin_dot_segment(byte: u8, next: u8) -> bool {
    (byte == b'/') & (next | 1 == b'/')
}

/// Whether a byte is allowed unescaped: `pchar` and `/` of RFC 3986 section 3.3, and `[` and `]`.
#[expect(
    clippy::indexing_slicing,
    reason = "the table has an entry for every byte"
)]
pub(super) fn is_plain(byte: u8) -> bool {
    PLAIN[usize::from(byte)]
}

const fn plain_by_ranges(byte: u8) -> bool {
    (byte > b' ')
        & (byte < 0x7F)
        & (byte | 1 != b'#') // and "
        & (byte != b'%')
        & (byte | 2 != b'>') // and <
        & (byte != b'?')
        & (byte | 2 != b'^') // and \
        & (byte != b'`')
        & ((byte < b'{') | (byte == b'~'))
}

/// The bytes of a vector register of baseline x86-64 and AArch64.
const LANES: usize = 16;

/// [`plain_by_ranges`] as a table: for a single byte, a load is faster than ten comparisons.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    let mut index = 0;
    while index < plain.len() {
        plain[index] = plain_by_ranges(byte);
        byte = byte.wrapping_add(1);
        index += 1;
    }
    plain
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_bytes_are_those_of_the_rfc() {
        for byte in 0..=255_u8 {
            let expected = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/[]".contains(&byte);
            assert_eq!(is_plain(byte), expected, "{byte:#04x}");
        }
    }

    #[test]
    fn every_position_of_every_length_is_scanned() {
        for len in 1..=70 {
            let clean = [b"/".as_slice(), &vec![b'x'; len - 1]].concat();
            assert!(is_normal(&clean) || len == 1, "{len}");
            for at in 1..len {
                for odd in [b'%', b' ', 0, b'|', 0x7F, 0xC3] {
                    let mut path = clean.clone();
                    path[at] = odd;
                    assert!(!is_normal(&path), "{odd:#04x} at {at} of {len}");
                }
                for odd in [b"//", b"/."] {
                    let mut path = clean.clone();
                    path[at - 1..=at].copy_from_slice(odd);
                    assert!(!is_normal(&path), "{odd:?} at {at} of {len}");
                }
            }
        }
    }
}
