//! A minimal reader of Rust code and manifests, as far as the rules need it.

/// The layer of a file of `src/`; `None` for `main.rs` and `lib.rs`.
pub(crate) fn layer_of(path: &str) -> Option<String> {
    let inside = path.strip_prefix("src/")?;
    let layer = inside.split_once('/').map_or(inside, |(layer, _)| layer);
    Some(layer.trim_end_matches(".rs").to_owned()).filter(|layer| layer != "main" && layer != "lib")
}

/// The layers that a line of code imports: the names right after `crate::`.
pub(crate) fn named_layers(code: &str) -> Vec<&str> {
    let mut named = Vec::new();
    for (_, after) in code
        .match_indices("crate::")
        .map(|(at, found)| (at, &code[at + found.len()..]))
    {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let first = |text: &str| text.find(|c| !is_name(c)).unwrap_or(text.len());
        let Some(list) = after.strip_prefix('{') else {
            named.push(&after[..first(after)]);
            continue;
        };
        let mut depth = 0;
        for part in list.split_inclusive(['{', '}', ',']) {
            let part_name = part.trim_start();
            let end = first(part_name);
            if depth == 0 && end > 0 {
                named.push(&part_name[..end]);
            }
            depth += part.matches('{').count();
            depth = depth.saturating_sub(part.matches('}').count());
        }
    }
    named
}

/// A line without the comment at its end.
pub(crate) fn code_of(line: &str) -> &str {
    let comment = line
        .match_indices("//")
        .find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Whether a line contains `word`, and not only as the end of a longer word.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    })
}

/// Whether a line contains a path that starts with `place`.
pub(crate) fn begins_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| before.is_whitespace() || "\"'`(=:,<".contains(before))
    })
}

/// Every function with a body: its name, its line and how many lines its body has. The text
/// must be formatted by rustfmt: the closing brace has the indentation of the first word.
pub(crate) fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = code_of(line);
        let Some((before, after)) = code.split_once("fn ") else {
            continue;
        };
        let is_declared = before.split_whitespace().all(|word| {
            ["pub", "const", "async", "extern", "unsafe"].contains(&word)
                || word.starts_with("pub(")
        });
        let name: String = after
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if !is_declared || name.is_empty() {
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let end_of_head = |line: &&str| line.trim_end().ends_with(['{', ';', '}']);
        let Some(head) = lines[at..].iter().position(end_of_head) else {
            continue;
        };
        let length = if lines[at + head].trim_end().ends_with('{') {
            let last = format!("{indent}}}");
            let rest = &lines[at + head + 1..];
            rest.iter()
                .position(|line| *line == last)
                .unwrap_or(rest.len())
        } else {
            0
        };
        functions.push((name, at + 1, length));
    }
    functions
}

/// The files of the tests, benches and examples that a manifest names.
pub(crate) fn targets(manifest: &str) -> Vec<String> {
    let value = |line: &str, key: &str| {
        let rest = line.strip_prefix(key)?.trim_start().strip_prefix('=')?;
        Some(rest.trim().trim_matches('"').to_owned())
    };
    let mut targets = Vec::new();
    for section in manifest
        .split("\n[")
        .map(|section| section.trim_start_matches('['))
    {
        let (head, lines) = section.split_once('\n').unwrap_or((section, ""));
        let directory = match head.trim() {
            "bench]]" => "benches",
            "test]]" => "proptests",
            "example]]" => "examples",
            _ => continue,
        };
        let name = lines.lines().find_map(|line| value(line, "name")).unwrap();
        let path = lines.lines().find_map(|line| value(line, "path"));
        targets.push(path.unwrap_or_else(|| format!("{directory}/{name}.rs")));
    }
    targets
}
