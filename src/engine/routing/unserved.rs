//! The rejection of a request that no route entry serves, found by a second walk.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::engine::request::Headers;
use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::method::{Method, STANDARD_METHODS};
use crate::engine::routing::rejection::Rejection;
use crate::engine::routing::walk::{Verdict, Walk};
use crate::engine::routing::winner::{Found, stated, versions, winner};

/// The rejection, 400 or 405, of a request that no entry serves; `None` for a 404, if no entry
/// matches its host, path, headers and query.
#[cold]
pub(crate) fn rejection<H: Headers + ?Sized>(walk: &Walk<'_, '_, H>) -> Option<Rejection<'static>> {
    let mut matching: Vec<RouteEntry> = Vec::new();
    // The entries before which no fence stands: the rejection lists their versions.
    let mut unfenced: Vec<RouteEntry> = Vec::new();
    let mut serves_other_method = false;
    let walked = walk.each_entry(|visited, verdict| {
        match verdict {
            Verdict::Header(_) | Verdict::Query(_) => return ControlFlow::Continue(()),
            Verdict::Fenced
            | Verdict::Version { fenced: true }
            | Verdict::Method { fenced: true, .. } => {}
            Verdict::Method { serves_version, .. } => {
                serves_other_method |= serves_version;
                unfenced.push(*visited.entry);
            }
            Verdict::Serves(_)
            | Verdict::Version { fenced: false }
            | Verdict::Conflict(_)
            | Verdict::Required => unfenced.push(*visited.entry),
        }
        matching.push(*visited.entry);
        ControlFlow::Continue(())
    });
    if let Err(rejection) = walked {
        return Some(*rejection);
    }
    if serves_other_method {
        return Some(match allow(walk, &matching) {
            Ok(allow) => Rejection::MethodNotAllowed {
                method: walk.method.as_str().into(),
                allow,
            },
            Err(rejection) => *rejection,
        });
    }
    (!matching.is_empty()).then(|| unsupported(walk, &unfenced))
}

/// The methods with which the request would be admitted, found by walking with each of them. If an
/// encoded slash rejects all of them, the rejection for it.
fn allow<H: Headers + ?Sized>(
    walk: &Walk<'_, '_, H>,
    matching: &[RouteEntry],
) -> Result<Vec<String>, Box<Rejection<'static>>> {
    let mut methods: BTreeSet<&str> = BTreeSet::new();
    for entry in matching {
        let listed = walk.route(entry).methods().as_listed();
        methods.extend(listed.iter().map(|method| &**method));
        if listed.is_empty() {
            methods.extend(STANDARD_METHODS);
        } else if listed.iter().any(|method| **method == *"GET") {
            methods.insert("HEAD");
        }
    }
    let mut admitted = Vec::new();
    let mut rejected = None;
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
            Err(rejection) if matches!(*rejection, Rejection::EncodedSlash(_)) => {
                rejected = Some(rejection);
            }
            Err(_) => {}
        }
    }
    match rejected {
        Some(rejection) if admitted.is_empty() => Err(rejection),
        _ => Ok(admitted),
    }
}

fn unsupported<H: Headers + ?Sized>(
    walk: &Walk<'_, '_, H>,
    unfenced: &[RouteEntry],
) -> Rejection<'static> {
    let available = versions(unfenced);
    match stated(walk) {
        Some((stated, _)) => Rejection::VersionUnsupported { stated, available },
        None => Rejection::VersionRequired { available },
    }
}
