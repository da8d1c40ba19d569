//! Values that the data plane's keys take: quantities, and lists that may be just one text.

use crate::config::document::{Place, Value};
use crate::config::raw::At;
use crate::config::reader::{Reader, Shape};

/// Lists of texts under their names.
pub(in crate::config) type Lists = Vec<(At<String>, Vec<At<String>>)>;

impl Reader<'_> {
    /// A text or a number as it was written: a duration, a size, a count.
    pub(in crate::config) fn quantity(&mut self, place: Place) -> Option<At<String>> {
        let (Value::Text(written) | Value::Number(written)) = self.doc.value(place) else {
            self.mismatch(place, "a text or a number", None);
            return None;
        };
        Some(At {
            value: written.to_owned(),
            place,
        })
    }

    /// A list of quantities.
    pub(in crate::config) fn quantities(&mut self, place: Place) -> Option<At<Vec<At<String>>>> {
        let items = self.items(place, "a list", "a list: [502, 503]")?;
        let items = items.into_iter();
        let value = items.filter_map(|item| self.quantity(item)).collect();
        Some(At { value, place })
    }

    /// A text; none, without a fault, if it is something else.
    pub(in crate::config) fn word(&self, place: Place) -> Option<At<String>> {
        let Value::Text(text) = self.doc.value(place) else {
            return None;
        };
        Some(At {
            value: text.to_owned(),
            place,
        })
    }

    /// The elements of a list, or the one value that stands in its place.
    pub(in crate::config) fn one_or_items(&self, place: Place) -> Vec<Place> {
        match self.doc.value(place) {
            Value::List => self.doc.items(place).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map => {
                vec![place]
            }
        }
    }

    /// A map from names to a text or a list of texts each.
    pub(in crate::config) fn named_lists(&mut self, place: Place, form: &str) -> Lists {
        let entries = self.entries(place, "a map from names to texts", form);
        let mut named = Vec::new();
        for (name, value) in entries.unwrap_or_default() {
            let items = self.one_or_items(value).into_iter();
            named.push((name, items.filter_map(|item| self.text(item)).collect()));
        }
        named
    }

    /// Whether a map stands there.
    pub(in crate::config) fn is_map(&self, place: Place) -> bool {
        self.doc.value(place) == Value::Map
    }

    /// `true` or `false`; none, without a fault, if it is something else.
    pub(in crate::config) fn truth(&self, place: Place) -> Option<bool> {
        match self.doc.value(place) {
            Value::Bool(value) => Some(value),
            Value::Null | Value::Number(_) | Value::Text(_) | Value::List | Value::Map => None,
        }
    }

    /// The value of each key of `shape`, as a quantity.
    pub(in crate::config) fn quantity_fields<const N: usize>(
        &mut self,
        place: Place,
        shape: &Shape<N>,
    ) -> Option<[Option<At<String>>; N]> {
        let fields = self.fields(place, shape)?;
        Some(fields.map(|field| field.and_then(|place| self.quantity(place))))
    }
}
