//! `routes`: each with its match, its backends and its policy.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::config::compile::backends::{self, addresses, upstream};
use crate::config::compile::compiler::{Compiler, is_one_line};
use crate::config::compile::policies::Policies;
use crate::config::compile::redirect::redirect;
use crate::config::compile::route_spec::spec;
use crate::config::compile::services::{Service, ServiceVersion, Services};
use crate::config::diagnostic::excerpt;
use crate::config::keys::RawRoute;
use crate::config::place::{At, Place};
use crate::engine::policy::RouteOptions;
use crate::engine::routing::{ApiVersion, Route, RouteError, RouteSpec};
use crate::engine::snapshot::Configured;
use crate::engine::upstream::{Address, BackendSource, Upstream};

/// The routes compiled so far. `routes`, `configured` and `places` have one entry per route.
pub(super) struct Routes<'r> {
    services: &'r Services,
    policies: Policies,
    /// For routes that state nothing about their backends.
    default_upstream: Arc<Upstream>,
    path_states_version: bool,
    names: HashMap<&'r str, Place>,
    pub(super) used_services: HashSet<&'r str>,
    pub(super) routes: Vec<Route>,
    pub(super) configured: Vec<Configured>,
    pub(super) places: Vec<Place>,
}

/// What the versions of one route share.
struct Shared<'r> {
    raw: &'r RawRoute,
    place: Place,
    service: Option<&'r Service>,
    inline: Option<Arc<[Address]>>,
    /// `None` for the defaults.
    options: Option<RouteOptions>,
    upstream: Arc<Upstream>,
}

impl<'r> Routes<'r> {
    pub(super) fn new(
        services: &'r Services,
        policies: Policies,
        path_states_version: bool,
    ) -> Self {
        Self {
            services,
            policies,
            default_upstream: Arc::default(),
            path_states_version,
            names: HashMap::new(),
            used_services: HashSet::new(),
            routes: Vec::new(),
            configured: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Adds a route. A neutral route to a service with versions becomes one route per version.
    pub(super) fn add(&mut self, compiler: &mut Compiler<'_>, route: &'r At<RawRoute>) {
        let At { value: raw, place } = route;
        self.check_name(compiler, raw);
        let inline = raw.backends.as_ref();
        let inline = inline.map(|list| addresses(compiler, list));
        let spec = spec(compiler, raw);
        if raw.redirect.is_some() {
            return self.add_redirect(compiler, route, spec);
        }
        let options = self.policies.options(compiler, raw.policy.as_deref(), None);
        let Some(name) = &raw.service else { return };
        if !is_one_line(&name.value) {
            let message = "a service name is one line of text and not empty";
            compiler.error(name.place, "service.name", message, None);
            return;
        }
        self.used_services.insert(&name.value);
        let service = self.services.find(compiler, name, inline.is_some());
        let shared = Shared {
            raw,
            place: *place,
            service,
            upstream: self.upstream(compiler, route, service, inline.as_deref()),
            inline,
            options,
        };
        if let Some(spec) = spec {
            let service = name.value.clone();
            self.add_versions(compiler, &shared, RouteSpec { service, ..spec });
        }
    }

    fn add_redirect(
        &mut self,
        compiler: &mut Compiler<'_>,
        route: &'r At<RawRoute>,
        spec: Option<RouteSpec>,
    ) {
        let At { value: raw, place } = route;
        let pattern = spec.as_ref().map(|spec| &spec.pattern);
        let raw_redirect = raw.redirect.as_ref();
        let redirect =
            raw_redirect.and_then(|raw_redirect| redirect(compiler, raw, raw_redirect, pattern));
        let service = redirect.as_ref().map(|it| format!("redirect to {}", it.to));
        let policy = raw.policy.as_deref();
        let options = self.policies.options(compiler, policy, redirect);
        let (Some(spec), Some(service)) = (spec, service) else {
            return;
        };
        let shared = Shared {
            raw,
            place: *place,
            service: None,
            inline: None,
            upstream: Arc::clone(&self.default_upstream),
            options,
        };
        self.add_version(compiler, &shared, RouteSpec { service, ..spec }, None);
    }

    fn add_versions(&mut self, compiler: &mut Compiler<'_>, shared: &Shared<'_>, spec: RouteSpec) {
        let segment = spec.pattern.version_segment();
        let segment = segment.filter(|_| self.path_states_version);
        let version = spec.version.or(segment.map(|(_, version)| version));
        let versions = shared.service.map(|service| &service.versions);
        match (version, versions.filter(|versions| !versions.is_empty())) {
            (None, Some(versions)) => {
                for (version, described) in versions {
                    let name = spec.name.as_ref().map(|name| format!("{name} {version}"));
                    let spec = RouteSpec {
                        version: Some(*version),
                        name,
                        ..spec.clone()
                    };
                    self.add_version(compiler, shared, spec, Some(described));
                }
            }
            (Some(version), Some(versions)) => {
                let described = versions.get(&version);
                let has_backends =
                    shared.inline.is_some() || shared.service.is_some_and(|s| s.backends.is_some());
                if described.is_none() && !has_backends {
                    let known = versions.keys();
                    report_no_version(compiler, shared, &spec.service, version, known);
                }
                self.add_version(compiler, shared, spec, described);
            }
            (_, None) => self.add_version(compiler, shared, spec, None),
        }
    }

    fn add_version(
        &mut self,
        compiler: &mut Compiler<'_>,
        shared: &Shared<'_>,
        spec: RouteSpec,
        version: Option<&ServiceVersion>,
    ) {
        let Shared { raw, inline, .. } = shared;
        let of_version = version.and_then(|version| version.backends.clone());
        let of_service =
            of_version.or_else(|| shared.service.and_then(|service| service.backends.clone()));
        if let (Some(_), Some(_), Some(list)) = (inline, &of_service, &raw.backends) {
            let message = format!(
                "both the route and the service `{}` have `backends`",
                spec.service
            );
            let help = Some("remove one of them".into());
            compiler.error(list.place, "backend.twice", message, help);
        }
        let source = if inline.is_some() {
            BackendSource::Inline
        } else {
            BackendSource::Service
        };
        let addresses = inline.clone().or(of_service).unwrap_or_default();
        let deprecation = version.and_then(|version| version.deprecation.clone());
        match Route::new(spec, self.path_states_version) {
            Err(error) => report_path_error(compiler, shared, &error),
            Ok(route) => {
                self.routes.push(route);
                self.configured.push(Configured {
                    addresses,
                    source,
                    policy: self.policies.compile(shared.options.as_ref(), deprecation),
                    upstream: Arc::clone(&shared.upstream),
                });
                self.places.push(shared.place);
            }
        }
    }

    /// How the backends of a route are reached: as the route states, else as the service states.
    fn upstream(
        &self,
        compiler: &mut Compiler<'_>,
        route: &At<RawRoute>,
        service: Option<&Service>,
        inline: Option<&[Address]>,
    ) -> Arc<Upstream> {
        let of_service = service.and_then(|service| service.upstream.as_ref());
        let of_service = of_service.unwrap_or(&self.default_upstream);
        match (&route.value.upstream, inline) {
            (None, _) => Arc::clone(of_service),
            (Some(raw), Some(inline)) => upstream(compiler, raw, inline.iter()),
            (Some(_), None) => {
                let message = "`protocol`, `tls` and `max_in_flight` belong beside the backends";
                let help = Some("move them to the service".into());
                compiler.error(route.place, backends::CODE, message, help);
                Arc::clone(of_service)
            }
        }
    }

    fn check_name(&mut self, compiler: &mut Compiler<'_>, raw: &'r RawRoute) {
        let Some(name) = &raw.name else { return };
        if !is_one_line(&name.value) {
            let message = "a route name is one line of text and not empty";
            let help = Some("remove `name`: the default is made of what the route states".into());
            compiler.error(name.place, "route.name", message, help);
        } else if let Some(other) = self.names.insert(&name.value, name.place) {
            let first = compiler.place_in_words(other);
            let shown = excerpt(&name.value);
            let message = format!("another route has the name `{shown}` ({first})");
            let help = Some("choose another name".into());
            compiler.error(name.place, "route.name_taken", message, help);
        }
    }
}

fn report_no_version<'v>(
    compiler: &mut Compiler<'_>,
    shared: &Shared<'_>,
    service: &str,
    version: ApiVersion,
    known: impl Iterator<Item = &'v ApiVersion>,
) {
    let place = shared.raw.version.as_ref().map(|at| at.place);
    let known: Vec<String> = known.map(ToString::to_string).collect();
    let message = format!("service `{service}` has no version `{version}`");
    let help = Some(format!("its versions are {}", known.join(", ")));
    let place = place.unwrap_or(shared.place);
    compiler.error(place, "service.no_version", message, help);
}

fn report_path_error(compiler: &mut Compiler<'_>, shared: &Shared<'_>, error: &RouteError) {
    let Shared { raw, place, .. } = shared;
    let (at, code) = match error {
        RouteError::StripPrefix { .. } => (
            raw.strip_prefix.as_ref().map(|at| at.place),
            "route.strip_prefix",
        ),
        RouteError::RewritePrefix { .. } => (
            raw.rewrite_prefix.as_ref().map(|at| at.place),
            "route.rewrite_prefix",
        ),
    };
    compiler.error(at.unwrap_or(*place), code, error.to_string(), None);
}
