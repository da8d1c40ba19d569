//! The proxy: one exchange for every kind of downstream.
//!
//! [`exchange()`] is the whole life of a request on one screen. A [`Downstream`] is where the request
//! comes from and where the response goes; frontends build it, call [`exchange()`] and act on what it
//! leaves there. One task runs an exchange; it shares nothing with another worker and takes no lock.

mod admitted;
mod attempts;
mod download;
mod downstream;
mod exchange;
mod exchange_log;
mod failure;
mod http1_attempt;
mod http1_downstream;
mod http2_attempt;
mod http2_downstream;
mod inbound;
mod memory_downstream;
mod memory_request;
mod pending;
mod rendered;
mod response;
mod tunnel;

pub(crate) use downstream::Downstream;
pub(crate) use exchange::{exchange, reject};
pub(crate) use http1_downstream::{Http1Downstream, Persistence};
pub(crate) use http2_downstream::Http2Downstream;
pub(crate) use inbound::{ExchangeContext, RequestHead};
pub(crate) use memory_downstream::{
    MemoryDownstream, MemoryResponse, PickEvent, PickReporter, Routed,
};
pub(crate) use memory_request::{MemoryRequest, check_head};
pub(crate) use rendered::RenderedResponse;
