//! Counters, the access log and the log for operators.

pub(crate) mod access_log;
pub(crate) mod counters;
pub(crate) mod log;
pub(crate) mod record;
pub(crate) mod tally;

pub use access_log::{AccessLog, LogOutput, LogWriter};
pub use counters::{Counter, Counters, Totals};
pub use record::Record;
pub use tally::{RouteTally, Tally};
