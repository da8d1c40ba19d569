//! Why no route entry serves a request: a second walk finds the rejection.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::engine::request::Headers;

use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::method::{Method, STANDARD_METHODS};
use crate::engine::routing::rejection::Rejection;
use crate::engine::routing::walk::{Verdict, Walk};
use crate::engine::routing::winner::{Found, stated, versions, winner};

/// The refusal for a request that no entry serves: 400 or 405; none if nothing is there, a 404.
#[cold]
pub(crate) fn rejection<H: Headers + ?Sized>(walk: &Walk<'_, '_, H>) -> Option<Rejection<'static>> {
    let mut there: Vec<RouteEntry> = Vec::new();
    // Those that a version of another route does not fence off: their versions are told.
    let mut open: Vec<RouteEntry> = Vec::new();
    let mut else_serves = false;
    let surveyed = walk.each_entry(|visited, verdict| {
        match verdict {
            Verdict::Header(_) | Verdict::Query(_) => return ControlFlow::Continue(()),
            Verdict::Fenced
            | Verdict::Version { fenced: true }
            | Verdict::Method { fenced: true, .. } => {}
            Verdict::Method { serves_version, .. } => {
                else_serves |= serves_version;
                open.push(*visited.entry);
            }
            Verdict::Serves(_)
            | Verdict::Version { fenced: false }
            | Verdict::Conflict(_)
            | Verdict::Required => open.push(*visited.entry),
        }
        there.push(*visited.entry);
        ControlFlow::Continue(())
    });
    if let Err(halted) = surveyed {
        return Some(*halted);
    }
    if else_serves {
        return Some(match allow(walk, &there) {
            Ok(allow) => Rejection::MethodNotAllowed {
                method: walk.method.as_str().into(),
                allow,
            },
            Err(reject) => *reject,
        });
    }
    (!there.is_empty()).then(|| unsupported(walk, &open))
}

/// The methods with which the same request would be admitted: each is tried. If an encoded slash
/// keeps all of them out, it is not the method that is wrong, and the refusal says so.
fn allow<H: Headers + ?Sized>(
    walk: &Walk<'_, '_, H>,
    there: &[RouteEntry],
) -> Result<Vec<String>, Box<Rejection<'static>>> {
    let mut methods: BTreeSet<&str> = BTreeSet::new();
    for entry in there {
        let listed = walk.route(entry).methods().as_listed();
        methods.extend(listed.iter().map(|method| &**method));
        if listed.is_empty() {
            methods.extend(STANDARD_METHODS);
        } else if listed.iter().any(|method| **method == *"GET") {
            methods.insert("HEAD");
        }
    }
    let mut admitted = Vec::new();
    let mut refused = None;
    for name in methods {
        let Ok(method) = Method::parse(name) else {
            continue;
        };
        if walk.path == "*" && method.as_str() != "OPTIONS" {
            continue;
        }
        match winner(&Walk { method, ..*walk }) {
            Ok(Found::Winner(..)) => admitted.push(name.into()),
            Ok(Found::Nothing { .. }) => {}
            Err(reject) if matches!(*reject, Rejection::EncodedSlash(_)) => refused = Some(reject),
            Err(_) => {}
        }
    }
    match refused {
        Some(reject) if admitted.is_empty() => Err(reject),
        _ => Ok(admitted),
    }
}

fn unsupported<H: Headers + ?Sized>(
    walk: &Walk<'_, '_, H>,
    there: &[RouteEntry],
) -> Rejection<'static> {
    let exist = versions(there);
    match stated(walk) {
        Some((stated, _)) => Rejection::VersionUnsupported { stated, exist },
        None => Rejection::VersionRequired { exist },
    }
}
