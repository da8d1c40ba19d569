//! What the gateway adds to the `h2` crate on either side: field rules, flood limits, byte counts.

mod fields;
mod flood;
mod request;
mod transport;

pub(crate) use fields::{content_length, fields_of, pairs, retain_end_to_end};
pub(crate) use request::Http2RequestHead;
pub(crate) use transport::{Traffic, Transport};
