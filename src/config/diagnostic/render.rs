//! Diagnostics as text for people: position, line of the file, caret and help.
//!
//! Never writes a control character that came from the file.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::config::diagnostic::record::{Diagnostic, Severity};
use crate::config::diagnostic::wording::printable;
use crate::config::place::Position;

/// Renders the diagnostics of the file `file` with the content `text`, separated by blank lines.
///
/// The first line of each is `FILE:LINE:COLUMN: error[code]: message`, which editors and CI systems
/// parse; without a position it is `FILE: error[code]: AT: message`. `colour` adds ANSI colours.
pub fn render(diagnostics: &[Diagnostic], file: &str, text: &str, colour: bool) -> String {
    let lines = lines(text);
    let mut out = String::new();
    for diagnostic in diagnostics {
        if !out.is_empty() {
            out.push('\n');
        }
        render_one(&mut out, diagnostic, file, &lines, colour);
    }
    out
}

fn render_one(out: &mut String, diagnostic: &Diagnostic, file: &str, lines: &[&str], colour: bool) {
    let paint = |style: Style| if colour { style } else { Style::new() };
    let loud = paint(severity_style(diagnostic.severity));
    let quiet = paint(AnsiColor::BrightBlue.on_default());
    let helpful = paint(AnsiColor::Cyan.on_default().bold());

    let _ = match diagnostic.position {
        Some(Position { line, column }) => write!(out, "{file}:{line}:{column}: "),
        None => write!(out, "{file}: "),
    };
    let _ = write!(
        out,
        "{loud}{}[{}]{loud:#}: ",
        diagnostic.severity.as_str(),
        diagnostic.code
    );
    if diagnostic.position.is_none() && !diagnostic.at.is_empty() {
        let _ = write!(out, "{}: ", one_line(&diagnostic.at));
    }
    let _ = writeln!(out, "{}", one_line(&diagnostic.message));

    if let Some(position) = diagnostic.position
        && let Some(line) = line_of(lines, position)
    {
        let (shown, before_caret) = window(line, position.column);
        let number = position.line.to_string();
        let margin = " ".repeat(number.len());
        let _ = writeln!(out, "{quiet} {number} |{quiet:#} {shown}");
        let pad = " ".repeat(before_caret);
        let _ = writeln!(out, "{quiet} {margin} |{quiet:#} {pad}{loud}^{loud:#}");
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "{helpful}help{helpful:#}: {}", one_line(help));
    }
}

fn severity_style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Green,
    };
    colour.on_default().bold()
}

/// The lines of `text` as YAML counts them: LF, CRLF and a lone CR end a line.
fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect()
}

fn line_of<'t>(lines: &[&'t str], position: Position) -> Option<&'t str> {
    let index = usize::try_from(position.line).ok()?.checked_sub(1)?;
    lines.get(index).copied()
}

/// The part of `line` around `column`, and the terminal columns before the caret in it.
fn window(line: &str, column: u32) -> (String, usize) {
    let column = usize::try_from(column)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let first = if line.chars().nth(LINE_CHARS).is_none() {
        0
    } else {
        column.saturating_sub(CARET_CHARS)
    };
    let mut shown = String::new();
    let mut caret = 0;
    if first > 0 {
        shown.push('…');
        caret += 1;
    }
    for (index, c) in line.chars().enumerate().skip(first).take(LINE_CHARS) {
        let c = if c == '\t' { ' ' } else { printable(c) };
        shown.push(c);
        if index < column {
            caret += terminal_columns(c);
        }
    }
    if line.chars().nth(first.saturating_add(LINE_CHARS)).is_some() {
        shown.push('…');
    }
    (shown, caret)
}

/// Width of `c` in terminal columns, exact enough to place a caret.
fn terminal_columns(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' { ' ' } else { printable(c) })
        .collect()
}

/// Maximum number of characters shown of a source line.
const LINE_CHARS: usize = 120;
/// Maximum number of these before the caret.
const CARET_CHARS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, column: u32) -> Diagnostic {
        let mut diagnostic = Diagnostic::error("config.type", "expected text");
        diagnostic.position = Some(Position { line, column });
        diagnostic
    }

    fn check(diagnostic: &Diagnostic, text: &str, expected: &str) {
        assert_eq!(
            render(std::slice::from_ref(diagnostic), "t.yaml", text, false),
            expected
        );
    }

    #[test]
    fn four_lines() {
        check(
            &at(2, 10).with_help("put it in quotes: \"1.5\""),
            "routes:\nversion: 1.5\n",
            "t.yaml:2:10: error[config.type]: expected text\n 2 | version: 1.5\n   |          ^\nhelp: put it in quotes: \"1.5\"\n",
        );
    }

    #[test]
    fn lines_of_every_kind() {
        let caret = "t.yaml:2:3: error[config.type]: expected text\n 2 | b x\n   |   ^\n";
        for text in ["a\nb x\nc", "a\r\nb x\r\nc", "a\rb x\rc", "\u{feff}a\nb x"] {
            check(&at(2, 3), text, caret);
        }
        let tab = "t.yaml:1:3: error[config.type]: expected text\n 1 |   x\n   |   ^\n";
        check(&at(1, 3), "\t\tx", tab);
        let wide = "t.yaml:1:3: error[config.type]: expected text\n 1 | 日本x\n   |     ^\n";
        check(&at(1, 3), "日本x", wide);
        let escape = "t.yaml:1:2: error[config.type]: expected text\n 1 | \u{fffd}[31m\n   |  ^\n";
        check(&at(1, 2), "\u{1b}[31m", escape);
        let end = "t.yaml:1:3: error[config.type]: expected text\n 1 | ab\n   |   ^\n";
        check(&at(1, 3), "ab", end);
        let beyond = "t.yaml:9:9: error[config.type]: expected text\n";
        check(&at(9, 9), "ab", beyond);
        check(
            &at(1, u32::MAX),
            "",
            "t.yaml:1:4294967295: error[config.type]: expected text\n 1 | \n   | ^\n",
        );
    }

    #[test]
    fn long_lines_are_clipped_around_the_caret() {
        let text = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let rendered = render(&[at(1, 501)], "t", &text, false);
        let lines: Vec<_> = rendered.lines().collect();
        assert!(
            lines[1].starts_with(" 1 | …a") && lines[1].ends_with("b…"),
            "{}",
            lines[1]
        );
        assert!(lines[1].chars().count() < 130);
        let under = lines[2].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[1].chars().nth(under), Some('X'));
    }

    #[test]
    fn without_a_position() {
        let mut diagnostic =
            Diagnostic::error("config.type", "expected\ntext").with_severity(Severity::Note);
        check(
            &diagnostic,
            "x",
            "t.yaml: note[config.type]: expected text\n",
        );
        diagnostic.at = "routes[0]".to_owned();
        check(
            &diagnostic,
            "x",
            "t.yaml: note[config.type]: routes[0]: expected text\n",
        );
    }

    #[test]
    fn colours_only_when_asked() {
        let diagnostics = [at(1, 1).with_help("h"), at(1, 1)];
        let plain = render(&diagnostics, "t", "x", false);
        let coloured = render(&diagnostics, "t", "x", true);
        assert!(!plain.contains('\u{1b}'));
        assert!(coloured.starts_with("t:1:1: \u{1b}[1m\u{1b}[31merror[config.type]\u{1b}[0m: "));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }
}
