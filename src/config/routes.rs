//! The `routes` of a configuration.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::compile::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::document::Place;
use crate::config::policies::Policies;
use crate::config::raw::RawRoute;
use crate::config::redirects::redirect;
use crate::config::route_spec::spec;
use crate::config::services::{Service, ServiceVersion, Services};
use crate::config::upstreams::{self, upstream};
use crate::engine::policy::RouteOptions;
use crate::engine::routing::route::{Route, RouteError, RouteSpec};
use crate::engine::snapshot::Configured;
use crate::engine::upstream::Upstream;
use crate::engine::upstream::backend::{Address, BackendSource};

/// The routes compiled so far, with their backends and places, in one order.
pub(super) struct Routes<'s> {
    services: &'s Services,
    policies: Policies,
    /// Of routes whose backends are spoken to as usual.
    usual_upstream: Arc<Upstream>,
    path_states_version: bool,
    names: HashMap<String, Place>,
    pub(super) routes: Vec<Route>,
    pub(super) configured: Vec<Configured>,
    pub(super) places: Vec<Place>,
}

/// What the versions that one route stands for have in common.
struct Given<'r> {
    raw: &'r RawRoute,
    service: Option<&'r Service>,
    inline: Option<Arc<[Address]>>,
    options: Option<RouteOptions>,
    upstream: Arc<Upstream>,
}

impl<'s> Routes<'s> {
    pub(super) fn new(
        services: &'s Services,
        policies: Policies,
        path_states_version: bool,
    ) -> Self {
        Self {
            services,
            policies,
            usual_upstream: Arc::default(),
            path_states_version,
            names: HashMap::new(),
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
        if let Some(at) = &raw.redirect {
            let pattern = spec.as_ref().map(|spec| &spec.pattern);
            let redirect = redirect(compiler, raw, at, pattern);
            let service = redirect.as_ref().map(|it| format!("redirect to {}", it.to));
            let raw_policy = raw.policy.as_deref();
            let options = self.policies.options(compiler, raw_policy, redirect);
            let (Some(spec), Some(service)) = (spec, service) else {
                return;
            };
            let given = Given {
                raw,
                service: None,
                inline: None,
                upstream: Arc::clone(&self.usual_upstream),
                options,
            };
            return self.add_version(compiler, &given, RouteSpec { service, ..spec }, None);
        }
        let options = self.policies.options(compiler, raw.policy.as_deref(), None);
        let Some(name) = &raw.service else { return };
        if name.value.is_empty() || name.value.chars().any(char::is_control) {
            let message = "the name of a service is a line of text".into();
            compiler.fault(name.place, "service.name", message, None);
            return;
        }
        let service = self.services.find(compiler, name, inline.is_some());
        let given = Given {
            raw,
            service,
            upstream: self.upstream(compiler, raw, service, inline.as_deref()),
            inline,
            options,
        };
        if let Some(spec) = spec {
            let service = name.value.clone();
            self.add_versions(compiler, &given, RouteSpec { service, ..spec });
        }
    }

    fn add_versions(&mut self, compiler: &mut Compiler<'_>, given: &Given<'_>, spec: RouteSpec) {
        let Given { raw, service, .. } = given;
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
                    self.add_version(compiler, given, spec, Some(described));
                }
            }
            (Some(version), Some(versions)) => {
                let described = versions.get(&version);
                let else_served =
                    given.inline.is_some() || service.is_some_and(|s| s.backends.is_some());
                if described.is_none() && !else_served {
                    let place = raw.version.as_ref().map_or(raw.place, |at| at.place);
                    let known: Vec<String> = versions.keys().map(ToString::to_string).collect();
                    let message = format!(
                        "`{}` has no version {version}; it has {}",
                        spec.service,
                        known.join(", ")
                    );
                    compiler.fault(place, "service.no_version", message, None);
                }
                self.add_version(compiler, given, spec, described);
            }
            (_, None) => self.add_version(compiler, given, spec, None),
        }
    }

    fn add_version(
        &mut self,
        compiler: &mut Compiler<'_>,
        given: &Given<'_>,
        spec: RouteSpec,
        version: Option<&ServiceVersion>,
    ) {
        let Given { raw, inline, .. } = given;
        let own = version.and_then(|version| version.backends.clone());
        let of_service = own.or_else(|| given.service.and_then(|service| service.backends.clone()));
        if let (Some(_), Some(_), Some(list)) = (inline, &of_service, &raw.backends) {
            let message = format!(
                "the route and the service `{}` both have `backends`",
                spec.service
            );
            let help = Some("keep them in one place".into());
            compiler.fault(list.place, "backend.twice", message, help);
        }
        let source = if inline.is_some() {
            BackendSource::Inline
        } else {
            BackendSource::Service
        };
        let addresses = inline.clone().or(of_service).unwrap_or_default();
        let deprecation = version.and_then(|version| version.deprecation.clone());
        match Route::new(spec, self.path_states_version) {
            Err(fault) => {
                let (at, code) = match fault {
                    RouteError::StripPrefix { .. } => (
                        raw.strip_prefix.as_ref().map(|at| at.place),
                        "route.strip_prefix",
                    ),
                    RouteError::RewritePrefix { .. } => (
                        raw.rewrite_prefix.as_ref().map(|at| at.place),
                        "route.rewrite_prefix",
                    ),
                };
                compiler.fault(at.unwrap_or(raw.place), code, fault.to_string(), None);
            }
            Ok(route) => {
                self.routes.push(route);
                self.configured.push(Configured {
                    addresses,
                    source,
                    policy: self.policies.compile(given.options.as_ref(), deprecation),
                    upstream: Arc::clone(&given.upstream),
                });
                self.places.push(raw.place);
            }
        }
    }

    /// What the route says of its own backends, else what the service says.
    fn upstream(
        &self,
        compiler: &mut Compiler<'_>,
        raw: &RawRoute,
        service: Option<&Service>,
        inline: Option<&[Address]>,
    ) -> Arc<Upstream> {
        let of_service = service.and_then(|service| service.upstream.as_ref());
        match (&raw.upstream, inline) {
            (None, _) => Arc::clone(of_service.unwrap_or(&self.usual_upstream)),
            (Some(own), Some(inline)) => upstream(compiler, own, inline.iter()),
            (Some(_), None) => {
                let message = "`protocol`, `tls` and `max_in_flight` stand where the backends do";
                let help = Some("write them at the service".into());
                compiler.fault(raw.place, upstreams::CODE, message.into(), help);
                Arc::clone(&self.usual_upstream)
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
            let first = compiler.place_words(other);
            let message = format!("the name `{}` is taken ({first})", excerpt(&name.value));
            compiler.fault(name.place, "route.name_taken", message, None);
        }
    }
}
