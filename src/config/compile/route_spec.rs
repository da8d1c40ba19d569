//! What a route states about requests and their paths.

use crate::config::compile::compiler::Compiler;
use crate::config::compile::constraints;
use crate::config::diagnostic::did_you_mean;
use crate::config::keys::RawRoute;
use crate::config::read::Either;
use crate::engine::routing::method::STANDARD_METHODS;
use crate::engine::routing::{
    ApiVersion, HostPattern, Method, MethodSet, PathPattern, RouteSpec, StripPrefix,
};

/// The match and the path rules of a route; `None` without a valid pattern. The caller sets the
/// service.
pub(super) fn spec(compiler: &mut Compiler<'_>, raw: &RawRoute) -> Option<RouteSpec> {
    let pattern = raw.path_pattern.as_ref().and_then(|text| {
        let report =
            |error| compiler.error(text.place, "route.path_pattern", format!("{error}"), None);
        PathPattern::parse(&text.value).map_err(report).ok()
    });
    let version = raw.version.as_ref().and_then(|text| {
        let report =
            |error| compiler.error(text.place, "version.invalid", format!("{error}"), None);
        ApiVersion::parse(&text.value).map_err(report).ok()
    });
    let hosts = hosts(compiler, raw);
    let methods = methods(compiler, raw);
    let headers = constraints::headers(compiler, raw.headers.as_deref().unwrap_or_default());
    let query = constraints::query(compiler, raw.query.as_deref().unwrap_or_default());
    Some(RouteSpec {
        name: raw.name.as_ref().map(|name| name.value.clone()),
        pattern: pattern?,
        hosts,
        methods,
        headers,
        query,
        service: String::new(),
        version,
        strip_prefix: strip_prefix(raw),
        rewrite_prefix: raw.rewrite_prefix.as_ref().map(|at| at.value.clone()),
        is_redirect: raw.redirect.is_some(),
        keeps_encoded_slashes: raw.encoded_slashes.unwrap_or(false),
    })
}

fn strip_prefix(raw: &RawRoute) -> StripPrefix {
    match raw.strip_prefix.as_ref().map(|at| &at.value) {
        None if raw.rewrite_prefix.is_some() => StripPrefix::Literals,
        None | Some(Either::First(false)) => StripPrefix::Nothing,
        Some(Either::First(true)) => StripPrefix::Literals,
        Some(Either::Second(text)) => StripPrefix::Text(text.value.clone()),
    }
}

fn hosts(compiler: &mut Compiler<'_>, raw: &RawRoute) -> Vec<HostPattern> {
    let Some(list) = &raw.hosts else {
        return Vec::new();
    };
    if list.value.is_empty() {
        let message = "an empty list of hosts admits no request";
        let help = Some("remove `hosts` to admit any host".into());
        compiler.error(list.place, "route.hosts", message, help);
    }
    let mut hosts: Vec<HostPattern> = Vec::new();
    for text in &list.value {
        match HostPattern::parse(&text.value) {
            Ok(host) if hosts.contains(&host) => {
                let message = format!("host `{host}` is listed twice");
                let help = Some("remove one".into());
                compiler.error(text.place, "route.hosts", message, help);
            }
            Ok(host) => hosts.push(host),
            Err(error) => compiler.error(text.place, "route.hosts", error.to_string(), None),
        }
    }
    hosts
}

fn methods(compiler: &mut Compiler<'_>, raw: &RawRoute) -> MethodSet {
    let Some(list) = &raw.methods else {
        return MethodSet::Any;
    };
    if list.value.is_empty() {
        let message = "an empty list of methods admits no request";
        let help = Some("remove `methods` to admit any method".into());
        compiler.error(list.place, "route.methods", message, help);
    }
    let mut methods: Vec<Method<'_>> = Vec::new();
    for text in &list.value {
        match Method::parse(&text.value) {
            Ok(method) if methods.contains(&method) => {
                let message = format!("method `{}` is listed twice", method.as_str());
                let help = Some("remove one".into());
                compiler.error(text.place, "route.methods", message, help);
            }
            Ok(method) => {
                if let Some(meant) = misspelt_method(method.as_str()) {
                    let message = format!(
                        "unknown method `{}`; methods are case-sensitive",
                        method.as_str()
                    );
                    let help = Some(format!("did you mean `{meant}`?"));
                    compiler.error(text.place, "route.methods", message, help);
                }
                methods.push(method);
            }
            Err(error) => compiler.error(text.place, "route.methods", error.to_string(), None),
        }
    }
    if methods.is_empty() {
        MethodSet::Any
    } else {
        MethodSet::listed(methods)
    }
}

/// The standard method that a method probably means: the same in another case, or a close one.
fn misspelt_method(method: &str) -> Option<&'static str> {
    let upper = method.to_ascii_uppercase();
    let same = STANDARD_METHODS.into_iter().find(|known| *known == upper);
    let close = || did_you_mean(&upper, STANDARD_METHODS).filter(|known| known.len() > 3);
    same.or_else(close).filter(|meant| *meant != method)
}
