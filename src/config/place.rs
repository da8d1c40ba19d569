//! Where a value stands: in the tree of a document and in its text.

use serde::Serialize;

/// Identifies a node of one document: a key, a value or a list item.
///
/// Nodes are numbered in the order of the text, so the order of two places is the order in which
/// a reader meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(pub(super) u32);

impl Place {
    /// The whole document.
    pub(crate) const ROOT: Self = Self(0);
}

/// A line and a column of the text, both counted from 1. Columns count characters, not bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// A value and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At<T> {
    /// The value.
    pub(crate) value: T,
    /// Its place.
    pub(crate) place: Place,
}
