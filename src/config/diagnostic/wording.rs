//! Words in messages: suggestions for misspelt words, and excerpts of user input.

/// Returns the known word that a misspelt `word` probably means, if one is close enough.
///
/// Close means: equal except for case and `-` versus `_`; or at most one edit per three letters
/// and at most three edits away; or the known word begins with `word`.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = folded(word);
    let letters = word.chars().count();
    let reach = if letters < 3 {
        0
    } else {
        (letters / 3).clamp(1, 3)
    };
    known
        .into_iter()
        .filter_map(|candidate| {
            let folded = folded(candidate);
            let distance = strsim::osa_distance(&word, &folded);
            if distance <= reach {
                Some((distance, candidate))
            } else if letters >= 3 && folded.starts_with(&word) {
                Some((reach + 1, candidate))
            } else {
                None
            }
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Returns `text` for use in a one-line message: at most 60 characters, without control characters.
pub fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(EXCERPT_CHARS).map(printable).collect();
    if text.chars().nth(EXCERPT_CHARS).is_some() {
        short.push('…');
    }
    short
}

/// Returns `c`, or the replacement character if a terminal would act on it instead of showing it.
pub(crate) fn printable(c: char) -> char {
    let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || reorders {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

fn folded(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

const EXCERPT_CHARS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        let known = [
            "path_pattern",
            "service",
            "methods",
            "hosts",
            "strip_prefix",
        ];
        let table = [
            ("path_patern", Some("path_pattern")),
            ("Path-Pattern", Some("path_pattern")),
            ("path", Some("path_pattern")),
            ("host", Some("hosts")),
            ("serivce", Some("service")),
            ("strip", Some("strip_prefix")),
            ("upstream", None),
            ("x", None),
            ("", None),
        ];
        for (word, expected) in table {
            assert_eq!(did_you_mean(word, known), expected, "{word}");
        }
    }

    #[test]
    fn excerpts() {
        assert_eq!(excerpt("a\u{1b}[31m\nb"), "a\u{fffd}[31m\u{fffd}b");
        assert_eq!(excerpt(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
    }
}
