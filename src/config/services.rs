//! The `services` of a configuration: their versions and the backends of these.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::config::compile::Compiler;
use crate::config::diagnostic::{Severity, did_you_mean};
use crate::config::document::Place;
use crate::config::raw::service::{RawService, RawVersion};
use crate::config::raw::{At, Strictness};
use crate::config::upstreams::upstream;
use crate::engine::policy::Deprecation;
use crate::engine::routing::version::ApiVersion;
use crate::engine::upstream::Upstream;
use crate::engine::upstream::backend::Address;

/// Every service that the configuration describes.
pub(super) struct Services {
    /// None if the configuration has no `services` at all.
    by_name: Option<HashMap<String, Service>>,
    used: RefCell<BTreeSet<String>>,
}

/// One service.
pub(super) struct Service {
    place: Place,
    pub(super) backends: Option<Arc<[Address]>>,
    pub(super) versions: BTreeMap<ApiVersion, ServiceVersion>,
    /// How its backends are spoken to; none if nothing is said.
    pub(super) upstream: Option<Arc<Upstream>>,
}

/// One version of a service.
#[derive(Default)]
pub(super) struct ServiceVersion {
    pub(super) backends: Option<Arc<[Address]>>,
    pub(super) deprecation: Option<Arc<Deprecation>>,
}

impl Services {
    pub(super) fn read(compiler: &mut Compiler<'_>, raw: Option<&[RawService]>) -> Self {
        let by_name = raw.map(|services| {
            services
                .iter()
                .map(|raw| (raw.name.value.clone(), Service::read(compiler, raw)))
                .collect()
        });
        Self {
            by_name,
            used: RefCell::default(),
        }
    }

    /// The service of a route; a fault if the configuration has services but not this one, or if
    /// nothing at all can give it a backend.
    pub(super) fn find(
        &self,
        compiler: &mut Compiler<'_>,
        name: &At<String>,
        has_backends: bool,
    ) -> Option<&Service> {
        self.used.borrow_mut().insert(name.value.clone());
        let found = self
            .by_name
            .as_ref()
            .and_then(|services| services.get(&name.value));
        if found.is_some() || has_backends {
            return found;
        }
        match &self.by_name {
            Some(services) => {
                let message = format!("there is no service `{}`", name.value);
                let help = match did_you_mean(&name.value, services.keys().map(String::as_str)) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => {
                        "describe it under `services`, or give the route its own `backends`".into()
                    }
                };
                compiler.fault(name.place, "service.unknown", message, Some(help));
            }
            // In a message backends may still be registered; a file has to say where they are.
            None if compiler.strictness == Strictness::File => {
                let message = format!("nothing says where `{}` is", name.value);
                let help =
                    "give the route its own `backends`, or describe the service under `services`"
                        .into();
                compiler.fault(name.place, "service.unknown", message, Some(help));
            }
            None => {}
        }
        None
    }

    /// Services of a file that no route leads to; a message warns of unknown keys alone.
    pub(super) fn tell_unused(&self, compiler: &mut Compiler<'_>) {
        if compiler.strictness == Strictness::Init {
            return;
        }
        let used = self.used.borrow();
        let unused = self
            .by_name
            .iter()
            .flatten()
            .filter(|(name, _)| !used.contains(*name));
        for (name, service) in unused {
            let message = format!("no route leads to the service `{name}`");
            compiler.report(
                Some(service.place),
                "service.unused",
                message,
                None,
                Severity::Warning,
            );
        }
    }
}

impl Service {
    fn read(compiler: &mut Compiler<'_>, raw: &RawService) -> Self {
        let mut versions = BTreeMap::new();
        for version in &raw.versions {
            match ApiVersion::parse(&version.name.value) {
                Err(fault) => {
                    compiler.fault(
                        version.name.place,
                        "version.invalid",
                        fault.to_string(),
                        None,
                    );
                }
                Ok(name) => {
                    if versions
                        .insert(name, ServiceVersion::read(compiler, version))
                        .is_some()
                    {
                        let message = format!("the version {name} stands there twice");
                        compiler.fault(version.name.place, "config.duplicate_key", message, None);
                    }
                }
            }
        }
        let backends = raw.backends.as_ref().map(|list| compiler.addresses(list));
        let upstream = raw.upstream.as_ref().map(|raw| {
            let of_versions = versions.values().filter_map(|v| v.backends.as_deref());
            let addresses = backends.as_deref().into_iter().chain(of_versions);
            upstream(compiler, raw, addresses.flatten())
        });
        Self {
            place: raw.name.place,
            backends,
            versions,
            upstream,
        }
    }
}

impl ServiceVersion {
    fn read(compiler: &mut Compiler<'_>, raw: &RawVersion) -> Self {
        let text = |at: &Option<At<String>>| at.as_ref().map(|at| at.value.clone());
        let (deprecated, sunset, link) =
            (text(&raw.deprecated), text(&raw.sunset), text(&raw.link));
        let deprecation =
            Deprecation::new(deprecated.as_deref(), sunset.as_deref(), link.as_deref());
        let deprecation = deprecation.unwrap_or_else(|fault| {
            let place = [&raw.link, &raw.sunset, &raw.deprecated]
                .into_iter()
                .flatten()
                .find(|at| fault.to_string().starts_with(&format!("{:?}", at.value)))
                .map_or(raw.name.place, |at| at.place);
            compiler.fault(place, "version.lifecycle", fault.to_string(), None);
            None
        });
        if deprecation.is_none() && link.is_some() && deprecated.is_none() && sunset.is_none() {
            let message = "a link says nothing without `deprecated` or `sunset`".into();
            compiler.fault(raw.name.place, "version.lifecycle", message, None);
        }
        Self {
            backends: raw.backends.as_ref().map(|list| compiler.addresses(list)),
            deprecation,
        }
    }
}
