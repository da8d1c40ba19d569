//! `redirect`, given a meaning.

use crate::config::compile::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::document::Place;
use crate::config::raw::policy::RawRedirect;
use crate::config::raw::{At, RawRoute};
use crate::engine::policy::Redirect;
use crate::engine::policy::redirect::RedirectError;
use crate::engine::routing::pattern::PathPattern;

/// The redirect of a route, which has nothing to send a request to beside it.
pub(super) fn redirect(
    compiler: &mut Compiler<'_>,
    raw: &RawRoute,
    redirect: &At<RawRedirect>,
    pattern: Option<&PathPattern>,
) -> Option<Redirect> {
    let upstream = raw.upstream.as_ref().map(|upstream| {
        let protocol = upstream.protocol.as_ref().map(|at| at.place);
        let tls = upstream.tls.as_ref().map(|at| at.place);
        let most = upstream.max_in_flight.as_ref().map(|at| at.place);
        protocol.or(tls).or(most).unwrap_or(raw.place)
    });
    let beside: [(&str, Option<Place>); 5] = [
        ("`service`", raw.service.as_ref().map(|at| at.place)),
        ("`backends`", raw.backends.as_ref().map(|at| at.place)),
        (
            "`strip_prefix`",
            raw.strip_prefix.as_ref().map(|at| at.place),
        ),
        (
            "`rewrite_prefix`",
            raw.rewrite_prefix.as_ref().map(|at| at.place),
        ),
        ("`protocol`, `tls` or `max_in_flight`", upstream),
    ];
    for (key, place) in beside {
        if let Some(place) = place {
            let message =
                format!("a route with `redirect` sends nothing upstream: {key} has no use");
            let help = Some("leave it out, or the redirect".into());
            compiler.fault(place, CODE, message, help);
        }
    }
    let to = redirect.value.to.as_ref()?;
    let status = redirect.value.status.as_ref();
    let status = status.map_or(Some(308), |text| status_of(compiler, text))?;
    Redirect::new(&to.value, status, pattern?)
        .map_err(|fault| {
            let help = match fault {
                RedirectError::NoRest(_) => {
                    Some("let the pattern end with /*, or write the target in full".into())
                }
                RedirectError::NotTarget(_)
                | RedirectError::TwoSlashes(_)
                | RedirectError::Character(_)
                | RedirectError::StarNotLast
                | RedirectError::Status(_) => None,
            };
            compiler.fault(to.place, CODE, fault.to_string(), help);
        })
        .ok()
}

fn status_of(compiler: &mut Compiler<'_>, text: &At<String>) -> Option<u16> {
    let known = Redirect::STATUSES.map(|status| status.to_string());
    let status = text.value.parse().ok();
    let status = status.filter(|status| Redirect::STATUSES.contains(status));
    if status.is_none() {
        let message = format!("`{}` is no status of a redirect", excerpt(&text.value));
        let help = Some(format!("write one of {}", known.join(", ")));
        compiler.fault(text.place, "config.value", message, help);
    }
    status
}

const CODE: &str = "route.redirect";
