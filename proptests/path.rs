//! Normal paths against a naive implementation of RFC 3986, rule by rule on whole strings.

use proptest::prelude::*;
use tollgate::engine::routing::path::{check_query, split_target};
use tollgate::engine::routing::{EncodedSlash, NormalPath};

/// The reference: `None` where the path must be rejected.
fn naive(path: &str) -> Option<String> {
    if path == "*" {
        return Some(path.to_owned());
    }
    if !path.starts_with('/') || path.chars().any(|c| !('!'..='~').contains(&c)) {
        return None;
    }
    if path.contains(['\\', '"', '<', '>', '{', '}', '`', '#', '?']) {
        return None;
    }
    let mut text = unescape(&path.replace('|', "%7C").replace('^', "%5E"))?;
    while text.contains("//") {
        text = text.replace("//", "/");
    }
    if text
        .split('/')
        .any(|it| it.starts_with(".;") || it.starts_with("..;"))
    {
        return None;
    }
    let mut depth = 0_i32;
    for segment in text.split('/').skip(1) {
        depth += match segment {
            "" | "." => 0,
            ".." => -1,
            _ => 1,
        };
        if depth < 0 {
            return None;
        }
    }
    Some(remove_dot_segments(&text))
}

/// RFC 3986 section 6.2.2, with the rejections of the path rules.
fn unescape(path: &str) -> Option<String> {
    let mut pieces = path.split('%');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let digits = piece
            .get(..2)
            .filter(|it| it.chars().all(|c| c.is_ascii_hexdigit()))?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte < 0x20 || byte == 0x7F {
            return None;
        }
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) {
            text.push(c);
        } else {
            text.push('%');
            text.push_str(&digits.to_ascii_uppercase());
        }
        text.push_str(piece.get(2..)?);
    }
    Some(text)
}

/// RFC 3986 section 5.2.4, steps 2A to 2E: an input buffer and an output buffer.
fn remove_dot_segments(path: &str) -> String {
    let mut input = path.to_owned();
    let mut output = String::new();
    while !input.is_empty() {
        if let Some(rest) = input.strip_prefix("/./") {
            input = format!("/{rest}");
        } else if input == "/." {
            input = "/".to_owned();
        } else if input.starts_with("/../") || input == "/.." {
            input = format!("/{}", input.get(4..).unwrap_or(""));
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input.char_indices().skip(1).find(|(_, c)| *c == '/');
            let rest = input.split_off(end.map_or(input.len(), |(at, _)| at));
            output.push_str(&input);
            input = rest;
        }
    }
    output
}

fn naive_encoded_slash(normal: &str) -> EncodedSlash {
    let split = normal.replace("%2F", "/").replace("%5C", "/");
    let is_dot = |it: &str| matches!(it.split(';').next(), Some("." | ".."));
    if split == normal {
        EncodedSlash::Absent
    } else if split.split('/').any(is_dot) {
        EncodedSlash::HidesDotSegment
    } else {
        EncodedSlash::Plain
    }
}

/// Paths of significant pieces, so that their combinations are frequent.
fn nasty_path() -> impl Strategy<Value = String> {
    let pieces = vec![
        "/", "/", "/", "/", ".", ".", "..", "%2e", "%2E", "%2f", "%2F", "%5c", "%5C", ";", "x",
        "Q", "~", "users", "%41", "%7e", "%25", "%252e", "%252f", "%20", "%c3", "%C3%A9", "|", "^",
        "%7c", "%3b", "[", "=", "*", ":",
    ];
    let invalid = vec![
        "?", " ", "%", "%0", "%4g", "%00", "%7f", "\u{e9}", "\\", "#", "\n", "\u{7f}", "{",
    ];
    let piece = prop_oneof![60 => prop::sample::select(pieces), 1 => prop::sample::select(invalid)];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn any_path() -> impl Strategy<Value = String> {
    prop_oneof![4 => nasty_path(), 1 => "/[ -~]{0,40}", 1 => any::<String>()]
}

/// A spelling of `path`: each unreserved byte is escaped or not, each hex digit has either case.
fn respell(path: &str, choices: &[(bool, bool)]) -> String {
    let mut choices = choices.iter().cycle();
    let mut spelt = String::new();
    let mut digits_left = 0;
    for c in path.chars() {
        let (escape, lower) = choices.next().copied().unwrap_or_default();
        let in_escape = digits_left > 0;
        digits_left = if c == '%' {
            2
        } else {
            (digits_left - 1).max(0)
        };
        if in_escape && lower {
            spelt.push(c.to_ascii_lowercase());
        } else if !in_escape && escape && (c.is_ascii_alphanumeric() || "-._~".contains(c)) {
            let code = u32::from(c);
            spelt.push_str(&if lower {
                format!("%{code:02x}")
            } else {
                format!("%{code:02X}")
            });
        } else {
            spelt.push(c);
        }
    }
    spelt
}

fn parsed(path: &str) -> Option<(String, EncodedSlash)> {
    let normal = NormalPath::parse(path).ok()?;
    Some((normal.as_str().to_owned(), normal.encoded_slash()))
}

proptest! {
    #[test]
    fn agrees_with_the_naive_reading(path in any_path()) {
        let expected = naive(&path).map(|it| (it.clone(), naive_encoded_slash(&it)));
        prop_assert_eq!(parsed(&path), expected);
    }

    #[test]
    fn is_idempotent(path in any_path()) {
        if let Some(once) = parsed(&path) {
            prop_assert_eq!(parsed(&once.0), Some(once));
        }
    }

    #[test]
    fn output_is_normal(path in any_path()) {
        let Ok(normal) = NormalPath::parse(&path) else { return Ok(()) };
        let text = normal.as_str();
        prop_assert!(text.starts_with('/') || text == "*");
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert!(!text.contains("//"));
        prop_assert!(!text.split('/').any(|it| it == "." || it == ".."));
        for escape in text.split('%').skip(1).map(|it| it.get(..2).unwrap_or("")) {
            prop_assert_eq!(escape, escape.to_uppercase());
            let c = u8::from_str_radix(escape, 16).map(char::from).expect("two hex digits");
            prop_assert!(!c.is_ascii_alphanumeric() && !"-._~".contains(c));
            prop_assert!(!c.is_ascii_control());
        }
    }

    #[test]
    fn equal_spellings_normalise_alike(
        path in nasty_path(),
        choices in prop::collection::vec(any::<(bool, bool)>(), 1..40),
    ) {
        if let Some(normal) = parsed(&path) {
            for path in [&normal.0, &path] {
                let spelt = respell(path, &choices);
                prop_assert_eq!(parsed(&spelt), Some(normal.clone()), "spelt {}", spelt);
            }
        }
    }

    #[test]
    fn clean_paths_are_themselves(path in "(/[a-zA-Z0-9_~!$&'()*+,;=:@-][a-z.~;-]{0,30}){1,6}/?") {
        prop_assert_eq!(parsed(&path), Some((path, EncodedSlash::Absent)));
    }

    #[test]
    fn queries_agree_with_the_naive_reading(
        query in prop_oneof!["[!-~]{0,60}", "[ -~]{0,60}", any::<String>()],
    ) {
        let is_good = query.chars().all(|c| ('!'..='~').contains(&c) && c != '#');
        prop_assert_eq!(check_query(&query).is_ok(), is_good);
        let target = format!("/a?{query}");
        prop_assert_eq!(split_target(&target), ("/a", Some(query.as_str())));
    }
}
