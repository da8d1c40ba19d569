//! What is told of an exchange that came to no answer.

use crate::engine::decide::Plan;
use crate::engine::semantics::fault::{Cause, RequestFault};
use crate::frontend::http::admission::no_backend;
use crate::runtime::forward::body::ReadFault;
use crate::runtime::forward::exchange::Failure;

/// Why there is no answer; nothing if nobody is there to be told.
pub(super) fn cause_of(failure: &Failure, plan: &Plan<'_>) -> Option<Cause<'static>> {
    Some(match failure {
        Failure::NoBackend => no_backend(plan),
        Failure::Upstream(fault) => Cause::from(fault.told()),
        Failure::BodyTimeout => Cause::from(RequestFault::Timeout),
        Failure::Body(ReadFault::TooLarge { most }) => {
            Cause::from(RequestFault::BodyTooLarge { limit_bytes: *most })
        }
        Failure::Body(ReadFault::Body(fault)) => Cause::Wire {
            code: fault.code(),
            status: fault.status(),
            sentence: fault.to_string(),
        },
        Failure::Body(ReadFault::Broken(_) | ReadFault::Stream(_)) | Failure::ClientLeft => {
            return None;
        }
    })
}
