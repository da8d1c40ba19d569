//! How an exchange fails: before the response, or within its body.

use h2::Reason;
use thiserror::Error;

use crate::engine::Plan;
use crate::engine::routing::Rejection;
use crate::engine::semantics::{Cause, GatewayError, RequestError};
use crate::runtime::body::ReadError;
use crate::runtime::upstream::UpstreamError;

/// Why there is no response.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// The service has no healthy backend.
    #[error("no backend is available")]
    NoBackend,
    /// The backend failed.
    #[error("{0}")]
    Upstream(#[from] UpstreamError),
    /// The request body was not read to its end.
    #[error("{0}")]
    Body(ReadError),
    /// The client stopped sending its request body.
    #[error("the client stopped sending the request body")]
    BodyTimeout,
    /// The client disconnected.
    #[error("the client disconnected")]
    Disconnected,
    /// The gateway stops, and the drain timeout has passed.
    #[error("the gateway stopped")]
    Draining,
}

impl Failure {
    /// The error that the client gets; `None` if it has disconnected.
    pub(super) fn cause(&self, plan: &Plan<'_>) -> Option<Cause<'static>> {
        Some(match self {
            Self::NoBackend => Cause::from(Rejection::NoBackend {
                service: plan.route().service().into(),
            }),
            Self::Upstream(error) => Cause::from(error.reported()),
            Self::BodyTimeout => Cause::from(RequestError::Timeout),
            Self::Draining => Cause::from(GatewayError::Draining),
            Self::Body(ReadError::TooLarge(error)) => Cause::from(*error),
            Self::Body(ReadError::Framing(error)) => Cause::Codec {
                code: error.code(),
                status: error.status(),
                message: error.to_string(),
            },
            Self::Body(ReadError::Connection(_) | ReadError::Stream(_)) | Self::Disconnected => {
                return None;
            }
        })
    }
}

/// Why a response is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interruption {
    /// The backend failed, over HTTP/2 with a reason.
    Backend(Option<Reason>),
    /// The request body was not read to its end.
    Request,
    /// The client disconnected, or takes no more.
    Disconnected,
    /// A timeout passed.
    Timeout,
    /// The gateway stops, and the drain timeout has passed.
    Draining,
}

impl Interruption {
    /// The code in the access log.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Backend(_) => "upstream.incomplete",
            Self::Timeout => "upstream.timeout",
            Self::Draining => "gateway.draining",
            Self::Request | Self::Disconnected => "client.left",
        }
    }

    /// The reason with which an HTTP/2 stream is reset (RFC 9113, section 7).
    pub(super) const fn reason(self) -> Reason {
        match self {
            // Other reasons, such as REFUSED_STREAM, would state something false about the gateway.
            Self::Backend(Some(
                reason @ (Reason::CANCEL | Reason::ENHANCE_YOUR_CALM | Reason::INADEQUATE_SECURITY),
            )) => reason,
            Self::Backend(_) => Reason::INTERNAL_ERROR,
            Self::Request => Reason::PROTOCOL_ERROR,
            Self::Disconnected | Self::Timeout | Self::Draining => Reason::CANCEL,
        }
    }
}
