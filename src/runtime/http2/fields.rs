//! The fields of a head as HTTP/2 has them (RFC 9113, section 8.2): lower case, and none that speaks
//! of one connection.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::http1::edit::Edit;
use crate::http1::kind::FieldKind;
use crate::http1::length::BodyLength;

/// The fields that stay of a head that came over HTTP/1.1, with its length if that is known.
pub fn fields_of<'f>(
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
pub fn retain_end_to_end(fields: &mut HeaderMap) {
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

/// Changes fields as a list of edits says.
pub fn apply(fields: &mut HeaderMap, edits: &[Edit<'_>]) {
    for edit in edits {
        let Ok(name) = HeaderName::from_bytes(edit.name().as_bytes()) else {
            continue;
        };
        let value = edit
            .value()
            .and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
        match (edit.replaces(), value) {
            (true, Some(value)) => drop(fields.insert(name, value)),
            (true, None) => drop(fields.remove(name)),
            (false, Some(value)) => drop(fields.append(name, value)),
            (false, None) => {}
        }
    }
}

/// Every field as name and value.
#[must_use]
pub fn pairs(fields: &HeaderMap) -> Vec<(&[u8], &[u8])> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
        .collect()
}

/// The length that the fields declare; none if they declare none.
#[must_use]
pub fn content_length(fields: &HeaderMap) -> Option<u64> {
    let value = fields.get(header::CONTENT_LENGTH)?.as_bytes();
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::edit::{FieldName, FieldValue};

    #[test]
    fn edits_change_fields_in_order() {
        let mut fields = HeaderMap::new();
        fields.append("a", HeaderValue::from_static("1"));
        fields.append("a", HeaderValue::from_static("2"));
        fields.append("b", HeaderValue::from_static("3"));
        fields.append("host", HeaderValue::from_static("h"));
        fields.append("te", HeaderValue::from_static("trailers"));
        fields.append("content-length", HeaderValue::from_static("5"));
        let name = |name: &'static str| FieldName::new(name.as_bytes()).unwrap();
        let value = FieldValue::new(b"x").unwrap();
        retain_end_to_end(&mut fields);
        let edits = [
            Edit::Set {
                name: name("A"),
                value,
            },
            Edit::Add {
                name: name("a"),
                value,
            },
            Edit::Remove { name: name("b") },
        ];
        apply(&mut fields, &edits);
        assert_eq!(content_length(&fields), Some(5));
        fields.remove("content-length");
        assert_eq!(pairs(&fields), [(&b"a"[..], &b"x"[..]), (b"a", b"x")]);
    }
}
