//! From bytes to the text of a configuration. Reads no file.

use crate::config::diagnostic::Diagnostic;
use crate::config::place::Position;

/// Maximum size of a configuration, in bytes: 64 MiB. It keeps node and character counts below
/// 2^32; 100,000 routes take about 20 MiB.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Decodes a file's bytes. If they are unusable, also returns the diagnostic; the text then serves
/// only to show where the problem is.
#[must_use]
pub fn decode(bytes: Vec<u8>) -> (String, Option<Diagnostic>) {
    if bytes.len() > MAX_BYTES {
        return (String::new(), Some(too_large()));
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let bytes = error.as_bytes();
            let valid = bytes.get(..error.utf8_error().valid_up_to());
            let position = end_of(&String::from_utf8_lossy(valid.unwrap_or_default()));
            let diagnostic = Diagnostic {
                position: Some(position),
                ..Diagnostic::error("config.syntax", "the text is not UTF-8")
            };
            let diagnostic = diagnostic.with_help("save the file in the encoding UTF-8");
            (
                String::from_utf8_lossy(bytes).into_owned(),
                Some(diagnostic),
            )
        }
    }
}

/// Returns `text` without its byte-order mark.
///
/// # Errors
/// If it is longer than [`MAX_BYTES`].
pub(super) fn checked(text: &str) -> Result<&str, Diagnostic> {
    if text.len() > MAX_BYTES {
        return Err(too_large());
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn too_large() -> Diagnostic {
    let message = format!("the text is larger than {} MiB", MAX_BYTES / 1024 / 1024);
    Diagnostic::error("config.syntax", message)
}

/// The position right after `text`.
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
    fn utf_8_is_accepted() {
        assert_eq!(decode("a: ä".into()), ("a: ä".to_owned(), None));
    }

    #[test]
    fn the_first_invalid_byte_is_located() {
        let (text, diagnostic) = decode(b"a: \xc3\xa4\nb: \xe4\n".to_vec());
        assert_eq!(text, "a: ä\nb: \u{fffd}\n");
        let position = diagnostic.unwrap().position;
        assert_eq!(position, Some(Position { line: 2, column: 4 }));
    }

    #[test]
    fn a_text_that_is_too_large_is_rejected() {
        let (text, diagnostic) = decode(vec![b' '; MAX_BYTES + 1]);
        assert_eq!(text, "");
        assert_eq!(
            diagnostic.unwrap().message,
            "the text is larger than 64 MiB"
        );
    }
}
