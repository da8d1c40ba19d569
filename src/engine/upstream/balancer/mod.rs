//! Load balancing: one file per algorithm.

mod round_robin;

pub use round_robin::Cursor;
