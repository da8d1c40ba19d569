//! Bytes into the text of a configuration.
//!
//! It reads no file: whoever does gives it what was there, cut off anywhere after [`MAX_BYTES`].

use crate::config::diagnostic::{Diagnostic, Position};

/// The most bytes that a configuration may have.
pub const MAX_BYTES: usize = crate::config::builder::MAX_BYTES;

/// The text of these bytes, and the fault that makes it unusable, if there is one: then the text
/// is good only for showing where that is.
#[must_use]
pub fn decode(bytes: Vec<u8>) -> (String, Option<Diagnostic>) {
    if bytes.len() > MAX_BYTES {
        let message = format!("the text is larger than {} MiB", MAX_BYTES / 1024 / 1024);
        return (
            String::new(),
            Some(Diagnostic::error("config.syntax", message)),
        );
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let bytes = error.as_bytes();
            let good = bytes.get(..error.utf8_error().valid_up_to());
            let position = end_of(&String::from_utf8_lossy(good.unwrap_or_default()));
            let fault = Diagnostic {
                position: Some(position),
                ..Diagnostic::error("config.syntax", "the text is not UTF-8")
            };
            let fault = fault.with_help("save the file in the encoding UTF-8");
            (String::from_utf8_lossy(bytes).into_owned(), Some(fault))
        }
    }
}

/// The position just after `text`.
fn end_of(text: &str) -> Position {
    let last = text.rsplit('\n').next().unwrap_or_default();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: count(text.matches('\n').count() + 1),
        column: count(last.chars().count() + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text() {
        assert_eq!(decode("a: ä".into()), ("a: ä".to_owned(), None));
    }

    #[test]
    fn what_is_not_utf_8_is_placed() {
        let (text, fault) = decode(b"a: \xc3\xa4\nb: \xe4\n".to_vec());
        assert_eq!(text, "a: ä\nb: \u{fffd}\n");
        let position = fault.unwrap().position;
        assert_eq!(position, Some(Position { line: 2, column: 4 }));
    }

    #[test]
    fn too_large() {
        let (text, fault) = decode(vec![b' '; MAX_BYTES + 1]);
        assert_eq!(text, "");
        assert_eq!(fault.unwrap().message, "the text is larger than 64 MiB");
    }
}
