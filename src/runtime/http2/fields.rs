//! Header fields in HTTP/2 (RFC 9113, section 8.2): lower case, and none of them hop-by-hop.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::http1::{BodyLength, FieldKind};

/// The end-to-end fields of an HTTP/1.1 head, with the length of its body if it is known.
pub(crate) fn fields_of<'f>(
    fields_in: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    length: BodyLength,
) -> HeaderMap {
    // With space for the length and for edits.
    let mut fields = HeaderMap::with_capacity(fields_in.clone().count() + 4);
    for (name, value) in fields_in {
        // The codec admits only fields that the `http` crate admits.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            fields.append(name, value);
        }
    }
    if let BodyLength::Length(length) = length {
        // Digits are a valid value.
        if let Ok(length) = HeaderValue::try_from(length.to_string()) {
            fields.insert(header::CONTENT_LENGTH, length);
        }
    }
    fields
}

/// Removes the fields of an HTTP/2 head that are not forwarded: `Host`, which `:authority` replaces,
/// and hop-by-hop fields. `Content-Length` stays.
pub(crate) fn retain_end_to_end(fields: &mut HeaderMap) {
    let dropped: Vec<_> = fields
        .keys()
        .filter(|name| !is_forwarded(name.as_str().as_bytes()))
        .cloned()
        .collect();
    for name in dropped {
        fields.remove(name);
    }
}

fn is_forwarded(name: &[u8]) -> bool {
    let kind = FieldKind::of(name);
    kind.is_end_to_end() || kind == FieldKind::ContentLength
}

/// All fields as pairs of name and value.
#[must_use]
pub(crate) fn pairs(fields: &HeaderMap) -> Vec<(&[u8], &[u8])> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
        .collect()
}

/// The value of `Content-Length`, if it is valid.
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
    fn hop_by_hop_fields_are_removed() {
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
