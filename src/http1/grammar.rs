//! The basic elements of the grammar (RFC 9110 section 5.6): versions, tokens, lists, hosts, numbers.

/// The HTTP version of a message. All others are rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// `HTTP/1.0`: connections do not persist unless both sides ask for it; no chunked bodies.
    Http10,
    /// `HTTP/1.1`.
    #[default]
    Http11,
}

impl Version {
    /// The version as a start line contains it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}

/// Whether a token may contain `byte` (RFC 9110 section 5.6.2).
pub(super) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether `bytes` are a token: a method, a field name, a connection option.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    // No early exit: the branches would cost more than they save.
    let all = |all, byte: &u8| all & in_table(&TOKEN, *byte);
    !bytes.is_empty() && bytes.iter().fold(true, all)
}

/// The position of the first byte at or after `from` that is not a token byte.
pub(super) fn end_of_token(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let length = rest.iter().position(|byte| !in_table(&TOKEN, *byte))?;
    Some(from + length)
}

/// The position of the first byte at or after `from` that a field value must not contain: a control
/// character other than tab (RFC 9110 section 5.5). Bytes above 0x7f are valid.
#[inline]
pub(super) fn find_control(bytes: &[u8], from: usize) -> Option<usize> {
    find(
        bytes,
        from,
        |word| below(word, b' ') | deletes(word),
        is_control,
    )
}

/// The position of the first byte at or after `from` that ends a request target: a control character,
/// a space, or a byte that is not ASCII.
#[inline]
pub(super) fn find_target_end(bytes: &[u8], from: usize) -> Option<usize> {
    let candidates = |word| below(word, b'!') | deletes(word) | (word & HIGH_BITS);
    find(bytes, from, candidates, |byte| !byte.is_ascii_graphic())
}

/// Whether `byte` is a control character other than tab.
pub(super) const fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || (byte == 0x7F)
}

/// The position of the first byte at or after `from` for which `stops` is true. It tests eight bytes
/// at once: `candidates` sets the high bit of each byte of a word that may be one. Bits above the
/// lowest one set may be wrong, because the subtraction in [`below`] borrows upwards.
#[inline]
fn find(
    bytes: &[u8],
    from: usize,
    candidates: impl Fn(u64) -> u64,
    stops: impl Fn(u8) -> bool,
) -> Option<usize> {
    let mut from = from;
    let mut rest = bytes.get(from..)?;
    while let Some((block, after)) = rest.split_first_chunk::<8>() {
        let found = candidates(u64::from_le_bytes(*block));
        if found == 0 {
            rest = after;
            from += block.len();
            continue;
        }
        let at = usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
        if block.get(at).is_some_and(|byte| stops(*byte)) {
            return Some(from + at);
        }
        rest = rest.get(at + 1..)?;
        from += at + 1;
    }
    // Test the last eight bytes at once, even if some of them have been tested before.
    if let Some(block) = bytes.last_chunk::<8>()
        && candidates(u64::from_le_bytes(*block)) == 0
    {
        return None;
    }
    let length = rest.iter().position(|byte| stops(*byte))?;
    Some(from + length)
}

const LOW_BITS: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The high bit of each byte of `word` that is below `least`, which is at most 0x80.
#[inline]
fn below(word: u64, least: u8) -> u64 {
    word.wrapping_sub(LOW_BITS * u64::from(least)) & !word & HIGH_BITS
}

/// The high bit of each byte of `word` that is 0x7F.
#[inline]
fn deletes(word: u64) -> u64 {
    below(word ^ u64::from_ne_bytes([0x7F; 8]), 1)
}

/// `bytes` without the spaces and tabs at either end (OWS, RFC 9110 section 5.6.3).
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The elements of a comma-separated list, including empty ones (RFC 9110 section 5.6.1.2).
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Why `bytes` are not a `uri-host [":" port]` (RFC 3986 section 3.2); `None` if they are.
///
/// Three rules are stricter than the RFC: no userinfo (RFC 9110 section 4.2.4), no comma, which a
/// reader that joins field lines could take for two hosts, and at most five digits of port. An empty
/// host is valid without a port.
pub(super) fn host_error(bytes: &[u8]) -> Option<&'static str> {
    if let [b'[', literal @ ..] = bytes {
        let Some(end) = literal.iter().position(|byte| *byte == b']') else {
            return Some("missing `]`");
        };
        let (address, after) = literal.split_at_checked(end)?;
        if address.is_empty() || !address.iter().all(|byte| in_table(&LITERAL, *byte)) {
            return Some("only an IPv6 address may be between `[` and `]`");
        }
        return match after.get(1..)? {
            [] => None,
            [b':', port @ ..] => port_error(port),
            _ => Some("only `:` and a port may follow `]`"),
        };
    }
    let end = bytes.iter().position(|byte| !in_table(&REG_NAME, *byte));
    let (name, after) = bytes.split_at_checked(end.unwrap_or(bytes.len()))?;
    match after {
        _ if !has_valid_escapes(name) => Some("two hexadecimal digits must follow `%`"),
        [] => None,
        [b':', ..] if name.is_empty() => Some("a port needs a host"),
        [b':', port @ ..] => port_error(port),
        [b'@', ..] => Some("user information is not allowed"),
        [b' ' | b'\t', ..] => Some("white space is not allowed"),
        _ => Some("only a name or an address is allowed, with an optional `:` and port"),
    }
}

/// The number that one to eighteen digits write. Any reader of 64-bit integers can hold it.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let fits = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    let add = |sum: u64, digit: &u8| sum * 10 + u64::from(digit - b'0');
    fits.then(|| digits.iter().fold(0, add))
}

/// Appends `number` in `radix`, which is at most 16.
pub(super) fn push_number(out: &mut Vec<u8>, mut number: u64, radix: u64) {
    let mut digits = [0_u8; 20];
    let mut unused = digits.len();
    for slot in digits.iter_mut().rev() {
        let digit = u8::try_from(number % radix).unwrap_or(0);
        *slot = if digit < 10 {
            b'0' + digit
        } else {
            b'a' - 10 + digit
        };
        number /= radix;
        unused -= 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(unused..).unwrap_or_default());
}

fn port_error(port: &[u8]) -> Option<&'static str> {
    let fits = port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
    (!fits).then_some("a port must have at most five digits")
}

fn has_valid_escapes(name: &[u8]) -> bool {
    let mut rest = name;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let Some([_, high, low, after @ ..]) = rest.get(at..) else {
            return false;
        };
        if !high.is_ascii_hexdigit() || !low.is_ascii_hexdigit() {
            return false;
        }
        rest = after;
    }
    true
}

const fn is_reg_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b';'
                | b'='
        )
}

const fn is_literal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-' | b'_' | b'~')
}

fn in_table(table: &[bool; 256], byte: u8) -> bool {
    table.get(usize::from(byte)).copied().unwrap_or(false)
}

macro_rules! table {
    ($test:ident) => {{
        let mut table = [false; 256];
        let mut rest: &mut [bool] = &mut table;
        let mut byte = 0_u8;
        while let [slot, after @ ..] = rest {
            *slot = $test(byte);
            byte = byte.wrapping_add(1);
            rest = after;
        }
        table
    }};
}

static TOKEN: [bool; 256] = table!(is_token_byte);
static REG_NAME: [bool; 256] = table!(is_reg_name_byte);
static LITERAL: [bool; 256] = table!(is_literal_byte);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let check = |host: &str, is_valid: bool| {
            assert_eq!(host_error(host.as_bytes()).is_none(), is_valid, "{host}");
        };
        for host in [
            "",
            "a",
            "api.example.com",
            "a:80",
            "a:",
            "0.0.0.0=5000",
            "[::1]",
            "[::1]:443",
            "home_0.net",
            "a%2Fb",
            "xn--bcher-kva.de",
            "[v1.x:y]",
        ] {
            check(host, true);
        }
        for host in [
            ":80", ":", "u@a", "u:p@a", "a b", "a,b", "a/b", "a\\b", "a?b", "a#b", "a:b",
            "a:123456", "[::1", "[]", "[::1]x", "[::1]:x", "[:/:1]", "a%", "a%2", "a%zz",
            "a:80:80", "\u{e9}", "a\tb", "::1", "\"a\"", "<a>", "a:-1", "a\0",
        ] {
            check(host, false);
        }
    }

    #[test]
    fn numbers() {
        for (digits, expected) in [
            ("0", Some(0)),
            ("003", Some(3)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("1000000000000000000", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1 ", None),
            ("0x1", None),
        ] {
            assert_eq!(decimal(digits.as_bytes()), expected, "{digits}");
        }
        for (number, radix, expected) in [
            (0, 10, "0"),
            (u64::MAX, 10, "18446744073709551615"),
            (u64::MAX, 16, "ffffffffffffffff"),
            (4096, 16, "1000"),
        ] {
            let mut out = Vec::new();
            push_number(&mut out, number, radix);
            assert_eq!(out, expected.as_bytes());
        }
    }

    #[test]
    fn find_tests_every_byte() {
        for stop in 0..=255 {
            for fill in [b'x', b'\t', 0x80, 0xFF, b'!', b'~'] {
                let mut bytes = [fill; 21];
                for at in [0, 1, 7, 8, 9, 15, 19, 20] {
                    bytes[at] = stop;
                    for from in [0, 1, 6, 10] {
                        let first = |stops: fn(u8) -> bool| {
                            let after = bytes.iter().skip(from);
                            after.copied().position(stops).map(|length| from + length)
                        };
                        assert_eq!(find_control(&bytes, from), first(is_control));
                        let ends = first(|byte| !byte.is_ascii_graphic());
                        assert_eq!(find_target_end(&bytes, from), ends);
                    }
                    bytes[at] = fill;
                }
            }
        }
    }

    #[test]
    fn lists() {
        let of = |value: &'static str| -> Vec<&[u8]> { elements(value.as_bytes()).collect() };
        assert_eq!(of("a, b\t,,c "), [&b"a"[..], b"b", b"", b"c"]);
        assert_eq!(trim(b" \t "), b"");
    }
}
