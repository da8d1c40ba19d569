//! The fields of a head as HTTP/2 has them (RFC 9113, section 8.2): lower case, and none that speaks
//! of one connection.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::http1::kind::FieldKind;
use crate::http1::length::BodyLength;

/// The fields that stay of a head that came over HTTP/1.1, with its length if that is known.
pub(crate) fn fields_of<'f>(
    came: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    length: BodyLength,
) -> HeaderMap {
    // With some room for the length, and for what is put to them.
    let mut fields = HeaderMap::with_capacity(came.clone().count() + 4);
    for (name, value) in came {
        // What the codec let through is a field for the `http` crate as well.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            fields.append(name, value);
        }
    }
    if let BodyLength::Length(length) = length {
        // Digits are a value.
        if let Ok(length) = HeaderValue::try_from(length.to_string()) {
            fields.insert(header::CONTENT_LENGTH, length);
        }
    }
    fields
}

/// Takes out what is not passed on of a head that came over HTTP/2: `Host`, which `:authority`
/// stands for, and what is for this hop alone. The length stays.
pub(crate) fn retain_end_to_end(fields: &mut HeaderMap) {
    let wrong: Vec<_> = fields
        .keys()
        .filter(|name| !is_passed(name.as_str().as_bytes()))
        .cloned()
        .collect();
    for name in wrong {
        fields.remove(name);
    }
}

fn is_passed(name: &[u8]) -> bool {
    let kind = FieldKind::of(name);
    kind.is_end_to_end() || kind == FieldKind::ContentLength
}

/// Every field as name and value.
#[must_use]
pub(crate) fn pairs(fields: &HeaderMap) -> Vec<(&[u8], &[u8])> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
        .collect()
}

/// The length that the fields declare; none if they declare none.
#[must_use]
pub(crate) fn content_length(fields: &HeaderMap) -> Option<u64> {
    let value = fields.get(header::CONTENT_LENGTH)?.as_bytes();
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_one_hop_is_taken_out() {
        let mut fields = HeaderMap::new();
        for (name, value) in [("a", "1"), ("host", "h"), ("te", "trailers"), ("a", "2")] {
            fields.append(name, HeaderValue::from_static(value));
        }
        fields.append("content-length", HeaderValue::from_static("5"));
        retain_end_to_end(&mut fields);
        assert_eq!(content_length(&fields), Some(5));
        fields.remove("content-length");
        assert_eq!(pairs(&fields), [(&b"a"[..], &b"1"[..]), (b"a", b"2")]);
    }
}
