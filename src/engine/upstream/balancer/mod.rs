//! How the next backend of a cluster is chosen: one file per algorithm.

mod round_robin;

pub use round_robin::Cursor;
