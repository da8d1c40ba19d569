//! Rejections by routing: each has a stable dotted code, an HTTP status and a message.

use thiserror::Error;

use crate::engine::routing::host::RequestHostError;
use crate::engine::routing::method::MethodError;
use crate::engine::routing::path::{NormalPath, PathError};
use crate::engine::routing::version::ApiVersion;

/// Why routing rejects a request.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Rejection<'a> {
    /// The path or query of the target is invalid.
    #[error("{0}")]
    Path(#[from] PathError),
    /// `*` with another method than `OPTIONS` (RFC 9112, section 3.2.4).
    #[error("the target `*` is allowed only with OPTIONS; send a path that begins with `/`")]
    Asterisk,
    /// The host is invalid or ambiguous.
    #[error("{0}")]
    Host(#[from] RequestHostError),
    /// The method is not a token.
    #[error("{0}")]
    Method(#[from] MethodError),
    /// An encoded slash that the route does not allow, or that hides a dot segment.
    #[error("{0}")]
    EncodedSlash(EncodedSlashError),
    /// No route serves this host and path with these headers and this query.
    #[error("no route matches {}{}", .path.as_str(), host_words(*.host))]
    NotFound {
        /// The normal path.
        path: NormalPath<'a>,
        /// The host of the request, if routes have host patterns.
        host: Option<&'a str>,
    },
    /// Routes match, but none admits this method.
    #[error("the method `{method}` is not allowed here{}", allowed(.allow))]
    MethodNotAllowed {
        /// The method of the request.
        method: String,
        /// The methods with which the request would be admitted, sorted.
        allow: Vec<String>,
    },
    /// Routes match, but none serves this version.
    #[error("version {stated} is not available here{}", available_versions(.available))]
    VersionUnsupported {
        /// The version that the request states.
        stated: ApiVersion,
        /// The versions that are available, sorted.
        available: Vec<ApiVersion>,
    },
    /// The request states two different versions.
    #[error("{0}; send one version")]
    VersionConflict(String),
    /// A header field states an invalid version.
    #[error("{0}")]
    VersionInvalid(String),
    /// The request states no version, but the configuration requires one.
    #[error("a version is required here{}", version_header(.available))]
    VersionRequired {
        /// The versions that are available, sorted.
        available: Vec<ApiVersion>,
    },
    /// No backend of the service is available.
    #[error("no backend of {service} is available")]
    NoBackend {
        /// The service.
        service: String,
    },
}

/// Why an encoded slash or backslash in the path is rejected.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EncodedSlashError {
    /// The winning route does not allow them (`encoded_slashes: keep`).
    #[error(
        "the path has an encoded slash or backslash, which this route does not allow; send a plain slash"
    )]
    NotAllowed,
    /// Splitting there would give a dot segment.
    #[error("the path hides a dot segment behind an encoded slash or backslash; remove it")]
    HidesDotSegment,
}

impl Rejection<'_> {
    /// The stable dotted code, the same on every interface.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Path(error) => error.code(),
            Self::Asterisk => "path.invalid",
            Self::Host(error) => error.code(),
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

    /// The available versions, if the request states another one or none.
    #[must_use]
    pub fn versions(&self) -> &[ApiVersion] {
        if let Self::VersionUnsupported { available, .. } | Self::VersionRequired { available } =
            self
        {
            available
        } else {
            &[]
        }
    }

    /// The methods for `Allow` (RFC 9110, section 10.2.1), if the method is rejected.
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

fn allowed(methods: &[String]) -> String {
    match methods {
        [] => ", nor is any other".into(),
        [only] => format!("; use {only}"),
        several => format!("; use one of {}", several.join(", ")),
    }
}

fn available_versions(versions: &[ApiVersion]) -> String {
    match versions {
        [] => String::new(),
        [only] => format!("; use {only}"),
        several => format!("; use one of {}", list(several)),
    }
}

fn version_header(versions: &[ApiVersion]) -> String {
    match versions {
        [] => String::new(),
        [only] => format!("; send `Accept-Version: {only}`"),
        [first, ..] => format!(
            "; send one of {}, for example `Accept-Version: {first}`",
            list(versions)
        ),
    }
}

fn list(versions: &[ApiVersion]) -> String {
    let texts: Vec<_> = versions.iter().map(ToString::to_string).collect();
    texts.join(", ")
}
