//! YAML text into a [`Document`].
//!
//! The parser is `serde-saphyr`. This module sets its limits, copies its result into the tree and
//! turns its errors into diagnostics. It knows no keys.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error as Yaml, MessageFormatter, Spanned};

use crate::config::diagnostic::Diagnostic;
use crate::config::document::builder::{Builder, Slot};
use crate::config::document::tree::{Document, is_integer};
use crate::config::place::{Place, Position};
use crate::config::text::{MAX_BYTES, checked};

/// Parses one YAML 1.2 document; an empty text is an empty map.
///
/// Merge keys (`<<`) are ordinary keys. An alias stands for a copy of its anchor's value, with the
/// positions of the original.
///
/// # Errors
/// The first `config.syntax` diagnostic, with its position.
pub(crate) fn parse(text: &str) -> Result<Document, Diagnostic> {
    let text = checked(text)?;
    let root: Located<'_> = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| syntax_error(&error, text))?;
    let mut builder = Builder::default();
    if matches!(root.tree, Tree::Null) {
        let map = builder.map(Slot::ROOT.with_position(Position { line: 1, column: 1 }));
        builder.close(map);
    } else {
        place(&mut builder, text, root, Slot::ROOT);
    }
    Ok(builder.finish())
}

/// Maximum number of values, including the copies that aliases make.
const MAX_NODES: usize = 4_000_000;

/// Maximum number of parser events from aliases. Many routes may share a list; a "billion laughs"
/// text is rejected.
const MAX_ALIAS_EVENTS: usize = 500_000;

/// Maximum nesting. The deepest key of a configuration is at level 6.
const MAX_DEPTH: usize = 32;

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            flow_nesting_limit: MAX_DEPTH,
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_recorded_anchor_events: MAX_ALIAS_EVENTS,
            max_aliases: MAX_ALIAS_EVENTS,
            max_total_scalar_bytes: MAX_BYTES,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_ALIAS_EVENTS,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// A YAML node and its position.
struct Located<'t> {
    position: Position,
    /// Bytes of the node in the text.
    start: u32,
    len: u32,
    tree: Tree<'t>,
}

enum Tree<'t> {
    Null,
    /// A Boolean or a number. Its spelling is taken from the text, because `1.10` is not `1.1`.
    Plain,
    Text(Cow<'t, str>),
    List(Vec<Located<'t>>),
    Map(Vec<(Located<'t>, Located<'t>)>),
}

impl<'de> Deserialize<'de> for Located<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, defined, .. } = Spanned::<Tree<'de>>::deserialize(deserializer)?;
        let narrow =
            |wide: Option<u64>| wide.and_then(|wide| u32::try_from(wide).ok()).unwrap_or(0);
        let span = defined.span();
        Ok(Self {
            position: Position {
                line: narrow(Some(defined.line())),
                column: narrow(Some(defined.column())),
            },
            start: narrow(span.byte_offset()),
            len: narrow(span.byte_len()),
            tree: value,
        })
    }
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Plain)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Plain)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Plain)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Tree<'de>, E> {
        Ok(Tree::Plain)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree<'de>, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Tree::Map(map))
    }
}

/// Adds a YAML node and its content to the document. Recurses at most [`MAX_DEPTH`] levels.
fn place(builder: &mut Builder, text: &str, node: Located<'_>, slot: Slot) -> Place {
    let slot = slot.with_position(node.position);
    match node.tree {
        Tree::Null => builder.null(slot),
        Tree::Text(text) => builder.text(slot, &text),
        Tree::Plain => plain(builder, slot, written(text, node.start, node.len)),
        Tree::List(items) => {
            let list = builder.list(slot);
            for (index, item) in (0..).zip(items) {
                place(builder, text, item, Slot::item(list, index));
            }
            builder.close(list);
            list
        }
        Tree::Map(entries) => {
            let map = builder.map(slot);
            for (key, value) in entries {
                let key = place(builder, text, key, Slot::key(map));
                place(builder, text, value, Slot::value(map, key));
            }
            builder.close(map);
            map
        }
    }
}

fn written(text: &str, start: u32, len: u32) -> &str {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let end = start.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
    text.get(start..end).unwrap_or_default().trim()
}

/// Adds a scalar that YAML resolves to a Boolean or a number. Unusual spellings such as `True` and
/// `0x10` stay text.
fn plain(builder: &mut Builder, slot: Slot, written: &str) -> Place {
    let written = written.trim_matches(['"', '\'']);
    let odd = |c: char| !matches!(c, '0'..='9' | '.' | '-' | 'e' | 'E' | '+');
    match written {
        "true" => builder.bool(slot, true),
        "false" => builder.bool(slot, false),
        _ if is_integer(written) => builder.number(slot, written),
        _ if written.starts_with('+') || written.contains(odd) => builder.text(slot, written),
        _ => builder.number(slot, written),
    }
}

fn syntax_error(error: &serde_saphyr::Error, text: &str) -> Diagnostic {
    let position = error
        .location()
        .filter(|location| location.line() > 0)
        .map(|location| {
            let narrow = |wide: u64| u32::try_from(wide).unwrap_or(u32::MAX);
            Position {
                line: narrow(location.line()),
                column: narrow(location.column()),
            }
        });
    let (message, help) = message_and_help(error);
    let help = help
        .or_else(|| brace_help(text, position?))
        .map(str::to_owned);
    Diagnostic {
        position,
        help,
        ..Diagnostic::error("config.syntax", message)
    }
}

/// Message and help. Replaces messages of the parser that name its own options.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only these of the parser's many errors need another message"
)]
fn message_and_help(error: &serde_saphyr::Error) -> (String, Option<&'static str>) {
    let too_deep = format!("nested deeper than {MAX_DEPTH} levels");
    let (message, help) = match error {
        Yaml::AliasError { error, .. } => return message_and_help(error),
        Yaml::MultipleDocuments { .. } => (
            "a second YAML document begins here",
            Some("a configuration is one document: move everything before the `---`"),
        ),
        Yaml::UnknownAnchor { .. } => (
            "an alias without an anchor",
            Some("put text that begins with `*` in quotes: \"*.example.com\""),
        ),
        Yaml::RecursiveReferencesRequireWeakTypes { .. } => {
            ("an alias inside its own anchor", None)
        }
        Yaml::AliasReplayLimitExceeded { .. }
        | Yaml::AliasReplayStackDepthExceeded { .. }
        | Yaml::Budget {
            breach: BudgetBreach::RecordedAnchorEvents { .. },
            ..
        } => ("the text with its aliases expanded is too large", None),
        Yaml::Budget {
            breach: BudgetBreach::Depth { .. },
            ..
        } => (too_deep.as_str(), None),
        Yaml::Budget { .. } => ("the text is too large", None),
        other => {
            let text = serde_saphyr::DefaultMessageFormatter.format_message(other);
            if text == "recursion limit exceeded" {
                return (too_deep, None);
            }
            let tab = text.starts_with("tabs disallowed");
            let help = tab.then_some("indent YAML with spaces");
            return (format!("invalid YAML: {}", text.replace('\n', " ")), help);
        }
    };
    (message.to_owned(), help)
}

/// Inside `{...}`, a brace ends an unquoted scalar: a trap for patterns with parameters.
fn brace_help(text: &str, position: Position) -> Option<&'static str> {
    let line = text
        .lines()
        .nth(usize::try_from(position.line).ok()?.checked_sub(1)?)?;
    let column = usize::try_from(position.column).ok()?.checked_sub(1)?;
    let before = line.chars().nth(column.checked_sub(1)?)?;
    (line.chars().nth(column)? == '{' && !before.is_whitespace() && !"[{,:".contains(before))
        .then_some("inside {...}, put a pattern with braces in quotes: \"/users/{id}\"")
}
