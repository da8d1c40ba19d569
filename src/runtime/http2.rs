//! What HTTP/2 needs below the streams: the connection as the `h2` crate reads and writes it, and
//! a watch over frames that cost more than they bring.

pub mod fields;
pub mod flood;
pub mod stream;
pub mod transport;
