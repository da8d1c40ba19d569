//! How long a certificate may be used (RFC 5280, section 4.1.2.5).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The last second in which a certificate is valid, since 1970; none if it cannot be read.
pub(super) fn not_after(certificate: &[u8]) -> Option<i64> {
    let (SEQUENCE, certificate, _) = element(certificate)? else {
        return None;
    };
    let (SEQUENCE, mut rest, _) = element(certificate)? else {
        return None;
    };
    // The version may be left out. Serial number, signature and issuer come before the validity.
    if let (VERSION, _, behind) = element(rest)? {
        rest = behind;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (SEQUENCE, validity, _) = element(rest)? else {
        return None;
    };
    let (_, _, behind) = element(validity)?;
    let (tag, text, _) = element(behind)?;
    seconds(tag, text)
}

/// The first element of DER: its tag, what is in it, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length = bytes.iter().try_fold(0_usize, |length, byte| {
                length.checked_mul(256)?.checked_add(usize::from(*byte))
            });
            (length?, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn seconds(tag: u8, text: &[u8]) -> Option<i64> {
    let text = str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        GENERALIZED_TIME => (number(text, 0..4)?, text.get(4..)?),
        UTC_TIME => match number(text, 0..2)? {
            year @ 0..50 => (2000 + year, text.get(2..)?),
            year => (1900 + year, text.get(2..)?),
        },
        _ => return None,
    };
    let part = |at: usize| i8::try_from(number(rest, at..at + 2)?).ok();
    let (month, day) = (part(0)?, part(2)?);
    let time = DateTime::new(year, month, day, part(4)?, part(6)?, part(8)?, 0).ok()?;
    let zoned = time.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second())
}

fn number(text: &str, at: std::ops::Range<usize>) -> Option<i16> {
    let digits = text.get(at)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_of_a_certificate() {
        let key = KeyPair::generate().unwrap();
        for (year, expected) in [(2024, 1_704_067_200), (2060, 2_840_140_800)] {
            let mut params = CertificateParams::new(["a.example".into()]).unwrap();
            params.not_after = date_time_ymd(year, 1, 1);
            let der = params.self_signed(&key).unwrap();
            assert_eq!(not_after(der.der()), Some(expected), "{year}");
            for length in 0..100 {
                assert_eq!(not_after(&der.der()[..length]), None, "{length}");
            }
        }
    }

    #[test]
    fn times() {
        let check = |tag, text: &str, expected| {
            assert_eq!(seconds(tag, text.as_bytes()), expected, "{text}");
        };
        check(UTC_TIME, "700101000000Z", Some(0));
        check(UTC_TIME, "491231235959Z", Some(2_524_607_999));
        check(GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000));
        check(UTC_TIME, "700101000000", None);
        check(UTC_TIME, "7001+1000000Z", None);
        check(UTC_TIME, "701301000000Z", None);
        check(UTC_TIME, "7001010000Z", None);
        check(0x04, "700101000000Z", None);
    }
}
