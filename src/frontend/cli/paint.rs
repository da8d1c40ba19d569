//! Colours and columns for output that people read.

use std::fmt::Write;

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use crate::config::printable;

/// Whether to use colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    coloured: bool,
}

/// A table cell, or any other text in one style, without control characters.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Paint {
    /// Uses colours if the stream is a terminal and the environment allows them (`NO_COLOR`).
    pub(super) fn of(stream: &(impl RawStream + AsLockedWrite)) -> Self {
        Self {
            coloured: AutoStream::choice(stream) != ColorChoice::Never,
        }
    }

    /// Whether output is coloured.
    pub(super) const fn is_coloured(self) -> bool {
        self.coloured
    }

    /// Appends a cell.
    pub(super) fn add(self, out: &mut String, cell: &Cell) {
        let Cell { text, style } = cell;
        let _ = if self.coloured {
            write!(out, "{style}{text}{style:#}")
        } else {
            write!(out, "{text}")
        };
    }

    /// Appends rows in aligned columns, two spaces apart, each row after `margin`. The last cell of
    /// a row does not widen its column.
    pub(super) fn columns(self, out: &mut String, margin: &str, rows: &[Vec<Cell>]) {
        let mut widths: Vec<usize> = Vec::new();
        for row in rows {
            for (at, cell) in row.iter().enumerate() {
                // The last cell has nothing to its right.
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
    /// Plain text.
    pub(super) fn plain(text: impl AsRef<str>) -> Self {
        let text = text.as_ref().chars().map(printable).collect();
        Self {
            text,
            style: Style::new(),
        }
    }

    /// A good result.
    pub(super) fn good(text: impl AsRef<str>) -> Self {
        Self::plain(text).with(AnsiColor::Green.on_default().bold())
    }

    /// A bad result.
    pub(super) fn bad(text: impl AsRef<str>) -> Self {
        Self::plain(text).with(AnsiColor::Red.on_default().bold())
    }

    /// Labels and other secondary text.
    pub(super) fn quiet(text: impl AsRef<str>) -> Self {
        Self::plain(text).with(AnsiColor::BrightBlue.on_default())
    }

    /// A title.
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
    fn columns_are_aligned_without_trailing_spaces() {
        assert_eq!(
            columns(false),
            "  a     b\u{fffd}[1m\n  long  c      long, but last\n"
        );
    }

    #[test]
    fn colours_have_no_width() {
        let coloured = columns(true);
        assert!(coloured.contains('\u{1b}'));
        let stripped = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(stripped, columns(false));
    }
}
