//! The keys of the configuration, each declared once.
//!
//! To add a key, declare it here and use the field where it is compiled. Parser, JSON Schema and
//! reference page follow from the declaration.

mod cors;
mod file;
mod policy;
mod process;
mod route;
mod service;

pub(crate) use cors::RawCors;
pub(crate) use file::{RawFile, RawVersioning};
pub(crate) use policy::{RawFailure, RawHeaderRules, RawPolicy, RawRetry};
pub(crate) use process::{
    AlpnWord, RawAccessLog, RawLimits, RawListener, RawListenerTls, RawProcess, RawRedirectToHttps,
};
pub(crate) use route::{RawMatch, RawRedirect, RawRoute};
pub(crate) use service::{RawService, RawUpstream, RawUpstreamTls, RawVersion};
