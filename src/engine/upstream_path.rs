//! The path that goes upstream: the normal path, rewritten to the declared pattern of the route
//! and stripped, as pieces of what is there already. Nothing is copied.

use std::fmt;

use crate::engine::form::Form;
use crate::engine::route::{NO_SEGMENT, Route};

/// A path made of borrowed pieces, with the query as it came.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamPath<'a> {
    pieces: [&'a str; 5],
    query: Option<&'a str>,
}

impl<'a> UpstreamPath<'a> {
    pub(crate) fn new(path: &'a str, query: Option<&'a str>, form: Form, route: &'a Route) -> Self {
        let mut pieces = [path, "", "", "", ""];
        // `OPTIONS *` names no path: nothing is put into it or taken off it.
        if path != "*" {
            if form.version_at != route.version_at() {
                pieces = rewrite(path, form.version_at, route);
            }
            strip(&mut pieces, route.strip_bytes());
            if pieces.iter().all(|piece| piece.is_empty()) {
                // What was taken out was the whole path.
                pieces = ["/", "", "", "", ""];
            }
        }
        Self { pieces, query }
    }

    /// The pieces of path and query in their order, the `?` among them; some are empty.
    pub fn pieces(&self) -> impl Iterator<Item = &'a str> {
        let query = self.query.map_or(["", ""], |query| ["?", query]);
        self.pieces.into_iter().chain(query)
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
        self.pieces.concat()
    }
}

impl fmt::Display for UpstreamPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

/// Takes out the segment that states the version in the form, and puts the one in that states it
/// in the declared pattern.
fn rewrite<'a>(path: &'a str, form_at: u16, route: &'a Route) -> [&'a str; 5] {
    let (before, after) = match form_at {
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
