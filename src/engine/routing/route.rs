//! Routes: what one says of a request, and which service it names.

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
    /// Its name; by default made of its whole match and its service.
    pub name: Option<String>,
    /// What it says of paths.
    pub pattern: PathPattern,
    /// The hosts that it serves; none: all, and requests without a host.
    pub hosts: Vec<HostPattern>,
    /// The methods that it admits.
    pub methods: MethodSet,
    /// What it says of header fields.
    pub headers: Vec<Constraint>,
    /// What it says of the query.
    pub query: Vec<Constraint>,
    /// The service that answers.
    pub service: String,
    /// The version of its `version` field. Without one the pattern may state it.
    pub version: Option<ApiVersion>,
    /// What is taken off the path before it is forwarded.
    pub strip_prefix: StripPrefix,
    /// What the path begins with upstream, in place of what was taken off; none: nothing is put
    /// there.
    pub rewrite_prefix: Option<String>,
    /// Whether it answers with a redirect, and has no service: `service` says where to in words.
    pub is_redirect: bool,
    /// Whether `%2F` and `%5C` may pass.
    pub keeps_encoded_slashes: bool,
}

/// What is taken off the path before it is forwarded.
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
    /// Empty if nothing is put there; else whole segments, without a final slash.
    rewrite_prefix: Box<str>,
    /// Where the pattern states the version, as a segment's place; [`NO_SEGMENT`] if nowhere.
    version_at: u16,
    /// How many bytes of the declared path are taken off.
    strip_bytes: u16,
    pub(crate) service_id: Index,
}

/// A route that cannot be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RouteError {
    /// `strip_prefix` does not fit the pattern.
    #[error(
        "`{prefix}` is not a whole leading part of `{pattern}`; `{longest}` is the most that can be stripped"
    )]
    StripPrefix {
        /// What was to be stripped.
        prefix: String,
        /// The pattern of the route.
        pattern: String,
        /// Its literal prefix.
        longest: String,
    },
    /// `rewrite_prefix` is no path that could be forwarded.
    #[error("`{prefix}` is no path of literal segments in its normal form, such as /internal")]
    RewritePrefix {
        /// What was to be put in.
        prefix: String,
    },
}

/// Stands for a segment that is not there.
pub(crate) const NO_SEGMENT: u16 = u16::MAX;

impl Route {
    /// Compiles a route. `path_states_version` is whether a version segment counts as one.
    ///
    /// # Errors
    /// If `strip_prefix` is not made of whole leading literal segments of the pattern, or
    /// `rewrite_prefix` is no path of literal segments.
    pub fn new(spec: RouteSpec, path_states_version: bool) -> Result<Self, RouteError> {
        let strip_bytes = strip_bytes(&spec)?;
        let rewrite_prefix = rewrite_prefix(spec.rewrite_prefix.as_deref())?;
        let segment = spec
            .pattern
            .version_segment()
            .filter(|_| path_states_version);
        // A field that differs from the segment makes the segment plain text.
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

    /// Its name: that of the configuration, else its whole match and its service.
    #[must_use]
    pub fn name(&self) -> String {
        self.name
            .as_deref()
            .map_or_else(|| self.to_string(), Into::into)
    }

    /// The name that the configuration gives, if it does.
    #[must_use]
    pub fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it says of paths.
    #[must_use]
    pub const fn pattern(&self) -> &PathPattern {
        &self.pattern
    }

    /// The hosts that it serves, sorted; none: all.
    #[must_use]
    pub const fn hosts(&self) -> &[HostPattern] {
        &self.hosts
    }

    /// The methods that it admits.
    #[must_use]
    pub const fn methods(&self) -> &MethodSet {
        &self.methods
    }

    /// What it says of header fields, sorted.
    #[must_use]
    pub const fn headers(&self) -> &[Constraint] {
        &self.headers
    }

    /// What it says of the query, sorted.
    #[must_use]
    pub const fn query(&self) -> &[Constraint] {
        &self.query
    }

    /// The service that answers.
    #[must_use]
    pub const fn service(&self) -> &str {
        &self.service
    }

    /// Its version; none if it is neutral and serves any.
    #[must_use]
    pub const fn version(&self) -> Option<ApiVersion> {
        self.version
    }

    /// Whether `%2F` and `%5C` may pass.
    #[must_use]
    pub const fn keeps_encoded_slashes(&self) -> bool {
        self.keeps_encoded_slashes
    }

    /// Whether it answers with a redirect. Then it has no backends, and makes no family.
    #[must_use]
    pub const fn is_redirect(&self) -> bool {
        self.is_redirect
    }

    /// The literal prefix that is taken off before forwarding, if any.
    #[must_use]
    pub fn stripped(&self) -> Option<&str> {
        self.pattern
            .as_str()
            .get(..self.strip_bytes())
            .filter(|prefix| !prefix.is_empty())
    }

    /// What the path begins with upstream, in place of what is taken off; empty if nothing is put
    /// there.
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

    /// Whether header or query constraints are there to be looked at.
    pub(crate) const fn is_constrained(&self) -> bool {
        !self.headers.is_empty() || !self.query.is_empty()
    }

    /// Its whole match, names of parameters aside, and its service: what makes it the same route
    /// after a reload.
    #[must_use]
    pub fn identity(&self) -> RouteIdentity {
        let pattern = self.pattern.shape();
        let constraints = (&self.headers, &self.query);
        // As it would be written in code, so that no text can pass for another.
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

/// What must be equal for a route to stay the same route: its whole match and its service.
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

/// `/internal` of `/internal` and of `/internal/`; nothing of `/`.
fn rewrite_prefix(text: Option<&str>) -> Result<Box<str>, RouteError> {
    let Some(text) = text else {
        return Ok(Box::default());
    };
    let whole = text.strip_suffix('/').unwrap_or(text);
    let is_clean = NormalPath::parse(text).is_ok_and(|path| {
        path.as_str() == text && path.encoded_slash() == EncodedSlash::Absent && text != "*"
    });
    if is_clean && !whole.split('/').any(|segment| segment == "*") {
        return Ok(whole.into());
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
