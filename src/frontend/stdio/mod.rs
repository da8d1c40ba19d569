//! The JSON-lines front end.
