//! Whether an output is the one that a page shows.
//!
//! `...` stands for any text within a line, and a line that is only `...` for any lines.

const ANY: &str = "...";

/// Whether the output matches what is shown. Line ends at the very end do not count.
pub(crate) fn matches(shown: &str, output: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let text = text.trim_end_matches('\n');
        text.lines().map(str::to_owned).collect()
    };
    lines_match(&lines(shown), &lines(output))
}

fn lines_match(shown: &[String], output: &[String]) -> bool {
    let Some((first, rest)) = shown.split_first() else {
        return output.is_empty();
    };
    if first == ANY {
        return (0..=output.len()).any(|skipped| lines_match(rest, &output[skipped..]));
    }
    let matched = output
        .split_first()
        .filter(|(line, _)| line_matches(first, line));
    matched.is_some_and(|(_, output)| lines_match(rest, output))
}

fn line_matches(shown: &str, line: &str) -> bool {
    let Some((before, after)) = shown.split_once(ANY) else {
        return shown == line;
    };
    let Some(rest) = line.strip_prefix(before) else {
        return false;
    };
    let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.any(|at| line_matches(after, &rest[at..]))
}

#[test]
fn three_dots_stand_for_text_and_for_lines() {
    for (shown, output, expected) in [
        ("", "", true),
        ("a\nb", "a\nb\n", true),
        ("a\nb", "a\nc", false),
        ("a", "a\nb", false),
        ("a\nb", "a", false),
        ("Date: ...", "Date: today", true),
        ("Date: ...", "Data: today", false),
        ("a ... c", "a b c", true),
        ("a ... c", "a b d", false),
        ("...,\"b\":...}", "{\"a\":1,\"b\":2}", true),
        ("a\n...\nd", "a\nb\nc\nd", true),
        ("a\n...\nd", "a\nd", true),
        ("a\n...\nd", "a\nb\nc", false),
        ("...", "", true),
    ] {
        assert_eq!(matches(shown, output), expected, "{shown:?} {output:?}");
    }
}
