//! Applies the header edits of the engine in the codecs of both protocols.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::engine::semantics::{Edit, Edits};
use crate::http1::FieldEdits;

/// [`Edits`] hold only valid names and values, and the engine never edits a field that the codec
/// writes itself.
impl FieldEdits for Edits {
    fn drops(&self, name: &[u8]) -> bool {
        Self::drops(self, name)
    }

    fn each_added(&self, put: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in self.added() {
            put(name, value);
        }
    }
}

/// Applies edits to HTTP/2 fields.
pub(crate) fn apply_edits(fields: &mut HeaderMap, edits: &Edits) {
    for edit in edits.iter() {
        let (Edit::Remove { name } | Edit::Set { name, .. } | Edit::Add { name, .. }) = edit;
        // The codec and the configuration admit only names that the `http` crate admits.
        let Ok(name) = HeaderName::from_bytes(name) else {
            continue;
        };
        match edit {
            Edit::Remove { .. } => drop(fields.remove(name)),
            Edit::Set { value, .. } => {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    fields.insert(name, value);
                }
            }
            Edit::Add { value, .. } => {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    fields.append(name, value);
                }
            }
        }
    }
}

/// The fields that edits add, as HTTP/2.
pub(crate) fn added_fields(edits: &Edits) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in edits.added() {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            fields.append(name, value);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::http2::pairs;

    #[test]
    fn edits_change_fields_in_order() {
        let mut fields = HeaderMap::new();
        fields.append("a", HeaderValue::from_static("1"));
        fields.append("a", HeaderValue::from_static("2"));
        fields.append("b", HeaderValue::from_static("3"));
        fields.append("c", HeaderValue::from_static("4"));
        let mut edits = Edits::new();
        edits.set("a", b"x");
        edits.add("a", b"y");
        edits.remove("b");
        apply_edits(&mut fields, &edits);
        assert_eq!(
            pairs(&fields),
            [(&b"a"[..], &b"x"[..]), (b"a", b"y"), (b"c", b"4")]
        );
    }
}
