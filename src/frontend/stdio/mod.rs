//! The JSON-lines front end.

pub mod values;
