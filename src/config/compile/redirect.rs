//! `redirect`.

use crate::config::compile::compiler::Compiler;
use crate::config::keys::{RawRedirect, RawRoute};
use crate::config::place::{At, Place};
use crate::config::read::Either;
use crate::engine::policy::{Redirect, RedirectError};
use crate::engine::routing::PathPattern;

/// The redirect of a route. Reports keys of the route that have no effect beside it.
pub(super) fn redirect(
    compiler: &mut Compiler<'_>,
    raw: &RawRoute,
    redirect: &Either<At<String>, RawRedirect>,
    pattern: Option<&PathPattern>,
) -> Option<Redirect> {
    for (key, place) in keys_without_effect(raw) {
        let message = format!("`{key}` has no effect on a route with `redirect`");
        let help = Some(format!("remove `{key}`, or `redirect`"));
        compiler.error(place, CODE, message, help);
    }
    let (to, status) = match redirect {
        Either::First(to) => (to, None),
        Either::Second(redirect) => (redirect.to.as_ref()?, redirect.status),
    };
    Redirect::new(&to.value, status.unwrap_or(308), pattern?)
        .map_err(|error| {
            let help = match error {
                RedirectError::NoRest(_) => {
                    Some("let the pattern end with /*, or write the target in full".into())
                }
                RedirectError::NotTarget(_)
                | RedirectError::TwoSlashes(_)
                | RedirectError::Character(_)
                | RedirectError::StarNotLast
                | RedirectError::Status(_) => None,
            };
            compiler.error(to.place, CODE, error.to_string(), help);
        })
        .ok()
}

/// The keys about forwarding that a route states.
fn keys_without_effect(raw: &RawRoute) -> impl Iterator<Item = (&'static str, Place)> {
    let upstream = raw.upstream.as_deref();
    let keys = [
        ("service", raw.service.as_ref().map(|at| at.place)),
        ("backends", raw.backends.as_ref().map(|at| at.place)),
        ("strip_prefix", raw.strip_prefix.as_ref().map(|at| at.place)),
        (
            "rewrite_prefix",
            raw.rewrite_prefix.as_ref().map(|at| at.place),
        ),
        (
            "protocol",
            upstream.and_then(|keys| Some(keys.protocol.as_ref()?.place)),
        ),
        (
            "tls",
            upstream.and_then(|keys| Some(keys.tls.as_ref()?.place)),
        ),
        (
            "max_in_flight",
            upstream.and_then(|keys| Some(keys.max_in_flight.as_ref()?.place)),
        ),
    ];
    keys.into_iter()
        .filter_map(|(key, place)| Some((key, place?)))
}

const CODE: &str = "route.redirect";
