//! Message bodies on their way through the gateway: where they come from and where they go.

mod error;
mod http1;
mod http2;
mod memory;
mod pipe;
mod replay;

pub(crate) use error::ReadError;
pub(crate) use http1::Http1BodyReader;
pub(crate) use http2::{Http2BodyReader, Http2BodyWriter};
pub(crate) use memory::CollectedBody;
pub(crate) use pipe::{Pipe, PipeError, Sink, Source};
pub(crate) use replay::ReplayBuffer;
