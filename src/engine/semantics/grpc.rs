//! gRPC: status codes, content types, timeouts and messages ("gRPC over HTTP2" and "HTTP to gRPC
//! Status Code Mapping" of the gRPC project).

use core::fmt::{self, Display, Write};
use std::time::Duration;

use crate::engine::semantics::field_value::ValueWriter;

/// A gRPC status code that the gateway sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcStatus {
    /// 2
    Unknown,
    /// 4
    DeadlineExceeded,
    /// 7
    PermissionDenied,
    /// 8
    ResourceExhausted,
    /// 12
    Unimplemented,
    /// 13
    Internal,
    /// 14
    Unavailable,
    /// 16
    Unauthenticated,
}

impl GrpcStatus {
    /// The value of `grpc-status`.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Unknown => 2,
            Self::DeadlineExceeded => 4,
            Self::PermissionDenied => 7,
            Self::ResourceExhausted => 8,
            Self::Unimplemented => 12,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }
}

/// The `Content-Type` of the response to a gRPC or gRPC-Web request; `None` for other requests.
#[must_use]
pub(crate) fn response_type(content_type: Option<&[u8]>) -> Option<&'static str> {
    let text = content_type?;
    let end = text.iter().position(|byte| b"+; \t".contains(byte));
    let kind = text.get(..end.unwrap_or(text.len()))?;
    [
        "application/grpc",
        "application/grpc-web",
        "application/grpc-web-text",
    ]
    .into_iter()
    .find(|known| kind.eq_ignore_ascii_case(known.as_bytes()))
}

/// Parses `grpc-timeout`: one to eight digits and a unit out of `HMSmun`.
#[must_use]
pub(crate) fn parse_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if !matches!(digits.len(), 1..=8) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits
        .iter()
        .fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

/// Writes a `grpc-message`: percent-encoded and truncated to 500 characters.
pub(crate) fn push_message(to: &mut ValueWriter<'_>, message: &dyn Display) {
    let mut encoder = Encoder {
        to,
        left: MAX_CHARACTERS,
    };
    // Writing to memory cannot fail.
    _ = write!(encoder, "{message}");
}

/// Messages can contain long paths, while clients limit the size of a header section.
const MAX_CHARACTERS: usize = 500;

struct Encoder<'e, 'v> {
    to: &'e mut ValueWriter<'v>,
    left: usize,
}

impl Write for Encoder<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars().take(self.left) {
            self.left -= 1;
            if matches!(character, ' '..='~') && character != '%' {
                self.to.write_char(character)?;
            } else {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    write!(self.to, "%{byte:02X}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::semantics::edit::Edits;

    #[test]
    fn types() {
        for (text, expected) in [
            ("application/grpc", Some("application/grpc")),
            ("Application/GRPC+proto", Some("application/grpc")),
            ("application/grpc; charset=x", Some("application/grpc")),
            ("application/grpc-web+proto", Some("application/grpc-web")),
            (
                "application/grpc-web-text",
                Some("application/grpc-web-text"),
            ),
            ("application/grpcs", None),
            ("application/json", None),
            ("", None),
        ] {
            assert_eq!(response_type(Some(text.as_bytes())), expected, "{text}");
        }
        assert_eq!(response_type(None), None);
    }

    #[test]
    fn timeouts() {
        for (text, expected_us) in [
            ("1H", Some(3_600_000_000)),
            ("2M", Some(120_000_000)),
            ("3S", Some(3_000_000)),
            ("100m", Some(100_000)),
            ("5u", Some(5)),
            ("7000n", Some(7)),
            ("99999999H", Some(359_999_996_400_000_000)),
            ("0S", Some(0)),
            ("123456789S", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("-1S", None),
            ("1.5S", None),
            ("", None),
        ] {
            let expected = expected_us.map(Duration::from_micros);
            assert_eq!(parse_timeout(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn messages() {
        let check = |message: &str, expected: &str| {
            let mut edits = Edits::new();
            edits.set_with("grpc-message", |to| push_message(to, &message));
            let got = edits.value_of("grpc-message").unwrap();
            assert_eq!(String::from_utf8_lossy(got), expected);
        };
        check("no route matches /a b", "no route matches /a b");
        check("100 %\r\nä", "100 %25%0D%0A%C3%A4");
        check(&"ä".repeat(501), &"%C3%A4".repeat(500));
    }
}
