//! Colours and columns, for answers that people read.

use std::fmt::Write;

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use crate::config::printable;

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    coloured: bool,
}

/// A cell of a row, or any other run of text in one style. It never holds a control character.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Paint {
    /// Colours for a stream if it is a terminal and nothing forbids them, such as `NO_COLOR`.
    pub(super) fn of(stream: &(impl RawStream + AsLockedWrite)) -> Self {
        Self {
            coloured: AutoStream::choice(stream) != ColorChoice::Never,
        }
    }

    /// Whether there are colours.
    pub(super) const fn is_coloured(self) -> bool {
        self.coloured
    }

    /// Adds a cell to a text.
    pub(super) fn add(self, out: &mut String, cell: &Cell) {
        let Cell { text, style } = cell;
        let _ = if self.coloured {
            write!(out, "{style}{text}{style:#}")
        } else {
            write!(out, "{text}")
        };
    }

    /// Rows in columns, two spaces apart, each row after `margin`. The last cell of a row may be
    /// as long as it likes.
    pub(super) fn columns(self, out: &mut String, margin: &str, rows: &[Vec<Cell>]) {
        let mut widths: Vec<usize> = Vec::new();
        for row in rows {
            for (at, cell) in row.iter().enumerate() {
                // A last cell pushes nothing to the right.
                let width = if at + 1 == row.len() { 0 } else { cell.width() };
                match widths.get_mut(at) {
                    Some(widest) => *widest = width.max(*widest),
                    None => widths.push(width),
                }
            }
        }
        for row in rows {
            let last = row.iter().rposition(|cell| !cell.text.is_empty());
            let filled = row.iter().take(last.map_or(0, |last| last + 1));
            let mut gap = 0;
            let mut line = String::from(margin);
            for (cell, width) in filled.zip(&widths) {
                line.push_str(&" ".repeat(gap));
                self.add(&mut line, cell);
                gap = width.saturating_sub(cell.width()) + 2;
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

impl Cell {
    /// Text as it is.
    pub(super) fn plain(text: impl AsRef<str>) -> Self {
        let text = text.as_ref().chars().map(printable).collect();
        Self {
            text,
            style: Style::new(),
        }
    }

    /// What is as it should be.
    pub(super) fn good(text: impl AsRef<str>) -> Self {
        Self::plain(text).with(AnsiColor::Green.on_default().bold())
    }

    /// What is not.
    pub(super) fn bad(text: impl AsRef<str>) -> Self {
        Self::plain(text).with(AnsiColor::Red.on_default().bold())
    }

    /// What helps to read the rest.
    pub(super) fn quiet(text: impl AsRef<str>) -> Self {
        Self::plain(text).with(AnsiColor::BrightBlue.on_default())
    }

    /// What is to be seen first.
    pub(super) fn strong(text: impl AsRef<str>) -> Self {
        Self::plain(text).with(Style::new().bold())
    }

    fn with(self, style: Style) -> Self {
        Self { style, ..self }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(coloured: bool) -> String {
        let rows = [
            vec![Cell::quiet("a"), Cell::plain("b\u{1b}[1m"), Cell::plain("")],
            vec![
                Cell::plain("long"),
                Cell::good("c"),
                Cell::plain("long, but last"),
            ],
        ];
        let mut out = String::new();
        Paint { coloured }.columns(&mut out, "  ", &rows);
        out
    }

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        assert_eq!(
            columns(false),
            "  a     b\u{fffd}[1m\n  long  c      long, but last\n"
        );
    }

    #[test]
    fn colours_take_no_room() {
        let coloured = columns(true);
        assert!(coloured.contains('\u{1b}'));
        let stripped = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(stripped, columns(false));
    }
}
