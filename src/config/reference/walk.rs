//! Walks the declared objects.

use crate::config::read::{Object, Shape};

/// An object and every path where it may occur, such as `routes[].retry`.
#[derive(Debug)]
pub(crate) struct Found {
    /// The object.
    pub(crate) object: &'static Object,
    /// Its paths; that of the file is empty.
    pub(crate) paths: Vec<String>,
}

/// Every object below `root`, each once, in the order of first occurrence. A group occurs at the
/// paths of the objects that include it.
pub(crate) fn objects(root: &'static Object) -> Vec<Found> {
    let mut found = Vec::new();
    visit_object(root, String::new(), &mut found);
    found
}

/// `header rules` for an object that is declared as `RawHeaderRules`.
pub(crate) fn title(object: &Object) -> String {
    let name = object.name.strip_prefix("Raw").unwrap_or(object.name);
    let mut title = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !title.is_empty() {
            title.push(' ');
        }
        title.push(c.to_ascii_lowercase());
    }
    title
}

fn visit_object(object: &'static Object, path: String, found: &mut Vec<Found>) {
    match found
        .iter_mut()
        .find(|known| std::ptr::eq(known.object, object))
    {
        Some(known) if known.paths.contains(&path) => return,
        Some(known) => known.paths.push(path.clone()),
        None => found.push(Found {
            object,
            paths: vec![path.clone()],
        }),
    }
    for key in object.keys {
        let separator = if path.is_empty() { "" } else { "." };
        visit_shape(key.shape, format!("{path}{separator}{}", key.name), found);
    }
    for group in object.groups {
        visit_object(group, path.clone(), found);
    }
}

fn visit_shape(shape: &'static Shape, path: String, found: &mut Vec<Found>) {
    match shape {
        Shape::Object(object) => visit_object(object, path, found),
        Shape::List { item, .. } => visit_shape(item, format!("{path}[]"), found),
        Shape::Map(value) => visit_shape(value, format!("{path}.NAME"), found),
        Shape::OneOf(shapes) => {
            for shape in *shapes {
                visit_shape(shape, path.clone(), found);
            }
        }
        Shape::Bool
        | Shape::True
        | Shape::Text
        | Shape::Name
        | Shape::Words { .. }
        | Shape::Count { .. }
        | Shape::Size { .. }
        | Shape::Time { .. } => {}
    }
}
