//! Builds a [`Document`] node by node, in the order of the text.
//!
//! The YAML and JSON parsers call it. It checks nothing.

use crate::config::document::tree::{Characters, Content, Document, Node};
use crate::config::place::{Place, Position};

/// A document under construction.
#[derive(Debug, Default)]
pub(super) struct Builder {
    nodes: Vec<Node>,
    characters: String,
}

/// Where the next node goes: its container and its role there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    parent: Place,
    step: Step,
    position: Option<Position>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Root,
    Item(u32),
    Key,
    ValueOf(Place),
}

impl Slot {
    pub(super) const ROOT: Self = Self {
        parent: Place::ROOT,
        step: Step::Root,
        position: None,
    };

    pub(super) fn item(parent: Place, index: u32) -> Self {
        Self {
            parent,
            step: Step::Item(index),
            position: None,
        }
    }

    pub(super) fn key(parent: Place) -> Self {
        Self {
            parent,
            step: Step::Key,
            position: None,
        }
    }

    pub(super) fn value(parent: Place, key: Place) -> Self {
        Self {
            parent,
            step: Step::ValueOf(key),
            position: None,
        }
    }

    pub(super) fn with_position(self, position: Position) -> Self {
        Self {
            position: Some(position),
            ..self
        }
    }
}

impl Builder {
    pub(super) fn null(&mut self, slot: Slot) -> Place {
        self.push(slot, Content::Null)
    }

    pub(super) fn bool(&mut self, slot: Slot, value: bool) -> Place {
        self.push(slot, Content::Bool(value))
    }

    pub(super) fn number(&mut self, slot: Slot, written: &str) -> Place {
        let characters = self.store(written);
        self.push(slot, Content::Number(characters))
    }

    pub(super) fn text(&mut self, slot: Slot, text: &str) -> Place {
        let characters = self.store(text);
        self.push(slot, Content::Text(characters))
    }

    /// Begins a list; its items follow, then [`Self::close`].
    pub(super) fn list(&mut self, slot: Slot) -> Place {
        self.push(slot, Content::List { end: 0 })
    }

    /// Begins a map; its keys and values follow in turn, then [`Self::close`].
    pub(super) fn map(&mut self, slot: Slot) -> Place {
        self.push(slot, Content::Map { end: 0 })
    }

    pub(super) fn close(&mut self, container: Place) {
        let now = count(self.nodes.len());
        let index = usize::try_from(container.0).unwrap_or(usize::MAX);
        if let Some(Node {
            content: Content::List { end } | Content::Map { end },
            ..
        }) = self.nodes.get_mut(index)
        {
            *end = now;
        }
    }

    pub(super) fn finish(self) -> Document {
        Document {
            nodes: self.nodes,
            characters: self.characters,
        }
    }

    fn push(&mut self, slot: Slot, content: Content) -> Place {
        let place = Place(count(self.nodes.len()));
        let step = match slot.step {
            Step::Root => 0,
            Step::Item(index) => index,
            Step::Key => place.0,
            Step::ValueOf(key) => key.0,
        };
        let (line, column) = slot.position.map_or((0, 0), |p| (p.line, p.column));
        self.nodes.push(Node {
            parent: slot.parent,
            step,
            line,
            column,
            content,
        });
        place
    }

    fn store(&mut self, characters: &str) -> Characters {
        let start = count(self.characters.len());
        self.characters.push_str(characters);
        Characters {
            start,
            end: count(self.characters.len()),
        }
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("MAX_BYTES keeps nodes and characters below 2^32")
}
