//! `services`: their versions and backends.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::config::compile::backends::{addresses, upstream};
use crate::config::compile::compiler::Compiler;
use crate::config::diagnostic::{Severity, did_you_mean};
use crate::config::keys::{RawService, RawVersion};
use crate::config::place::{At, Place};
use crate::config::read::Strictness;
use crate::engine::policy::Deprecation;
use crate::engine::routing::ApiVersion;
use crate::engine::upstream::{Address, Upstream};

/// The services of a configuration.
pub(super) struct Services {
    /// `None` without the key `services`.
    by_name: Option<HashMap<String, Service>>,
}

/// One service.
pub(super) struct Service {
    place: Place,
    pub(super) backends: Option<Arc<[Address]>>,
    pub(super) versions: BTreeMap<ApiVersion, ServiceVersion>,
    /// How its backends are reached; `None` for the defaults.
    pub(super) upstream: Option<Arc<Upstream>>,
}

/// One version of a service.
#[derive(Default)]
pub(super) struct ServiceVersion {
    pub(super) backends: Option<Arc<[Address]>>,
    pub(super) deprecation: Option<Arc<Deprecation>>,
}

impl Services {
    /// Compiles `services`.
    pub(super) fn compile(
        compiler: &mut Compiler<'_>,
        raw: Option<&[(At<String>, RawService)]>,
    ) -> Self {
        let by_name = raw.map(|services| {
            let mut by_name = HashMap::with_capacity(services.len());
            for (name, raw) in services {
                let service = Service::compile(compiler, name, raw);
                by_name.insert(name.value.clone(), service);
            }
            by_name
        });
        Self { by_name }
    }

    /// The service of a route. Reports a service that is not defined, unless the route
    /// `has_backends`.
    pub(super) fn find(
        &self,
        compiler: &mut Compiler<'_>,
        name: &At<String>,
        has_backends: bool,
    ) -> Option<&Service> {
        let services = self.by_name.as_ref();
        let found = services.and_then(|services| services.get(&name.value));
        if found.is_some() || has_backends {
            return found;
        }
        const FIX: &str = "define it under `services`, or give the route its own `backends`";
        let help = match services {
            Some(services) => {
                match did_you_mean(&name.value, services.keys().map(String::as_str)) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => FIX.into(),
                }
            }
            None if compiler.strictness == Strictness::File => FIX.into(),
            // Backends may still be registered for a service of an `init` message.
            None => return None,
        };
        let message = format!("service `{}` is not defined", name.value);
        compiler.error(name.place, "service.unknown", message, Some(help));
        None
    }

    /// Warns of services in a file that are not in `used`.
    pub(super) fn report_unused(&self, compiler: &mut Compiler<'_>, used: &HashSet<&str>) {
        if compiler.strictness == Strictness::Init {
            return;
        }
        let services = self.by_name.iter().flatten();
        for (name, service) in services.filter(|(name, _)| !used.contains(name.as_str())) {
            let message = format!("no route uses service `{name}`");
            let severity = Severity::Warning;
            compiler.report(service.place, "service.unused", message, None, severity);
        }
    }
}

impl Service {
    fn compile(compiler: &mut Compiler<'_>, name: &At<String>, raw: &RawService) -> Self {
        let mut versions = BTreeMap::new();
        for (name, raw) in raw.versions.iter().flatten() {
            let version = match ApiVersion::parse(&name.value) {
                Ok(version) => version,
                Err(error) => {
                    compiler.error(name.place, "version.invalid", error.to_string(), None);
                    continue;
                }
            };
            let compiled = ServiceVersion::compile(compiler, name, raw);
            if versions.insert(version, compiled).is_some() {
                let message = format!("version `{version}` is listed twice");
                let help = Some("remove one".into());
                compiler.error(name.place, "config.duplicate_key", message, help);
            }
        }
        let backends = raw.backends.as_ref();
        let backends = backends.map(|list| addresses(compiler, list));
        let upstream = raw.upstream.as_ref().map(|raw| {
            let of_versions = versions.values().filter_map(|v| v.backends.as_deref());
            let addresses = backends.as_deref().into_iter().chain(of_versions);
            upstream(compiler, raw, addresses.flatten())
        });
        Self {
            place: name.place,
            backends,
            versions,
            upstream,
        }
    }
}

impl ServiceVersion {
    fn compile(compiler: &mut Compiler<'_>, name: &At<String>, raw: &RawVersion) -> Self {
        let backends = raw.backends.as_ref();
        Self {
            backends: backends.map(|list| addresses(compiler, list)),
            deprecation: deprecation(compiler, name, raw),
        }
    }
}

fn deprecation(
    compiler: &mut Compiler<'_>,
    name: &At<String>,
    raw: &RawVersion,
) -> Option<Arc<Deprecation>> {
    let text = |at: &Option<At<String>>| at.as_ref().map(|at| at.value.clone());
    let (deprecated, sunset, link) = (text(&raw.deprecated), text(&raw.sunset), text(&raw.link));
    if link.is_some() && deprecated.is_none() && sunset.is_none() {
        let message = "`link` has no effect without `deprecated` or `sunset`";
        let help = Some("add one of them, or remove `link`".into());
        compiler.error(name.place, "version.lifecycle", message, help);
    }
    let announced = Deprecation::new(deprecated.as_deref(), sunset.as_deref(), link.as_deref());
    announced.unwrap_or_else(|error| {
        let place = [&raw.link, &raw.sunset, &raw.deprecated]
            .into_iter()
            .flatten()
            .find(|at| error.to_string().starts_with(&format!("{:?}", at.value)))
            .map_or(name.place, |at| at.place);
        compiler.error(place, "version.lifecycle", error.to_string(), None);
        None
    })
}
