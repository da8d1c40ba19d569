//! Routes: what a route matches, and which service serves it.

use std::fmt;

use thiserror::Error;

use crate::engine::routing::constraint::Constraint;
use crate::engine::routing::host::HostPattern;
use crate::engine::routing::index::Index;
use crate::engine::routing::method::MethodSet;
use crate::engine::routing::path::{EncodedSlash, NormalPath};
use crate::engine::routing::pattern::PathPattern;
use crate::engine::routing::version::ApiVersion;

/// A route as the configuration states it.
#[derive(Clone, Debug)]
pub struct RouteSpec {
    /// The name; `None`: its whole match and its service.
    pub name: Option<String>,
    /// The path pattern.
    pub pattern: PathPattern,
    /// The host patterns; empty: all hosts, and requests without a host.
    pub hosts: Vec<HostPattern>,
    /// The admitted methods.
    pub methods: MethodSet,
    /// The constraints on header fields.
    pub headers: Vec<Constraint>,
    /// The constraints on query parameters.
    pub query: Vec<Constraint>,
    /// The service that serves the route.
    pub service: String,
    /// The `version` of the configuration; `None`: the version that the pattern states, if any.
    pub version: Option<ApiVersion>,
    /// What is removed from the path before it is forwarded.
    pub strip_prefix: StripPrefix,
    /// The prefix of the upstream path, in place of what was removed; `None`: no prefix.
    pub rewrite_prefix: Option<String>,
    /// Whether the route responds with a redirect. Then it has no service, and `service` describes
    /// the target.
    pub is_redirect: bool,
    /// Whether paths may contain `%2F` and `%5C`.
    pub keeps_encoded_slashes: bool,
}

/// What is removed from the path before it is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StripPrefix {
    /// Nothing.
    #[default]
    Nothing,
    /// The pattern's literal segments before its first parameter or `*`.
    Literals,
    /// This prefix, which must be whole leading literal segments of the pattern.
    Text(String),
}

/// A compiled route.
#[derive(Clone, Debug)]
pub struct Route {
    name: Option<Box<str>>,
    pattern: PathPattern,
    hosts: Box<[HostPattern]>,
    methods: MethodSet,
    headers: Box<[Constraint]>,
    query: Box<[Constraint]>,
    service: Box<str>,
    version: Option<ApiVersion>,
    keeps_encoded_slashes: bool,
    is_redirect: bool,
    /// Whole segments without a final slash; empty: no prefix.
    rewrite_prefix: Box<str>,
    /// The index of the pattern segment that states the version; [`NO_SEGMENT`] if none does.
    version_at: u16,
    /// The length of the removed prefix of the declared path.
    strip_bytes: u16,
    pub(crate) service_id: Index,
}

/// An invalid route.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RouteError {
    /// `strip_prefix` does not fit the pattern.
    #[error(
        "`{prefix}` is not a leading part of `{pattern}` in whole literal segments; at most `{longest}` can be stripped"
    )]
    StripPrefix {
        /// The prefix to remove.
        prefix: String,
        /// The pattern of the route.
        pattern: String,
        /// The longest prefix that can be removed.
        longest: String,
    },
    /// `rewrite_prefix` is not a path that can be forwarded.
    #[error(
        "`{prefix}` is not a path of literal segments in normal form; write one such as /internal"
    )]
    RewritePrefix {
        /// The invalid prefix.
        prefix: String,
    },
}

/// The segment index of patterns that state no version.
pub(crate) const NO_SEGMENT: u16 = u16::MAX;

impl Route {
    /// Compiles a route. `path_states_version`: whether the version segment of a pattern states the
    /// version.
    ///
    /// # Errors
    /// If `strip_prefix` is not a sequence of whole leading literal segments of the pattern, or
    /// `rewrite_prefix` is not a path of literal segments.
    pub fn new(spec: RouteSpec, path_states_version: bool) -> Result<Self, RouteError> {
        let strip_bytes = strip_bytes(&spec)?;
        let rewrite_prefix = rewrite_prefix(spec.rewrite_prefix.as_deref())?;
        let segment = spec
            .pattern
            .version_segment()
            .filter(|_| path_states_version);
        // If the `version` field differs from the segment, the segment is plain text.
        let stated = segment.filter(|(_, version)| spec.version.is_none_or(|v| v == *version));
        Ok(Self {
            name: spec.name.map(Into::into),
            pattern: spec.pattern,
            hosts: sorted(spec.hosts),
            methods: spec.methods,
            headers: sorted(spec.headers),
            query: sorted(spec.query),
            service: spec.service.into(),
            version: spec.version.or(stated.map(|(_, version)| version)),
            keeps_encoded_slashes: spec.keeps_encoded_slashes,
            is_redirect: spec.is_redirect,
            rewrite_prefix,
            version_at: stated
                .and_then(|(at, _)| u16::try_from(at).ok())
                .unwrap_or(NO_SEGMENT),
            strip_bytes,
            service_id: Index::NONE,
        })
    }

    /// The name: the configured one, else the whole match and the service.
    #[must_use]
    pub fn name(&self) -> String {
        self.name
            .as_deref()
            .map_or_else(|| self.to_string(), Into::into)
    }

    /// The name in the configuration, if any.
    #[must_use]
    pub fn configured_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The path pattern.
    #[must_use]
    pub const fn pattern(&self) -> &PathPattern {
        &self.pattern
    }

    /// The host patterns, sorted; empty: all hosts.
    #[must_use]
    pub const fn hosts(&self) -> &[HostPattern] {
        &self.hosts
    }

    /// The admitted methods.
    #[must_use]
    pub const fn methods(&self) -> &MethodSet {
        &self.methods
    }

    /// The constraints on header fields, sorted.
    #[must_use]
    pub const fn headers(&self) -> &[Constraint] {
        &self.headers
    }

    /// The constraints on query parameters, sorted.
    #[must_use]
    pub const fn query(&self) -> &[Constraint] {
        &self.query
    }

    /// The service that serves the route.
    #[must_use]
    pub const fn service(&self) -> &str {
        &self.service
    }

    /// The version; `None` if the route is neutral and serves any version.
    #[must_use]
    pub const fn version(&self) -> Option<ApiVersion> {
        self.version
    }

    /// Whether paths may contain `%2F` and `%5C`.
    #[must_use]
    pub const fn keeps_encoded_slashes(&self) -> bool {
        self.keeps_encoded_slashes
    }

    /// Whether the route responds with a redirect. Then it has no backends and is in no family.
    #[must_use]
    pub const fn is_redirect(&self) -> bool {
        self.is_redirect
    }

    /// The literal prefix that is removed before forwarding, if any.
    #[must_use]
    pub fn stripped_prefix(&self) -> Option<&str> {
        self.pattern
            .as_str()
            .get(..self.strip_bytes())
            .filter(|prefix| !prefix.is_empty())
    }

    /// The prefix of the upstream path, in place of what is removed; empty: no prefix.
    #[must_use]
    pub const fn rewrite_prefix(&self) -> &str {
        &self.rewrite_prefix
    }

    pub(crate) fn strip_bytes(&self) -> usize {
        self.strip_bytes.into()
    }

    pub(crate) const fn version_at(&self) -> u16 {
        self.version_at
    }

    /// Whether the route has header or query constraints.
    pub(crate) const fn is_constrained(&self) -> bool {
        !self.headers.is_empty() || !self.query.is_empty()
    }

    /// The identity of the route across reloads: its whole match, without parameter names, and its
    /// service.
    #[must_use]
    pub fn identity(&self) -> RouteIdentity {
        let pattern = self.pattern.shape();
        let constraints = (&self.headers, &self.query);
        // `Debug` quotes the texts, so that different routes have different identities.
        let whole = (
            pattern,
            &self.hosts,
            &self.methods,
            constraints,
            self.version,
            &self.service,
        );
        RouteIdentity(format!("{whole:?}").into())
    }
}

impl fmt::Display for Route {
    /// The whole match and the service on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.methods != MethodSet::Any {
            write!(f, "{} ", self.methods)?;
        }
        for (at, host) in self.hosts.iter().enumerate() {
            write!(f, "{}{host}", if at == 0 { "" } else { "," })?;
        }
        write!(f, "{}", self.pattern)?;
        for constraint in &self.headers {
            write!(f, " [{constraint}]")?;
        }
        for constraint in &self.query {
            write!(f, " ?{constraint}")?;
        }
        if let Some(version) = self.version {
            write!(f, " {version}")?;
        }
        write!(f, " -> {}", self.service)
    }
}

/// The identity of a route across reloads; see [`Route::identity`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteIdentity(Box<str>);

fn strip_bytes(spec: &RouteSpec) -> Result<u16, RouteError> {
    let longest = spec.pattern.literal_prefix();
    let bytes = match &spec.strip_prefix {
        StripPrefix::Nothing => Some(0),
        StripPrefix::Literals => Some(longest.len()),
        StripPrefix::Text(text) => {
            let text = text.strip_suffix('/').unwrap_or(text);
            let rest = longest.strip_prefix(text);
            rest.filter(|rest| rest.is_empty() || rest.starts_with('/'))
                .map(|_| text.len())
        }
    };
    bytes
        .and_then(|bytes| u16::try_from(bytes).ok())
        .ok_or_else(|| RouteError::StripPrefix {
            prefix: match &spec.strip_prefix {
                StripPrefix::Text(text) => text.clone(),
                StripPrefix::Nothing | StripPrefix::Literals => longest.into(),
            },
            pattern: spec.pattern.to_string(),
            longest: if longest.is_empty() {
                "/".into()
            } else {
                longest.into()
            },
        })
}

/// Removes the final slash: `/internal` for `/internal/`, empty for `/`.
fn rewrite_prefix(text: Option<&str>) -> Result<Box<str>, RouteError> {
    let Some(text) = text else {
        return Ok(Box::default());
    };
    let trimmed = text.strip_suffix('/').unwrap_or(text);
    let is_clean = NormalPath::parse(text).is_ok_and(|path| {
        path.as_str() == text && path.encoded_slash() == EncodedSlash::Absent && text != "*"
    });
    if is_clean && !trimmed.split('/').any(|segment| segment == "*") {
        return Ok(trimmed.into());
    }
    Err(RouteError::RewritePrefix {
        prefix: text.into(),
    })
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Box<[T]> {
    items.sort_unstable();
    items.dedup();
    items.into()
}

#[cfg(test)]
mod tests;
