//! Generates the table of counters in `docs/operations.md` from their declaration.

use tollgate::observe::Totals;

use crate::page::Page;

const HEADING: &str = "| counter | counts |\n|---|---|\n";

#[test]
fn the_table_of_counters_is_generated() {
    let page = Page::read("docs/operations.md");
    let start = page.text.find(HEADING).expect("a table of counters") + HEADING.len();
    let rows = &page.text[start..];
    let end = start + rows.find("\n\n").map_or(rows.len(), |end| end + 1);
    let expected: String = Totals::DESCRIPTIONS
        .iter()
        .map(|(name, description)| format!("| `{name}` | {} |\n", in_lower_case(description)))
        .collect();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        page.rewrite(vec![(start..end, expected)]);
    } else {
        assert_eq!(page.text[start..end], expected);
    }
}

/// The description as it stands in a table: without a capital at its start.
fn in_lower_case(description: &str) -> String {
    description[..1].to_lowercase() + &description[1..]
}
