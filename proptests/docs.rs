//! Checks the documentation against the program: examples, links, the command-line page, the README.
//!
//! CONTRIBUTING.md, "Documentation", defines the kinds of blocks.
//! `UPDATE_FIXTURES=1 cargo test --test docs` updates the outputs in the pages; review the diff.

#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

#[path = "docs/config_code_table.rs"]
mod config_code_table;
#[path = "docs/counters.rs"]
mod counters;
#[path = "docs/error_table.rs"]
mod error_table;
#[path = "docs/errors.rs"]
mod errors;
#[path = "docs/examples.rs"]
mod examples;
#[path = "docs/help.rs"]
mod help;
#[path = "docs/output.rs"]
mod output;
#[path = "docs/page.rs"]
mod page;
#[path = "docs/shell.rs"]
mod shell;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use help::{Flag, Help};
use page::{Page, root};

const MAX_README_BYTES: usize = 12_000;
/// Pages whose links are checked; examples are run only in the README, CONTRIBUTING and `docs/`.
const OTHER_PAGES: [&str; 3] = ["ARCHITECTURE.md", "CHANGELOG.md", "benches/peers/README.md"];

#[test]
fn examples_print_what_they_show() {
    let is_update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let help = Help::read();
    let (mut problems, mut checked) = (Vec::new(), 0);
    for page in pages() {
        let outcome = examples::run(&page, &help);
        checked += outcome.checked;
        problems.extend(outcome.problems);
        if !is_update {
            problems.extend(outcome.differences);
        } else if !outcome.edits.is_empty() {
            page.rewrite(outcome.edits);
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(checked > 50, "only {checked} examples were found");
}

#[test]
fn links_are_valid() {
    let mut broken = Vec::new();
    let mut checked = 0;
    for page in pages().into_iter().chain(OTHER_PAGES.map(Page::read)) {
        for (line, target) in page.links() {
            if target.contains("://") {
                continue;
            }
            checked += 1;
            if let Some(what) = broken_link(&page, &target) {
                broken.push(format!("{}:{line}: {target}: {what}", page.path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(checked > 50, "only {checked} links were found");
}

#[test]
fn the_readme_is_short() {
    let bytes = Page::read("README.md").text.len();
    assert!(bytes < MAX_README_BYTES, "README.md has {bytes} bytes");
}

#[test]
fn the_readme_has_both_main_commands() {
    let readme = Page::read("README.md");
    let scripts: Vec<_> = readme
        .blocks()
        .iter()
        .filter(|block| block.language == "sh")
        .flat_map(|block| block.body.lines())
        .collect();
    for command in [
        "cargo run --release < fixtures/quickstart.jsonl",
        "cargo test",
    ] {
        assert!(
            scripts.contains(&command),
            "{command} is not in {scripts:?}"
        );
    }
}

#[test]
fn the_readme_names_every_page() {
    let readme = Page::read("README.md");
    let linked: BTreeSet<String> = readme
        .links()
        .into_iter()
        .map(|(_, target)| target)
        .collect();
    for page in pages() {
        let path = page.path.to_string_lossy().into_owned();
        assert!(path == "README.md" || linked.contains(&path), "{path}");
    }
}

#[test]
fn the_command_line_page_is_complete() {
    let page = Page::read("docs/cli.md");
    let help = Help::read();
    let mut documented: BTreeSet<&str> = BTreeSet::new();
    for section in page.text.split("\n## ").skip(1) {
        let Some(rest) = section.strip_prefix("`tollgate ") else {
            panic!("this section describes no command: {section}");
        };
        let (name, body) = rest.split_once('`').unwrap();
        documented.insert(name);
        let flags = help.subcommands().find(|(known, _)| *known == name);
        let (_, flags) = flags.unwrap_or_else(|| panic!("there is no subcommand `{name}`"));
        assert_eq!(rows(body), expected_rows(flags), "options of `{name}`");
        check_defaults(name, body, flags);
    }
    let known: BTreeSet<&str> = help.subcommands().map(|(name, _)| name).collect();
    assert_eq!(documented, known);
}

#[test]
fn the_command_line_page_covers_tollgate_alone() {
    let page = Page::read("docs/cli.md");
    let help = Help::read();
    let (_, stdio) = help
        .subcommands()
        .find(|(name, _)| *name == "stdio")
        .unwrap();
    let (introduction, _) = page.text.split_once("\n## ").unwrap();
    // The introduction has the options that `tollgate stdio` lacks.
    for flag in help.own_flags() {
        let is_there = |name: &String| introduction.contains(&format!("`{name}`"));
        assert!(
            stdio.contains(flag) && !is_common(flag) || flag.names.iter().all(is_there),
            "{flag:?}"
        );
    }
}

/// README, CONTRIBUTING and every page of `docs/`.
fn pages() -> Vec<Page> {
    let files = fs::read_dir(root().join("docs")).unwrap();
    let mut paths: Vec<PathBuf> = files
        .map(|file| Path::new("docs").join(file.unwrap().file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    paths.sort();
    paths.extend(["README.md", "CONTRIBUTING.md"].map(PathBuf::from));
    paths.into_iter().map(Page::read).collect()
}

/// Why a relative link is broken; `None` if it is valid.
fn broken_link(page: &Page, target: &str) -> Option<String> {
    let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() {
        page.path.clone()
    } else {
        resolved(&page.path.with_file_name(file))
    };
    if !root().join(&path).exists() {
        return Some("there is no such file".to_owned());
    }
    if fragment.is_empty() {
        return None;
    }
    let anchors = Page::read(path).anchors();
    (!anchors.iter().any(|anchor| anchor == fragment))
        .then(|| format!("there is no such heading among {anchors:?}"))
}

/// A path without `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            assert!(clean.pop(), "{} leaves the repository", path.display());
        } else {
            clean.push(component);
        }
    }
    clean
}

/// Whether a flag is common to all commands; the introduction describes it.
fn is_common(flag: &Flag) -> bool {
    flag.names.iter().any(|name| name == "--help")
}

/// The spellings of the options in the first column of a section's tables.
fn rows(section: &str) -> BTreeSet<String> {
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `-")?.split_once(" | "));
    let mut names = BTreeSet::new();
    for (cell, _) in cells {
        // The prefix has removed the dash of the first word.
        let words = cell.split(['`', ' ', ',']).enumerate();
        names.extend(words.filter_map(|(number, word)| match number {
            0 => Some(format!("-{word}")),
            _ => word.starts_with('-').then(|| word.to_owned()),
        }));
    }
    names
}

fn expected_rows(flags: &[Flag]) -> BTreeSet<String> {
    let flags = flags.iter().filter(|flag| !is_common(flag));
    flags.flat_map(|flag| flag.names.clone()).collect()
}

/// The last column states the default that `--help` states.
fn check_defaults(name: &str, section: &str, flags: &[Flag]) {
    for flag in flags {
        let Some(default) = &flag.default else {
            continue;
        };
        let long = flag.names.last().unwrap();
        let row = section
            .lines()
            .find(|line| line.starts_with('|') && line.contains(long));
        let cells: Vec<&str> = row
            .unwrap()
            .trim_end_matches(['|', ' '])
            .split('|')
            .collect();
        let cell = cells.last().unwrap().trim().trim_matches('`');
        assert_eq!(cell, default, "default of `{name} {long}`");
    }
}
