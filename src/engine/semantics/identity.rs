//! The identity of a request: `X-Request-Id` and `traceparent`.
//!
//! The gateway accepts a valid request id from any client. An id grants nothing, so a client gains
//! nothing by choosing it, and people look for a request under the id that they sent. Validation
//! makes it safe to log.

use crate::engine::semantics::edit::Edits;
use crate::engine::semantics::field_value::hex;
use crate::engine::semantics::known_fields::KnownFields;

/// Unpredictable random bytes, fresh for each request.
///
/// The first 16 form the request id and the trace id, the other 8 the span id.
pub type Random = [u8; 24];

/// The id of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestId<'h> {
    /// The valid id that the client sent.
    Received(&'h [u8]),
    /// A generated UUID of version 4 (RFC 9562, section 5.4).
    Generated([u8; 36]),
}

impl<'h> RequestId<'h> {
    /// The received id if it is valid, else a generated one. A valid id occurs once and has 1 to
    /// 128 bytes out of letters, digits and `-._~+/=:@`, which have no meaning in logs, HTML or
    /// lists.
    #[must_use]
    pub fn of(fields: &KnownFields<'h>, random: &Random) -> Self {
        match fields.request_id.only() {
            Some(id) if is_valid_id(id) => Self::Received(id),
            _ => Self::Generated(uuid(random)),
        }
    }

    /// The id, in ASCII.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Received(id) => id,
            Self::Generated(id) => id,
        }
    }
}

/// Adds `X-Request-Id` and `traceparent` where the request has no valid ones.
///
/// A valid `traceparent` is forwarded unchanged with `tracestate`, since the gateway has no span.
/// An invalid one is replaced by a new trace without `tracestate` (W3C Trace Context, level 1,
/// section 3.2.2). New traces are not sampled; if the request id is generated too, the trace id has
/// the same digits, so that one can be found by the other.
pub fn identity_edits(
    edits: &mut Edits,
    id: &RequestId<'_>,
    fields: &KnownFields<'_>,
    random: &Random,
) {
    if let RequestId::Generated(id) = id {
        edits.set("x-request-id", id);
    }
    if fields.traceparent.only().is_some_and(is_traceparent) {
        return;
    }
    if fields.tracestate.is_present() {
        edits.remove("tracestate");
    }
    let (trace, span) = random.split_at(16);
    edits.set_with("traceparent", |to| {
        to.push(b"00-");
        to.push_hex(&versioned(trace));
        to.push(b"-");
        // The all-zero span id is invalid.
        let is_zero = span.iter().all(|byte| *byte == 0);
        to.push_hex(if is_zero { &[1; 8] } else { span });
        to.push(b"-00");
    });
}

/// Whether this is a valid `traceparent` (W3C Trace Context, level 1, section 3.2). Later versions
/// may append fields to those of version 0.
#[must_use]
pub fn is_traceparent(value: &[u8]) -> bool {
    let Some((fixed, rest)) = value.split_at_checked(55) else {
        return false;
    };
    let mut parts = fixed.split(|byte| *byte == b'-');
    let mut part = |length: usize| {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let part = parts.next().unwrap_or_default();
        (part.len() == length && part.iter().all(is_digit)).then_some(part)
    };
    let is_zero = |id: &[u8]| id.iter().all(|byte| *byte == b'0');
    let (Some(version), Some(trace), Some(span), Some(_)) = (part(2), part(32), part(16), part(2))
    else {
        return false;
    };
    let ends = match version {
        b"00" => rest.is_empty(),
        b"ff" => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    ends && !is_zero(trace) && !is_zero(span)
}

fn is_valid_id(id: &[u8]) -> bool {
    let is_fit = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=:@".contains(byte);
    matches!(id.len(), 1..=128) && id.iter().all(is_fit)
}

fn uuid(random: &Random) -> [u8; 36] {
    let (own, _) = random.split_at(16);
    let mut digits = [0; 32];
    let (places, _) = digits.as_chunks_mut();
    let own = versioned(own);
    let (words, _) = own.as_chunks();
    for (place, word) in places.iter_mut().zip(words) {
        *place = hex(*word);
    }
    let mut text = [b'-'; 36];
    let mut from = &digits[..];
    let mut to = &mut text[..];
    for length in [8, 4, 4, 4, 12] {
        let (part, rest) = from.split_at(length);
        let (place, after) = to.split_at_mut(length);
        place.copy_from_slice(part);
        from = rest;
        // Skip the dash; the last group has none.
        to = after.get_mut(1..).unwrap_or_default();
    }
    text
}

/// Sixteen bytes with the version and variant bits of a UUID, so they are never all zero.
fn versioned(random: &[u8]) -> [u8; 16] {
    let mut bytes: [u8; 16] = random.try_into().unwrap_or_default();
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = *version & 0x0F | 0x40;
    *variant = *variant & 0x3F | 0x80;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::semantics::tests::applied;

    const RANDOM: Random = [0xA5; 24];
    const GENERATED: &str = "a5a5a5a5-a5a5-45a5-a5a5-a5a5a5a5a5a5";
    const TRACE: &str = "00-a5a5a5a5a5a545a5a5a5a5a5a5a5a5a5-a5a5a5a5a5a5a5a5-00";
    const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn check(headers: &[(&str, &str)], expected: &[(&str, &str)]) {
        let fields = KnownFields::of(headers);
        let id = RequestId::of(&fields, &RANDOM);
        let mut edits = Edits::new();
        identity_edits(&mut edits, &id, &fields, &RANDOM);
        let fields = applied(&edits, headers);
        let got: Vec<_> = fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(got, expected, "{headers:?}");
        let named = fields.iter().find(|(name, _)| name == "x-request-id");
        assert_eq!(named.unwrap().1.as_bytes(), id.as_bytes());
    }

    #[test]
    fn ids_are_received_or_generated() {
        let generated = [("x-request-id", GENERATED), ("traceparent", TRACE)];
        check(&[], &generated);
        let received = [("x-request-id", "a-1"), ("traceparent", VALID)];
        check(&received, &received);
        check(&[received[0]], &[received[0], generated[1]]);
        check(&[received[1]], &[received[1], generated[0]]);
        let state = ("tracestate", "a=1");
        check(
            &[received[0], received[1], state],
            &[received[0], received[1], state],
        );
        check(&[state], &generated);
        check(&[("traceparent", "00-0"), state], &generated);
        check(
            &[("traceparent", VALID), ("traceparent", VALID)],
            &generated,
        );
        let long = "x".repeat(129);
        for invalid in ["", "a b", "a\"b", "a,b", "<a>", "ä", &long] {
            check(&[("x-request-id", invalid)], &generated);
        }
        check(&[received[0], received[0]], &generated);
        let longest = "x".repeat(128);
        let longest = [("x-request-id", &*longest), ("traceparent", VALID)];
        check(&longest, &longest);
    }

    #[test]
    fn traceparents() {
        let zero = "0".repeat(32);
        let later = VALID.replacen("00", "01", 1);
        for (value, expected) in [
            (VALID, true),
            (&later, true),
            (&format!("{later}-more"), true),
            (&format!("{later}more"), false),
            (&VALID.replace("00-", "ff-"), false),
            (&format!("{VALID}-more"), false),
            (&VALID.to_uppercase(), false),
            (VALID.trim_start_matches('0'), false),
            (&format!("00-{zero}-b7ad6b7169203331-01"), false),
            (
                &VALID.replace("b7ad6b7169203331", "0000000000000000"),
                false,
            ),
            (&VALID.replace("-b7", "b7-"), false),
            ("", false),
        ] {
            assert_eq!(is_traceparent(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn no_id_is_all_zero() {
        let mut edits = Edits::new();
        let zero = [0; 24];
        let fields = KnownFields::default();
        identity_edits(&mut edits, &RequestId::of(&fields, &zero), &fields, &zero);
        assert!(is_traceparent(edits.value_of("traceparent").unwrap()));
    }
}
