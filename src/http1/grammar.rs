//! The smallest pieces of the grammar (RFC 9110 section 5.6): which bytes may stand where.

/// Whether `byte` may stand in a token (RFC 9110 section 5.6.2).
pub(crate) const fn is_token_byte(byte: u8) -> bool {
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

/// Whether `bytes` are a token: a method, the name of a field, a connection option.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    // Without an early end, which would cost more than it saves.
    let all = |all, byte: &u8| all & in_table(&TOKEN, *byte);
    !bytes.is_empty() && bytes.iter().fold(true, all)
}

/// The first position from `from` on at which no token byte stands.
pub(crate) fn end_of_token(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let length = rest.iter().position(|byte| !in_table(&TOKEN, *byte))?;
    Some(from + length)
}

/// The first position from `from` on at which a byte stands that no field value has: every control
/// but the tab (RFC 9110 section 5.5). Bytes above 0x7F may stand there.
#[inline]
pub(crate) fn find_control(bytes: &[u8], from: usize) -> Option<usize> {
    find(
        bytes,
        from,
        |word| below(word, b' ') | deletes(word),
        is_control,
    )
}

/// The first position from `from` on at which a byte stands that ends a request target: a control,
/// a space, or what is not ASCII.
#[inline]
pub(crate) fn find_target_end(bytes: &[u8], from: usize) -> Option<usize> {
    let candidates = |word| below(word, b'!') | deletes(word) | (word & HIGH_BITS);
    find(bytes, from, candidates, |byte| !byte.is_ascii_graphic())
}

/// Whether `byte` is a control but no tab.
pub(crate) const fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || (byte == 0x7F)
}

/// The first position from `from` on at which a byte stands that `stops`. Eight bytes are looked at
/// at once: `candidates` sets the high bit of each byte that may be one. Behind the first one set,
/// it may err, as a borrow runs upwards.
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
    // The last eight, some of which have been looked at, are done with at once if they may.
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

/// The high bit of each byte of `word` that is below `least`, at most 0x80.
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
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The elements of a comma-separated list, some perhaps empty (RFC 9110 section 5.6.1.2).
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Why `bytes` are not a `uri-host [":" port]` (RFC 3986 section 3.2); nothing if they are.
///
/// Stricter in three: no userinfo (RFC 9110 section 4.2.4), no comma, which would be two hosts to a
/// reader that joins lines, and at most five digits of port. An empty host passes, without port.
pub(crate) fn host_fault(bytes: &[u8]) -> Option<&'static str> {
    if let [b'[', literal @ ..] = bytes {
        let Some(end) = literal.iter().position(|byte| *byte == b']') else {
            return Some("its `[` is never closed");
        };
        let (address, after) = literal.split_at_checked(end)?;
        if address.is_empty() || !address.iter().all(|byte| in_table(&LITERAL, *byte)) {
            return Some("an IPv6 address must stand between `[` and `]`");
        }
        return match after.get(1..)? {
            [] => None,
            [b':', port @ ..] => port_fault(port),
            _ => Some("only `:` and a port may follow the `]`"),
        };
    }
    let end = bytes.iter().position(|byte| !in_table(&REG_NAME, *byte));
    let (name, after) = bytes.split_at_checked(end.unwrap_or(bytes.len()))?;
    match after {
        _ if !escapes_are_whole(name) => Some("a `%` must be followed by two hexadecimal digits"),
        [] => None,
        [b':', ..] if name.is_empty() => Some("a port must follow a host"),
        [b':', port @ ..] => port_fault(port),
        [b'@', ..] => Some("a user must not be named before the host"),
        [b' ' | b'\t', ..] => Some("there must be no white space in it"),
        _ => Some("it must be a name or an address, then perhaps `:` and a port"),
    }
}

/// The number in one to eighteen digits, so that it fits wherever it is read next.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    let fits = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    let add = |sum: u64, digit: &u8| sum * 10 + u64::from(digit - b'0');
    fits.then(|| digits.iter().fold(0, add))
}

/// Appends `number` in the digits of `radix`, at most 16.
pub(crate) fn push_number(out: &mut Vec<u8>, mut number: u64, radix: u64) {
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

fn port_fault(port: &[u8]) -> Option<&'static str> {
    let fits = port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
    (!fits).then_some("its port must be at most five digits")
}

fn escapes_are_whole(name: &[u8]) -> bool {
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
        let check = |host: &str, right: bool| {
            assert_eq!(host_fault(host.as_bytes()).is_none(), right, "{host}");
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
    fn finding_looks_at_every_byte() {
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
