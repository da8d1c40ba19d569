//! The gateway's own refusals: each with a stable dotted code, an HTTP status and a sentence.

use thiserror::Error;

use crate::engine::routing::host::RequestHostError;
use crate::engine::routing::method::MethodError;
use crate::engine::routing::path::{NormalPath, PathError};
use crate::engine::routing::version::ApiVersion;

/// Why the gateway does not forward a request.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Rejection<'a> {
    /// No normal path can be made of the target.
    #[error("{0}")]
    Path(#[from] PathError),
    /// `*` with another method than `OPTIONS` (RFC 9112, section 3.2.4).
    #[error("the path `*` goes with OPTIONS alone; write a path that begins with `/`")]
    Asterisk,
    /// The host is none, or one of two.
    #[error("{0}")]
    Host(#[from] RequestHostError),
    /// The method is no token.
    #[error("{0}")]
    Method(#[from] MethodError),
    /// An encoded slash where the route does not keep them, or hiding a dot segment.
    #[error("{0}")]
    EncodedSlash(EncodedSlashError),
    /// No route serves this host and path with these headers and this query.
    #[error("no route matches {}{}", .path.as_str(), host_words(*.host))]
    NotFound {
        /// The normal path.
        path: NormalPath<'a>,
        /// The host, if the request named one.
        host: Option<&'a str>,
    },
    /// Routes are there, but none for this method.
    #[error("{method} is not admitted here; {}", allow_words(.allow))]
    MethodNotAllowed {
        /// The method of the request.
        method: String,
        /// The methods with which the same request would be admitted, sorted.
        allow: Vec<String>,
    },
    /// Routes are there, but none of this version.
    #[error("version {stated} is not served here; {} {}", list(.exist), is_or_are(.exist))]
    VersionUnsupported {
        /// The version that the request states.
        stated: ApiVersion,
        /// The versions that exist there, sorted.
        exist: Vec<ApiVersion>,
    },
    /// The request states two versions that differ.
    #[error("{0}; state one version")]
    VersionConflict(String),
    /// A header field that should state a version does not.
    #[error("{0}")]
    VersionInvalid(String),
    /// No version is stated, and the configuration asks for one.
    #[error("a version must be stated here, as with Accept-Version: {first}; {} {}", list(.exist), is_or_are(.exist), first = .exist.first().map(ToString::to_string).unwrap_or_default())]
    VersionRequired {
        /// The versions that exist there, sorted.
        exist: Vec<ApiVersion>,
    },
    /// The service has no backend that could be picked.
    #[error("no backend of {service} is available")]
    NoBackend {
        /// The service.
        service: String,
    },
}

/// Why an encoded slash or backslash in the path is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EncodedSlashError {
    /// The winning route does not keep them.
    #[error(
        "the path has an encoded slash or backslash, which this route does not keep; write a plain slash"
    )]
    NotKept,
    /// Splitting there would give a dot segment.
    #[error("the path hides a dot segment behind an encoded slash or backslash")]
    HidesDotSegment,
}

impl Rejection<'_> {
    /// The stable dotted code, the same on every interface.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Path(fault) => fault.code(),
            Self::Asterisk => "path.invalid",
            Self::Host(fault) => fault.code(),
            Self::Method(_) => "method.invalid",
            Self::EncodedSlash(_) => "path.encoded_slash",
            Self::NotFound { .. } => "route.not_found",
            Self::MethodNotAllowed { .. } => "method.not_allowed",
            Self::VersionUnsupported { .. } => "version.unsupported",
            Self::VersionConflict(_) => "version.conflict",
            Self::VersionInvalid(_) => "version.invalid",
            Self::VersionRequired { .. } => "version.required",
            Self::NoBackend { .. } => "backend.none",
        }
    }

    /// The HTTP status (RFC 9110, section 15).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Path(_)
            | Self::Asterisk
            | Self::Host(_)
            | Self::Method(_)
            | Self::EncodedSlash(_)
            | Self::VersionUnsupported { .. }
            | Self::VersionConflict(_)
            | Self::VersionInvalid(_)
            | Self::VersionRequired { .. } => 400,
            Self::NotFound { .. } => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::NoBackend { .. } => 503,
        }
    }

    /// The versions that exist where the request's does not.
    #[must_use]
    pub fn versions(&self) -> &[ApiVersion] {
        if let Self::VersionUnsupported { exist, .. } | Self::VersionRequired { exist } = self {
            exist
        } else {
            &[]
        }
    }

    /// What goes into `Allow` (RFC 9110, section 10.2.1).
    #[must_use]
    pub fn allow(&self) -> Option<&[String]> {
        if let Self::MethodNotAllowed { allow, .. } = self {
            Some(allow)
        } else {
            None
        }
    }
}

fn host_words(host: Option<&str>) -> String {
    host.map(|host| format!(" on {host}")).unwrap_or_default()
}

fn allow_words(allow: &[String]) -> String {
    if allow.is_empty() {
        "no method is".into()
    } else {
        format!("{} would be", allow.join(", "))
    }
}

fn list(versions: &[ApiVersion]) -> String {
    versions
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

const fn is_or_are(versions: &[ApiVersion]) -> &'static str {
    if versions.len() == 1 { "is" } else { "are" }
}
