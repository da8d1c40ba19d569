//! The outline of one host: all its patterns as a tree of segments.
//!
//! The trie returns the best pattern for a path; the outline lists all that match, best first. A
//! request that no route of the best pattern admits (by method or version, say) continues with the
//! next one, without a list of patterns at every leaf of the trie. The keys of the trie are
//! generated from the outline, so that the two agree.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use crate::engine::routing::index::Index;
use crate::engine::routing::pattern::{PathPattern, Segment};

/// The tree of one host's patterns, in three flat arrays: nodes, edges and texts.
#[derive(Debug)]
pub(crate) struct Outline {
    nodes: Box<[Node]>,
    /// The literal children, grouped by node and sorted by text.
    edges: Box<[Edge]>,
    texts: Box<str>,
}

/// A node: a prefix of patterns. `exact` and `subtree` are the groups of the patterns that end
/// here.
#[derive(Clone, Copy, Debug)]
struct Node {
    first_edge: Index,
    param: Index,
    exact: Index,
    subtree: Index,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    text_start: Index,
    child: Index,
}

/// Builds an [`Outline`].
#[derive(Debug)]
pub(crate) struct OutlineBuilder<'p> {
    nodes: Vec<Node>,
    edges: HashMap<(Index, &'p str), Index>,
    groups: usize,
}

impl Default for OutlineBuilder<'_> {
    fn default() -> Self {
        Self {
            nodes: vec![Node::EMPTY],
            edges: HashMap::new(),
            groups: 0,
        }
    }
}

impl<'p> OutlineBuilder<'p> {
    /// The group of a pattern, numbered from 0; patterns that match the same paths share one.
    pub(crate) fn group(&mut self, pattern: &'p PathPattern) -> Index {
        let mut at = ROOT;
        for segment in pattern.segments() {
            at = match segment {
                Segment::Literal(text) => self.literal_child(at, text),
                Segment::Param(_) => self.param_child(at),
            };
        }
        let next = Index::new(self.groups);
        let node = self.node(at);
        let group = if pattern.is_subtree() {
            &mut node.subtree
        } else {
            &mut node.exact
        };
        if *group == Index::NONE {
            *group = next;
            self.groups += 1;
            next
        } else {
            *group
        }
    }

    pub(crate) fn finish(self) -> Outline {
        let Self {
            mut nodes, edges, ..
        } = self;
        let mut sorted: Vec<_> = edges.into_iter().collect();
        sorted.sort_unstable();
        let mut texts = String::with_capacity(sorted.iter().map(|((_, text), _)| text.len()).sum());
        let mut edges = Vec::with_capacity(sorted.len() + 1);
        let mut parents = sorted.iter().map(|((parent, _), _)| *parent).peekable();
        for (at, node) in nodes.iter_mut().enumerate() {
            node.first_edge = Index::new(edges.len());
            while let Some(parent) = parents.peek().filter(|parent| parent.get() == at) {
                debug_assert!(parent.get() == at);
                let Some(((_, text), child)) = sorted.get(edges.len()) else {
                    break;
                };
                edges.push(Edge {
                    text_start: Index::new(texts.len()),
                    child: *child,
                });
                texts.push_str(text);
                parents.next();
            }
        }
        // Sentinels: the end of the last text and of the last node's edges.
        edges.push(Edge {
            text_start: Index::new(texts.len()),
            child: Index::NONE,
        });
        nodes.push(Node {
            first_edge: Index::new(edges.len() - 1),
            ..Node::EMPTY
        });
        Outline {
            nodes: nodes.into(),
            edges: edges.into(),
            texts: texts.into(),
        }
    }

    fn literal_child(&mut self, parent: Index, text: &'p str) -> Index {
        let next = Index::new(self.nodes.len());
        let child = *self.edges.entry((parent, text)).or_insert(next);
        if child == next {
            self.nodes.push(Node::EMPTY);
        }
        child
    }

    fn param_child(&mut self, parent: Index) -> Index {
        let next = Index::new(self.nodes.len());
        let node = self.node(parent);
        if node.param == Index::NONE {
            node.param = next;
            self.nodes.push(Node::EMPTY);
            next
        } else {
            node.param
        }
    }

    #[expect(clippy::indexing_slicing, reason = "nodes are never removed")]
    fn node(&mut self, at: Index) -> &mut Node {
        &mut self.nodes[at.get()]
    }
}

impl Outline {
    /// Calls `visit` with the group of every pattern that matches the path, best first.
    pub(crate) fn each_match(
        &self,
        path: &str,
        visit: &mut dyn FnMut(Index) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match path.strip_prefix('/') {
            Some(rest) => self.descend(ROOT, Some(rest), visit),
            // `OPTIONS *` matches only `/*`.
            None => self
                .node(ROOT)
                .subtree
                .some()
                .map_or(ControlFlow::Continue(()), visit),
        }
    }

    /// `rest` is what follows the next slash; `None` if the path ends here.
    fn descend(
        &self,
        at: Index,
        rest: Option<&str>,
        visit: &mut dyn FnMut(Index) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let node = self.node(at);
        match rest {
            Some(rest) => {
                let (segment, rest) = match rest.split_once('/') {
                    Some((segment, rest)) => (segment, Some(rest)),
                    None => (rest, None),
                };
                if let Some(child) = self.literal_child(at, segment) {
                    self.descend(child, rest, visit)?;
                }
                if let (Some(child), false) = (node.param.some(), segment.is_empty()) {
                    self.descend(child, rest, visit)?;
                }
            }
            None => {
                if let Some(group) = node.exact.some() {
                    visit(group)?;
                }
            }
        }
        node.subtree.some().map_or(ControlFlow::Continue(()), visit)
    }

    /// The group of the pattern `/*`.
    pub(crate) fn everything(&self) -> Option<Index> {
        self.node(ROOT).subtree.some()
    }

    /// Calls `emit` with every key of the trie and the best group for the paths of that key.
    ///
    /// matchit's catch-all does not match an empty rest, so `P/*` becomes `P`, `P/` and `P/{*z}`.
    /// It cannot stand beside a parameter either, so there the subtree moves one level down, below
    /// the parameter.
    pub(crate) fn each_key(&self, emit: &mut dyn FnMut(&str, Index)) {
        self.keys_below(ROOT, &mut String::new(), 0, None, emit);
    }

    fn keys_below(
        &self,
        at: Index,
        key: &mut String,
        params: u8,
        pushed_down: Option<Index>,
        emit: &mut dyn FnMut(&str, Index),
    ) {
        let node = self.node(at);
        let subtree = node.subtree.some().or(pushed_down);
        if let (Some(group), false) = (node.exact.some().or(subtree), key.is_empty()) {
            emit(key, group);
        }
        let length = key.len();
        key.push('/');
        let slash = self
            .literal_child(at, "")
            .and_then(|child| self.node(child).exact.some());
        if let Some(group) = slash.or(subtree) {
            emit(key, group);
        }
        for edge in self.literal_edges(at) {
            let text = self.text(edge);
            // The empty literal is the trailing slash, emitted above.
            if !text.is_empty() {
                key.push_str(text);
                self.keys_below(self.child(edge), key, params, None, emit);
                key.truncate(length + 1);
            }
        }
        if let Some(child) = node.param.some() {
            key.push('{');
            key.push(char::from(b'a' + params));
            key.push('}');
            self.keys_below(child, key, params + 1, subtree, emit);
        } else if let Some(group) = subtree {
            key.push_str("{*z}");
            emit(key, group);
        }
        key.truncate(length);
    }

    /// Replaces the number of each group.
    pub(crate) fn renumber(&mut self, number: impl Fn(Index) -> Index) {
        for node in &mut self.nodes {
            for group in [&mut node.exact, &mut node.subtree] {
                if let Some(old) = group.some() {
                    *group = number(old);
                }
            }
        }
    }

    /// The heap size in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.edges) + self.texts.len()
    }

    /// The groups at a node and its parameter child, which together can cover the subtree of a
    /// pattern.
    pub(crate) fn cover(&self, at: Index) -> Cover {
        let node = self.node(at);
        let slash = self
            .literal_child(at, "")
            .and_then(|child| self.node(child).exact.some());
        Cover {
            exact: node.exact.some(),
            slash,
            subtree: node.subtree.some(),
            param: node.param.some(),
        }
    }

    /// The node at which a pattern ends.
    pub(crate) fn find(&self, pattern: &PathPattern) -> Option<Index> {
        pattern
            .segments()
            .try_fold(ROOT, |at, segment| match segment {
                Segment::Literal(text) => self.literal_child(at, text),
                Segment::Param(_) => self.node(at).param.some(),
            })
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the builder creates every node that it refers to"
    )]
    fn node(&self, at: Index) -> Node {
        self.nodes[at.get()]
    }

    fn literal_child(&self, at: Index, text: &str) -> Option<Index> {
        let range = self.literal_edges(at);
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.text(middle).cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(self.child(middle)),
            }
        }
        None
    }

    #[expect(clippy::indexing_slicing, reason = "a sentinel ends both arrays")]
    fn literal_edges(&self, at: Index) -> Range<usize> {
        self.nodes[at.get()].first_edge.get()..self.nodes[at.get() + 1].first_edge.get()
    }

    #[expect(clippy::indexing_slicing, reason = "a sentinel ends the array")]
    fn text(&self, edge: usize) -> &str {
        let from = self.edges[edge].text_start.get();
        let to = self.edges[edge + 1].text_start.get();
        self.texts.get(from..to).unwrap_or_default()
    }

    #[expect(clippy::indexing_slicing, reason = "only called with edges of a node")]
    fn child(&self, edge: usize) -> Index {
        self.edges[edge].child
    }
}

/// The groups and the parameter child of a node; see [`Outline::cover`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover {
    pub(crate) exact: Option<Index>,
    /// The group of the exact pattern with a trailing slash.
    pub(crate) slash: Option<Index>,
    pub(crate) subtree: Option<Index>,
    pub(crate) param: Option<Index>,
}

impl Node {
    const EMPTY: Self = Self {
        first_edge: Index::NONE,
        param: Index::NONE,
        exact: Index::NONE,
        subtree: Index::NONE,
    };
}

/// The node before the first segment. It is never a child.
const ROOT: Index = Index::ZERO;

#[cfg(test)]
mod tests;
