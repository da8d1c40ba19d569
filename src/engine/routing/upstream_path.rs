//! The path that goes upstream: the normal path, rewritten to the declared pattern of the route,
//! stripped, and with another prefix in place of what was stripped, as pieces of what is there already. Nothing is copied.

use std::fmt;

use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::route::{NO_SEGMENT, Route};

/// A path made of borrowed pieces, with the query as it came.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamPath<'a> {
    /// Whole segments without a final slash; what follows is empty or begins with one.
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
        // `OPTIONS *` names no path: nothing is put into it or taken off it.
        if path != "*" {
            strip(&mut pieces, route.strip_bytes());
            prefix = route.rewrite_prefix();
            if prefix.is_empty() && pieces.iter().all(|piece| piece.is_empty()) {
                // What was taken out was the whole path.
                prefix = "/";
            }
        }
        Self {
            prefix,
            pieces,
            query,
        }
    }

    /// The pieces of path and query in their order, the `?` among them; some are empty.
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

    /// Never: a path begins with a slash.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The path alone.
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

/// What the `*` of the declared pattern took: nothing, or a path from the root. It has no `//`.
pub(crate) fn rest(path: &str, entry: RouteEntry, route: &Route) -> String {
    if path == "*" {
        return String::new();
    }
    let mut whole = declared(path, entry, route).concat();
    let taken = slash(&whole, route.pattern().segments().count());
    whole.drain(..taken);
    whole
}

/// The path as the declared pattern of the route has it.
fn declared<'a>(path: &'a str, entry: RouteEntry, route: &'a Route) -> [&'a str; 5] {
    if path == "*" || entry.version_at == route.version_at() {
        return [path, "", "", "", ""];
    }
    let pieces = rewrite(path, entry.version_at, route);
    if pieces.iter().all(|piece| piece.is_empty()) {
        // The version was the whole path: what is left is the root.
        return ["/", "", "", "", ""];
    }
    pieces
}

/// Takes out the segment that states the version in the entry, and puts the one in that states it
/// in the declared pattern.
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

/// `/v2`, as the declared pattern has it.
fn declared_segment(route: &Route) -> Option<&str> {
    let at = match route.version_at() {
        NO_SEGMENT => return None,
        at => usize::from(at),
    };
    let text = route.pattern().as_str();
    let rest = text.get(slash(text, at)..)?;
    rest.get(..slash(rest, 1))
}

/// The byte offset of the slash that begins segment `at`; the length if there are fewer.
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
        let taken = bytes.min(piece.len());
        *piece = piece.get(taken..).unwrap_or_default();
        bytes -= taken;
    }
}
