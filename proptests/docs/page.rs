//! Markdown pages: their fenced blocks, headings and links.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A page, with its path relative to the repository.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Block<'a> {
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
    /// The first word after the fence.
    pub(crate) language: &'a str,
    /// The rest of that line.
    pub(crate) options: &'a str,
    pub(crate) body: &'a str,
    /// The range of the body in the text of the page.
    pub(crate) range: Range<usize>,
}

impl Page {
    /// Reads a page; `path` is relative to the repository.
    pub(crate) fn read(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = fs::read_to_string(root().join(&path))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    /// The fenced blocks, in order.
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block<'_>> = None;
        let mut at = 0;
        for (number, line) in (1..).zip(self.text.split_inclusive('\n')) {
            if let Some(info) = line.trim_end().strip_prefix("```") {
                if let Some(mut block) = open.take() {
                    block.range.end = at;
                    block.body = &self.text[block.range.clone()];
                    blocks.push(block);
                } else {
                    let (language, options) = info.split_once(' ').unwrap_or((info, ""));
                    let start = at + line.len();
                    open = Some(Block {
                        line: number,
                        language,
                        options: options.trim(),
                        body: "",
                        range: start..start,
                    });
                }
            }
            at += line.len();
        }
        assert!(
            open.is_none(),
            "{}: {open:?} has no end",
            self.path.display()
        );
        blocks
    }

    /// The lines outside fenced blocks, with their numbers.
    pub(crate) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut is_inside = false;
        (1..).zip(self.text.lines()).filter(move |(_, line)| {
            let is_fence = line.starts_with("```");
            is_inside ^= is_fence;
            !is_inside && !is_fence
        })
    }

    /// The URL fragments of the headings.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let headings = self.prose().filter_map(|(_, line)| {
            let title = line.trim_start_matches('#');
            (title.len() < line.len())
                .then(|| title.strip_prefix(' '))
                .flatten()
        });
        let mut anchors: Vec<String> = Vec::new();
        for heading in headings {
            let anchor = slug(heading);
            let taken = anchors.iter().filter(|other| **other == anchor).count();
            anchors.push(match taken {
                0 => anchor,
                number => format!("{anchor}-{number}"),
            });
        }
        anchors
    }

    /// The targets of the links in the prose, each with the number of its line.
    pub(crate) fn links(&self) -> Vec<(usize, String)> {
        let links = self.prose().flat_map(|(number, line)| {
            let line = without_code(line);
            let targets: Vec<_> = line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split_once(')'))
                .map(|(target, _)| (number, target.to_owned()))
                .collect();
            targets
        });
        links.collect()
    }

    /// Replaces parts of the text and writes the page.
    pub(crate) fn rewrite(&self, mut edits: Vec<(Range<usize>, String)>) {
        let mut text = self.text.clone();
        edits.sort_by_key(|(range, _)| range.start);
        for (range, new) in edits.into_iter().rev() {
            text.replace_range(range, &new);
        }
        fs::write(root().join(&self.path), text).unwrap();
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fragment of a heading, as GitHub makes it.
fn slug(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// A line without its code spans.
fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate();
    let prose = parts.filter(|(number, _)| number % 2 == 0);
    prose.map(|(_, part)| part).collect()
}

#[test]
fn a_page_has_blocks_anchors_and_links() {
    let text = "# One `two`, three\n[a](b.md#c) `[no](link)`\n```sh x y\n# no heading\n```\n## One\n## One\n";
    let page = Page {
        path: "page.md".into(),
        text: text.into(),
    };
    let blocks = page.blocks();
    let [block] = &*blocks else {
        panic!("{blocks:?}")
    };
    assert_eq!(
        (block.line, block.language, block.options),
        (3, "sh", "x y")
    );
    assert_eq!(block.body, "# no heading\n");
    assert_eq!(page.anchors(), ["one-two-three", "one", "one-1"]);
    assert_eq!(page.links(), [(2, "b.md#c".to_owned())]);
}
