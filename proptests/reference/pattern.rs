//! Patterns and paths as lists of segments: matching, binding, filling and rank.

use crate::reference::version::Version;

/// A pattern: literal and parameter segments, exact or a subtree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<Segment>,
    /// Whether it ends in `*`.
    pub(crate) subtree: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    Param(String),
}

/// The match of a pattern in a path: the values of the parameters in order, and the rest for `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) params: Vec<String>,
    pub(crate) rest: Vec<String>,
}

/// The kind of one position of a pattern; the order is that of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Literal,
    Param,
    End,
    Star,
}

impl Pattern {
    /// Parses a well-formed pattern.
    pub(crate) fn parse(text: &str) -> Self {
        let mut texts = split(text);
        let subtree = texts.last().is_some_and(|last| last == "*");
        if subtree {
            texts.pop();
        }
        Self {
            segments: texts.into_iter().map(Segment::parse).collect(),
            subtree,
        }
    }

    /// Matches a normal path; `None` if it does not match.
    pub(crate) fn bind(&self, path: &str) -> Option<Bound> {
        if path == "*" {
            let everything = self.segments.is_empty() && self.subtree;
            return everything.then(|| Bound {
                params: vec![],
                rest: vec![],
            });
        }
        let found = split(path);
        if found.len() < self.segments.len() {
            return None;
        }
        if !self.subtree && found.len() != self.segments.len() {
            return None;
        }
        let mut params = Vec::new();
        for (segment, value) in self.segments.iter().zip(&found) {
            match segment {
                Segment::Literal(literal) if literal == value => {}
                Segment::Param(_) if !value.is_empty() => params.push(value.clone()),
                Segment::Literal(_) | Segment::Param(_) => return None,
            }
        }
        Some(Bound {
            params,
            rest: found.into_iter().skip(self.segments.len()).collect(),
        })
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        self.bind(path).is_some()
    }

    /// The path of these bound values: the inverse of `bind`.
    pub(crate) fn fill(&self, bound: &Bound) -> String {
        let mut params = bound.params.iter().cloned();
        let mut path = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => path.push(literal.clone()),
                Segment::Param(_) => path.extend(params.next()),
            }
        }
        path.extend(bound.rest.iter().cloned());
        join(&path)
    }

    /// The kinds from the left, compared as lists for rank 2.
    pub(crate) fn rank(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.segments.iter().map(Segment::kind).collect();
        kinds.push(if self.subtree { Kind::Star } else { Kind::End });
        kinds
    }

    /// The pattern without parameter names: equal for patterns that match the same paths.
    pub(crate) fn shape(&self) -> String {
        let mut text = String::new();
        for segment in &self.segments {
            text.push('/');
            text.push_str(match segment {
                Segment::Literal(literal) => literal,
                Segment::Param(_) => "{}",
            });
        }
        text + if self.subtree { "/*" } else { "" }
    }

    /// The leftmost literal `v[0-9]{1,9}`: its index and version.
    pub(crate) fn version_segment(&self) -> Option<(usize, Version)> {
        self.segments
            .iter()
            .enumerate()
            .find_map(|(index, segment)| match segment {
                Segment::Literal(literal) => Some((index, Version::parse_segment(literal)?)),
                Segment::Param(_) => None,
            })
    }

    pub(crate) fn without(&self, index: usize) -> Self {
        let mut shorter = self.clone();
        shorter.segments.remove(index);
        shorter
    }

    pub(crate) fn with_literal(&self, index: usize, literal: &str) -> Self {
        let mut longer = self.clone();
        longer
            .segments
            .insert(index, Segment::Literal(literal.to_owned()));
        longer
    }

    /// The number of literal segments before the first parameter or `*`, without the empty one
    /// after a final slash.
    pub(crate) fn leading_literals(&self) -> usize {
        let is_word = |segment: &&Segment| match segment {
            Segment::Literal(text) => !text.is_empty(),
            Segment::Param(_) => false,
        };
        self.segments.iter().take_while(is_word).count()
    }
}

impl Segment {
    fn parse(text: String) -> Self {
        match text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
        {
            Some(name) => Self::Param(name.to_owned()),
            None => Self::Literal(text),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Literal(_) => Kind::Literal,
            Self::Param(_) => Kind::Param,
        }
    }
}

/// The segments of a path: `/` is one empty segment, `/a/` is `a` and an empty one.
pub(crate) fn split(path: &str) -> Vec<String> {
    let rest = path.strip_prefix('/').unwrap_or(path);
    rest.split('/').map(str::to_owned).collect()
}

/// The path of these segments; `/` if there are none.
pub(crate) fn join(segments: &[String]) -> String {
    format!("/{}", segments.join("/"))
}
