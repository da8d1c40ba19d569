//! What a route says of requests and of their paths, given a meaning.

use crate::config::compile::Compiler;
use crate::config::diagnostic::{did_you_mean, excerpt};
use crate::config::raw::{At, RawMatch, RawRoute, RawStrip};
use crate::engine::routing::constraint::{Constraint, ValueTest};
use crate::engine::routing::host::HostPattern;
use crate::engine::routing::method::{Method, MethodSet, STANDARD_METHODS};
use crate::engine::routing::pattern::PathPattern;
use crate::engine::routing::route::{RouteSpec, StripPrefix};
use crate::engine::routing::version::ApiVersion;

/// What a route says; none if it says nothing that could be matched. All faults are told. Which
/// service answers is for the caller to put in.
pub(super) fn spec(compiler: &mut Compiler<'_>, raw: &RawRoute) -> Option<RouteSpec> {
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
        service: String::new(),
        version,
        strip_prefix: match raw.strip_prefix.as_ref().map(|at| &at.value) {
            None if raw.rewrite_prefix.is_some() => StripPrefix::Literals,
            None | Some(RawStrip::Nothing) => StripPrefix::Nothing,
            Some(RawStrip::Literals) => StripPrefix::Literals,
            Some(RawStrip::Text(text)) => StripPrefix::Text(text.clone()),
        },
        rewrite_prefix: raw.rewrite_prefix.as_ref().map(|at| at.value.clone()),
        is_redirect: raw.redirect.is_some(),
        keeps_encoded_slashes: keeps.unwrap_or(false),
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
