//! The `routes` of a configuration.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::compile::Compiler;
use crate::config::document::Place;
use crate::config::fault::{did_you_mean, excerpt};
use crate::config::raw::{At, RawMatch, RawRoute, RawStrip};
use crate::config::services::{Service, ServiceVersion, Services};
use crate::engine::backend::{Address, BackendSource};
use crate::engine::constraint::{Constraint, ValueTest};
use crate::engine::host::HostPattern;
use crate::engine::method::{Method, MethodSet, STANDARD_METHODS};
use crate::engine::pattern::PathPattern;
use crate::engine::policy::Policy;
use crate::engine::route::{Route, RouteSpec, StripPrefix};
use crate::engine::snapshot::Configured;
use crate::engine::version::ApiVersion;

/// The routes compiled so far, with their backends and places, in one order.
pub(super) struct Routes<'s> {
    services: &'s Services,
    path_states_version: bool,
    names: HashMap<String, Place>,
    policy: Arc<Policy>,
    pub(super) routes: Vec<Route>,
    pub(super) configured: Vec<Configured>,
    pub(super) places: Vec<Place>,
}

impl<'s> Routes<'s> {
    pub(super) fn new(services: &'s Services, path_states_version: bool) -> Self {
        Self {
            services,
            path_states_version,
            names: HashMap::new(),
            policy: Arc::default(),
            routes: Vec::new(),
            configured: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Adds a route: one, or for a neutral route to a service with versions one for each of them.
    pub(super) fn add(&mut self, compiler: &mut Compiler<'_>, raw: &RawRoute) {
        self.check_name(compiler, raw);
        let inline = raw.backends.as_ref().map(|list| compiler.addresses(list));
        let spec = spec(compiler, raw);
        let Some(name) = &raw.service else { return };
        if name.value.is_empty() || name.value.chars().any(char::is_control) {
            let message = "the name of a service is a line of text".into();
            compiler.fault(name.place, "service.name", message, None);
            return;
        }
        let service = self.services.find(compiler, name, inline.is_some());
        let Some(spec) = spec else { return };
        let segment = spec
            .pattern
            .version_segment()
            .filter(|_| self.path_states_version);
        let version = spec.version.or(segment.map(|(_, version)| version));
        let versions = service
            .map(|service| &service.versions)
            .filter(|v| !v.is_empty());
        match (version, versions) {
            (None, Some(versions)) => {
                for (version, described) in versions {
                    let name = spec.name.as_ref().map(|name| format!("{name} {version}"));
                    let spec = RouteSpec {
                        version: Some(*version),
                        name,
                        ..spec.clone()
                    };
                    self.add_version(
                        compiler,
                        raw,
                        spec,
                        service,
                        Some(described),
                        inline.clone(),
                    );
                }
            }
            (Some(version), Some(versions)) => {
                let described = versions.get(&version);
                let else_served = inline.is_some() || service.is_some_and(|s| s.backends.is_some());
                if described.is_none() && !else_served {
                    let place = raw.version.as_ref().map_or(raw.place, |at| at.place);
                    let known: Vec<String> = versions.keys().map(ToString::to_string).collect();
                    let message = format!(
                        "`{}` has no version {version}; it has {}",
                        name.value,
                        known.join(", ")
                    );
                    compiler.fault(place, "service.no_version", message, None);
                }
                self.add_version(compiler, raw, spec, service, described, inline);
            }
            (_, None) => self.add_version(compiler, raw, spec, service, None, inline),
        }
    }

    fn add_version(
        &mut self,
        compiler: &mut Compiler<'_>,
        raw: &RawRoute,
        spec: RouteSpec,
        service: Option<&Service>,
        version: Option<&ServiceVersion>,
        inline: Option<Arc<[Address]>>,
    ) {
        let own = version.and_then(|version| version.backends.clone());
        let of_service = own.or_else(|| service.and_then(|service| service.backends.clone()));
        if let (Some(_), Some(_), Some(list)) = (&inline, &of_service, &raw.backends) {
            let message = format!(
                "the route and the service `{}` both have `backends`",
                spec.service
            );
            compiler.fault(
                list.place,
                "backend.twice",
                message,
                Some("keep them in one place".into()),
            );
        }
        let source = if inline.is_some() {
            BackendSource::Inline
        } else {
            BackendSource::Service
        };
        let addresses = inline.or(of_service).unwrap_or_default();
        let lifecycle = version.and_then(|version| version.lifecycle.clone());
        match Route::new(RouteSpec { lifecycle, ..spec }, self.path_states_version) {
            Err(fault) => {
                let place = raw.strip_prefix.as_ref().map_or(raw.place, |at| at.place);
                compiler.fault(place, "route.strip_prefix", fault.to_string(), None);
            }
            Ok(route) => {
                self.routes.push(route);
                self.configured.push(Configured {
                    addresses,
                    source,
                    policy: Arc::clone(&self.policy),
                    upstream: Arc::default(),
                });
                self.places.push(raw.place);
            }
        }
    }

    fn check_name(&mut self, compiler: &mut Compiler<'_>, raw: &RawRoute) {
        let Some(name) = &raw.name else { return };
        if name.value.is_empty() || name.value.chars().any(char::is_control) {
            let help = Some("leave `name` out: it is then made of what the route says".into());
            compiler.fault(
                name.place,
                "route.name",
                "a name is a line of text".into(),
                help,
            );
        } else if let Some(other) = self.names.insert(name.value.clone(), name.place) {
            let first = compiler.doc.position(other).map_or_else(
                || compiler.doc.at(other),
                |position| format!("line {}", position.line),
            );
            let message = format!("the name `{}` is taken ({first})", excerpt(&name.value));
            compiler.fault(name.place, "route.name_taken", message, None);
        }
    }
}

/// What a route says; none if it says nothing that could be matched. All faults are told.
fn spec(compiler: &mut Compiler<'_>, raw: &RawRoute) -> Option<RouteSpec> {
    let pattern = raw.path_pattern.as_ref().and_then(|text| {
        let parsed = PathPattern::parse(&text.value);
        parsed
            .map_err(|fault| {
                compiler.fault(text.place, "route.path_pattern", fault.to_string(), None)
            })
            .ok()
    });
    let version = raw.version.as_ref().and_then(|text| {
        let parsed = ApiVersion::parse(&text.value);
        parsed
            .map_err(|fault| compiler.fault(text.place, "version.invalid", fault.to_string(), None))
            .ok()
    });
    let hosts = hosts(compiler, raw);
    let methods = methods(compiler, raw);
    let headers = constraints(compiler, &raw.headers, true);
    let query = constraints(compiler, &raw.query, false);
    let slashes = raw.encoded_slashes.as_ref();
    let keeps =
        slashes.and_then(|word| compiler.choose(word, &[("keep", true), ("refuse", false)]));
    Some(RouteSpec {
        name: raw.name.as_ref().map(|name| name.value.clone()),
        pattern: pattern?,
        hosts,
        methods,
        headers,
        query,
        service: raw.service.as_ref()?.value.clone(),
        version,
        strip_prefix: match raw.strip_prefix.as_ref().map(|at| &at.value) {
            None | Some(RawStrip::Nothing) => StripPrefix::Nothing,
            Some(RawStrip::Literals) => StripPrefix::Literals,
            Some(RawStrip::Text(text)) => StripPrefix::Text(text.clone()),
        },
        keeps_encoded_slashes: keeps.unwrap_or(false),
        lifecycle: None,
    })
}

fn hosts(compiler: &mut Compiler<'_>, raw: &RawRoute) -> Vec<HostPattern> {
    let Some(list) = &raw.hosts else {
        return Vec::new();
    };
    if list.value.is_empty() {
        let message = "an empty list of hosts admits no request".into();
        compiler.fault(
            list.place,
            "route.hosts",
            message,
            Some("leave `hosts` out for any host".into()),
        );
    }
    let mut hosts: Vec<HostPattern> = Vec::new();
    for text in &list.value {
        match HostPattern::parse(&text.value) {
            Ok(host) if hosts.contains(&host) => {
                let message = format!("the host `{host}` stands there twice");
                compiler.fault(text.place, "route.hosts", message, None);
            }
            Ok(host) => hosts.push(host),
            Err(fault) => compiler.fault(text.place, "route.hosts", fault.to_string(), None),
        }
    }
    hosts
}

fn methods(compiler: &mut Compiler<'_>, raw: &RawRoute) -> MethodSet {
    let Some(list) = &raw.methods else {
        return MethodSet::Any;
    };
    if list.value.is_empty() {
        let message = "an empty list of methods admits no request".into();
        compiler.fault(
            list.place,
            "route.methods",
            message,
            Some("leave `methods` out for any method".into()),
        );
    }
    let mut methods: Vec<Method<'_>> = Vec::new();
    for text in &list.value {
        match Method::parse(&text.value) {
            Ok(method) if methods.contains(&method) => {
                let message = format!("the method {} stands there twice", method.as_str());
                compiler.fault(text.place, "route.methods", message, None);
            }
            Ok(method) => {
                let upper = method.as_str().to_ascii_uppercase();
                let meant = STANDARD_METHODS.into_iter().find(|known| *known == upper);
                let near =
                    || did_you_mean(&upper, STANDARD_METHODS).filter(|known| known.len() > 3);
                if let Some(meant) = meant
                    .or_else(near)
                    .filter(|meant| *meant != method.as_str())
                {
                    let message = format!(
                        "`{}` is no method that is in use; methods are told apart by case",
                        method.as_str()
                    );
                    compiler.fault(
                        text.place,
                        "route.methods",
                        message,
                        Some(format!("did you mean `{meant}`?")),
                    );
                }
                methods.push(method);
            }
            Err(fault) => compiler.fault(text.place, "route.methods", fault.to_string(), None),
        }
    }
    if methods.is_empty() {
        MethodSet::Any
    } else {
        MethodSet::listed(methods)
    }
}

fn constraints(
    compiler: &mut Compiler<'_>,
    raw: &[(At<String>, At<RawMatch>)],
    is_header: bool,
) -> Vec<Constraint> {
    let mut constraints: Vec<Constraint> = Vec::new();
    for (name, test) in raw {
        let key = if is_header {
            name.value.to_ascii_lowercase()
        } else {
            name.value.clone()
        };
        if is_header && (Method::parse(&key).is_err()) {
            let message = format!("`{}` is no name of a header", excerpt(&name.value));
            let help = Some("a name is a token such as X-Tenant".into());
            compiler.fault(name.place, "route.headers", message, help);
            continue;
        }
        if constraints.iter().any(|other| *other.name == *key) {
            let message = format!("the header `{key}` stands there twice: names are without case");
            compiler.fault(name.place, "route.headers", message, None);
            continue;
        }
        let test = match &test.value {
            RawMatch::Exact(value) => ValueTest::Exact(value.as_str().into()),
            RawMatch::Prefix(value) => ValueTest::Prefix(value.as_str().into()),
            RawMatch::Present => ValueTest::Present,
        };
        constraints.push(Constraint {
            name: key.into(),
            test,
        });
    }
    constraints
}
