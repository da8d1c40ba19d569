//! A check whether a path is normal.

/// Whether normalising this path would not change it.
pub(crate) fn is_normal(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let segments: Vec<&str> = rest.split('/').collect();
    let inner = segments.len() - 1;
    let no_gap = segments
        .iter()
        .take(inner)
        .all(|segment| !segment.is_empty());
    no_gap
        && segments.iter().all(|segment| !is_dots(segment))
        && path.bytes().all(is_allowed)
        && path.split('%').skip(1).all(is_needed_escape)
}

/// `.`, `..` and these with a parameter, `..;x`.
fn is_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or(segment);
    name == "." || name == ".."
}

fn is_allowed(byte: u8) -> bool {
    (0x21..0x7F).contains(&byte) && !b"\\\"<>{}`#?|^".contains(&byte)
}

/// Whether what follows a `%` is two upper-case digits of a byte that must stay escaped.
fn is_needed_escape(after: &str) -> bool {
    let digits: String = after.chars().take(2).collect();
    let upper = digits
        .chars()
        .all(|digit| matches!(digit, '0'..='9' | 'A'..='F'));
    let byte = u8::from_str_radix(&digits, 16);
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    digits.len() == 2
        && upper
        && byte.is_ok_and(|byte| !byte.is_ascii_control() && !unreserved(byte))
}
