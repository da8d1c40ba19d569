//! Tests of the codec: tables of messages.

use crate::http1::encode::FieldEdits;

mod body;
mod encode_request;
mod encode_response;
mod request_head;
mod response_head;

/// Edits written as text: `-name` removes fields, `name: value` adds one.
impl FieldEdits for &[&str] {
    fn drops(&self, name: &[u8]) -> bool {
        let mut dropped = self.iter().filter_map(|edit| edit.strip_prefix('-'));
        dropped.any(|own| own.as_bytes().eq_ignore_ascii_case(name))
    }

    fn each_added(&self, put: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in self.iter().filter_map(|edit| edit.split_once(": ")) {
            put(name.as_bytes(), value.as_bytes());
        }
    }
}
