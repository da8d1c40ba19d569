//! The path of the upstream request: the normal path, rewritten to the declared pattern of the
//! route, without the stripped prefix and with `rewrite_prefix` in its place.
//!
//! It consists of borrowed pieces; nothing is copied.

use std::fmt;

use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::route::{NO_SEGMENT, Route};

/// A path in borrowed pieces, with the query as received.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamPath<'a> {
    /// Whole segments without a final slash; the pieces are empty or begin with one.
    prefix: &'a str,
    pieces: [&'a str; 5],
    query: Option<&'a str>,
}

impl<'a> UpstreamPath<'a> {
    pub(crate) fn new(
        path: &'a str,
        query: Option<&'a str>,
        entry: RouteEntry,
        route: &'a Route,
    ) -> Self {
        let mut pieces = declared(path, entry, route);
        let mut prefix = "";
        // `OPTIONS *` has no path to strip or rewrite.
        if path != "*" {
            strip(&mut pieces, route.strip_bytes());
            prefix = route.rewrite_prefix();
            if prefix.is_empty() && pieces.iter().all(|piece| piece.is_empty()) {
                // The stripped prefix was the whole path.
                prefix = "/";
            }
        }
        Self {
            prefix,
            pieces,
            query,
        }
    }

    /// The pieces of path and query in order, including the `?`; some are empty.
    pub fn pieces(&self) -> impl Iterator<Item = &'a str> {
        let query = self.query.map_or(["", ""], |query| ["?", query]);
        let path = std::iter::once(self.prefix).chain(self.pieces);
        path.chain(query)
    }

    /// The length of path and query in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces().map(str::len).sum()
    }

    /// Always `false`: a path begins with a slash.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::from(self.prefix);
        path.extend(self.pieces);
        path
    }
}

impl fmt::Display for UpstreamPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

/// What the `*` of the declared pattern matched: empty, or a path that begins with one `/`.
pub(crate) fn rest(path: &str, entry: RouteEntry, route: &Route) -> String {
    if path == "*" {
        return String::new();
    }
    let mut whole = declared(path, entry, route).concat();
    let prefix = slash(&whole, route.pattern().segments().count());
    whole.drain(..prefix);
    whole
}

/// The path, rewritten to the declared pattern of the route.
fn declared<'a>(path: &'a str, entry: RouteEntry, route: &'a Route) -> [&'a str; 5] {
    if path == "*" || entry.version_at == route.version_at() {
        return [path, "", "", "", ""];
    }
    let pieces = rewrite(path, entry.version_at, route);
    if pieces.iter().all(|piece| piece.is_empty()) {
        // The version segment was the whole path.
        return ["/", "", "", "", ""];
    }
    pieces
}

/// Removes the version segment of the entry's pattern and inserts that of the declared pattern.
fn rewrite<'a>(path: &'a str, entry_at: u16, route: &'a Route) -> [&'a str; 5] {
    let (before, after) = match entry_at {
        NO_SEGMENT => (path, ""),
        at => {
            let (before, rest) = path.split_at(slash(path, at.into()));
            (before, rest.get(slash(rest, 1)..).unwrap_or_default())
        }
    };
    let Some(literal) = declared_segment(route) else {
        return [before, after, "", "", ""];
    };
    let at = usize::from(route.version_at());
    let inside = slashes(before);
    if at < inside || after.is_empty() {
        let (head, tail) = before.split_at(slash(before, at));
        [head, literal, tail, after, ""]
    } else {
        let (head, tail) = after.split_at(slash(after, at - inside));
        [before, head, literal, tail, ""]
    }
}

/// The version segment of the declared pattern with its slash, as in `/v2`.
fn declared_segment(route: &Route) -> Option<&str> {
    let at = match route.version_at() {
        NO_SEGMENT => return None,
        at => usize::from(at),
    };
    let text = route.pattern().as_str();
    let rest = text.get(slash(text, at)..)?;
    rest.get(..slash(rest, 1))
}

/// The byte offset of the slash before segment `at`; the length of the path if it has fewer.
fn slash(path: &str, at: usize) -> usize {
    path.match_indices('/')
        .nth(at)
        .map_or(path.len(), |(offset, _)| offset)
}

fn slashes(path: &str) -> usize {
    path.bytes().filter(|b| *b == b'/').count()
}

fn strip(pieces: &mut [&str; 5], mut bytes: usize) {
    for piece in pieces {
        let stripped = bytes.min(piece.len());
        *piece = piece.get(stripped..).unwrap_or_default();
        bytes -= stripped;
    }
}
