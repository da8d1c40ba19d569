//! Hops: `Via` and `Max-Forwards` (RFC 9110, section 7.6).

use crate::engine::semantics::arrival::Arrival;
use crate::engine::semantics::edit::Edits;
use crate::engine::semantics::known_fields::KnownFields;

/// Whether the gateway must respond itself as the last hop: `OPTIONS` or `TRACE` with
/// `Max-Forwards: 0` (RFC 9110, section 7.6.2).
#[must_use]
pub(crate) fn is_last_hop(method: &str, fields: &KnownFields<'_>) -> bool {
    max_forwards(method, fields) == Some(0)
}

/// Appends the gateway to `Via` and decrements `Max-Forwards`.
///
/// `Via` gets a new field line, which extends the list (RFC 9110, section 5.3).
pub(crate) fn hop_edits(
    edits: &mut Edits,
    arrival: &Arrival<'_>,
    method: &str,
    fields: &KnownFields<'_>,
) {
    edits.add_with("via", |to| {
        to.push(arrival.protocol.version().as_bytes());
        to.push(b" ");
        to.push(arrival.pseudonym.as_bytes());
    });
    if let Some(left) = max_forwards(method, fields) {
        edits.set_with("max-forwards", |to| to.push_decimal(left.saturating_sub(1)));
    }
}

/// The value of `Max-Forwards`, at most `u64::MAX`; `None` if it is invalid or another method
/// ignores it.
fn max_forwards(method: &str, fields: &KnownFields<'_>) -> Option<u64> {
    if !matches!(method, "OPTIONS" | "TRACE") {
        return None;
    }
    let digits = fields.max_forwards.only()?;
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::semantics::arrival::Protocol;
    use crate::engine::semantics::tests::{ARRIVAL, applied};

    #[test]
    fn via_and_max_forwards() {
        let check = |method, protocol, headers: &[(&str, &str)], expected: &[&str]| {
            let arrival = Arrival {
                protocol,
                ..ARRIVAL
            };
            let mut edits = Edits::new();
            hop_edits(&mut edits, &arrival, method, &KnownFields::of(headers));
            let fields = applied(&edits, headers).into_iter();
            let got: Vec<_> = fields
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            assert_eq!(got, expected, "{method} {headers:?}");
        };
        let one = Protocol::Http11;
        check("GET", one, &[], &["via: 1.1 tollgate"]);
        check("GET", Protocol::Http2, &[], &["via: 2 tollgate"]);
        check(
            "GET",
            Protocol::Http10,
            &[("via", "1.0 a, 1.1 b"), ("max-forwards", "3")],
            &["via: 1.0 a, 1.1 b", "max-forwards: 3", "via: 1.0 tollgate"],
        );
        let limited = [("Max-Forwards", "10")];
        check(
            "OPTIONS",
            one,
            &limited,
            &["via: 1.1 tollgate", "max-forwards: 9"],
        );
        check(
            "TRACE",
            one,
            &limited,
            &["via: 1.1 tollgate", "max-forwards: 9"],
        );
    }

    #[test]
    fn the_last_hop() {
        for (method, value, expected) in [
            ("OPTIONS", "0", true),
            ("TRACE", "00", true),
            ("GET", "0", false),
            ("OPTIONS", "1", false),
            ("OPTIONS", "-0", false),
            ("OPTIONS", "99999999999999999999", false),
        ] {
            let headers = [("max-forwards", value)];
            let fields = KnownFields::of(&headers[..]);
            assert_eq!(is_last_hop(method, &fields), expected, "{method} {value}");
        }
    }
}
