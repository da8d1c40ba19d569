//! Cross-origin resource sharing (the Fetch standard, section 3.2).
//!
//! A preflight asks whether another request is allowed, and is routed as that request, since the
//! route may not admit `OPTIONS`. [`preflight`] reads it; admission routes the same head with
//! [`Preflight::method`]; if the route that admits it has a CORS policy, [`preflight_response`]
//! writes the response. In all other cases the request is handled as an ordinary `OPTIONS`.
//!
//! A disallowed origin gets no error status: the response lacks the fields that the browser
//! requires, so the browser blocks it. A 403 would only break clients other than browsers that send
//! `Origin`.

use std::time::Duration;

use crate::engine::routing::MethodSet;
use crate::engine::semantics::{Edits, KnownFields, ValueWriter};

/// Cross-origin requests that browsers may send to a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cors {
    /// The allowed origins; `*` alone allows any.
    pub origins: Vec<Box<str>>,
    /// The allowed methods; empty: the methods of the route.
    pub methods: Vec<Box<str>>,
    /// The allowed request fields; empty: those that the preflight lists.
    pub headers: Vec<Box<str>>,
    /// The response fields that scripts may read.
    pub expose: Vec<Box<str>>,
    /// Whether requests may carry credentials. Excludes the origin `*`.
    pub credentials: bool,
    /// How long a browser may cache the response to a preflight. Default: 10 minutes.
    pub max_age: Duration,
}

/// A preflight request of a browser, which asks whether a page may send another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preflight<'h> {
    /// The origin of the page.
    pub origin: &'h [u8],
    /// The method of that request: a token.
    pub method: &'h str,
    /// The field names of that request, as listed.
    pub headers: Option<&'h [u8]>,
}

/// Reads a preflight: `OPTIONS` with `Origin` and `Access-Control-Request-Method`. `None` for other
/// requests.
#[must_use]
pub(crate) fn preflight<'h>(method: &str, fields: &KnownFields<'h>) -> Option<Preflight<'h>> {
    if method != "OPTIONS" {
        return None;
    }
    let origin = fields.origin.only()?;
    let requested = fields
        .request_method
        .only()
        .filter(|method| is_token(method))?;
    let is_list = |list: &&[u8]| {
        list.split(|byte| *byte == b',')
            .all(|n| is_token(n.trim_ascii()))
    };
    Some(Preflight {
        origin,
        method: core::str::from_utf8(requested).ok()?,
        headers: fields.request_headers.only().filter(is_list),
    })
}

/// Adds the fields of the response to a preflight, whose status is 204.
///
/// `admitted` is the methods of the route, allowed if the policy lists none.
pub(crate) fn preflight_response(
    edits: &mut Edits,
    cors: &Cors,
    preflight: &Preflight<'_>,
    admitted: &MethodSet,
) {
    if allow_origin(edits, cors, Some(preflight.origin)) {
        let has_any = |list: &[Box<str>]| list.iter().any(|name| &**name == "*");
        // With credentials, `*` is a name and not a wildcard (section 3.2.5).
        let methods: &[Box<str>] = match admitted {
            MethodSet::Listed(listed) if cors.methods.is_empty() => listed,
            MethodSet::Listed(_) | MethodSet::Any => &cors.methods,
        };
        edits.set_with("access-control-allow-methods", |to| {
            if methods.is_empty() || cors.credentials && has_any(methods) {
                to.push(preflight.method.as_bytes());
            } else {
                push_list(to, methods);
            }
        });
        if cors.headers.is_empty() || cors.credentials && has_any(&cors.headers) {
            if let Some(requested) = preflight.headers {
                edits.set("access-control-allow-headers", requested);
            }
        } else {
            edits.set_with("access-control-allow-headers", |to| {
                push_list(to, &cors.headers);
            });
        }
        edits.set_with("access-control-max-age", |to| {
            to.push_decimal(cors.max_age.as_secs());
        });
    }
    let vary = b"origin, access-control-request-method, access-control-request-headers";
    edits.set("vary", vary);
}

impl Cors {
    /// Adds the CORS fields to the edits of a response, in place of those of the backend.
    ///
    /// `origin` is the `Origin` of the request; `None` unless it occurs exactly once. If the
    /// response depends on it, `Vary` lists it even for requests without one, so that no cache
    /// serves the response for one origin to another.
    pub fn on_response(&self, origin: Option<&[u8]>, edits: &mut Edits) {
        for name in OF_RESPONSES {
            edits.remove(name);
        }
        if !is_any(self) {
            edits.add("vary", b"origin");
        }
        if allow_origin(edits, self, origin) && !self.expose.is_empty() {
            edits.set_with("access-control-expose-headers", |to| {
                push_list(to, &self.expose);
            });
        }
    }

    /// What the policy does, in one sentence.
    pub(super) fn explain(&self) -> String {
        format!(
            "allows cross-origin requests from {}",
            self.origins.join(", ")
        )
    }
}

const OF_RESPONSES: [&str; 6] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
];

/// Whether the origin is allowed; if so, adds the fields that allow it.
fn allow_origin(edits: &mut Edits, cors: &Cors, origin: Option<&[u8]>) -> bool {
    if is_any(cors) {
        edits.set("access-control-allow-origin", b"*");
        return true;
    }
    let is_listed = |origin: &&[u8]| {
        let mut origins = cors.origins.iter();
        origins.any(|own| own.as_bytes().eq_ignore_ascii_case(origin))
    };
    let Some(origin) = origin.filter(is_listed) else {
        return false;
    };
    // Exactly as received, since the browser compares bytes.
    edits.set("access-control-allow-origin", origin);
    if cors.credentials {
        edits.set("access-control-allow-credentials", b"true");
    }
    true
}

fn is_any(cors: &Cors) -> bool {
    cors.origins.iter().any(|origin| &**origin == "*")
}

fn push_list(to: &mut ValueWriter<'_>, names: &[Box<str>]) {
    for (place, name) in names.iter().enumerate() {
        to.push(if place > 0 { b", " } else { b"" });
        to.push(name.as_bytes());
    }
}

/// Whether a text is a token (RFC 9110, section 5.6.2).
fn is_token(text: &[u8]) -> bool {
    let is_fit = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_fit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::semantics::tests::applied;

    fn cors(origins: &[&str], methods: &[&str], headers: &[&str], credentials: bool) -> Cors {
        let list = |texts: &[&str]| texts.iter().map(|&text| text.into()).collect();
        Cors {
            origins: list(origins),
            methods: list(methods),
            headers: list(headers),
            expose: list(&["x-total", "x-page"]),
            credentials,
            max_age: Duration::from_secs(600),
        }
    }

    const PREFLIGHT: [(&str, &str); 3] = [
        ("Origin", "https://a.test"),
        ("Access-Control-Request-Method", "PUT"),
        ("access-control-request-headers", "x-a, content-type"),
    ];

    #[test]
    fn preflights_are_recognised() {
        let check = |method, headers: &[(&str, &str)], expected: Option<(&str, bool)>| {
            let fields = KnownFields::of(headers);
            let got = preflight(method, &fields);
            let got = got.map(|it| (it.method, it.headers.is_some()));
            assert_eq!(got, expected, "{method} {headers:?}");
        };
        check("OPTIONS", &PREFLIGHT, Some(("PUT", true)));
        check("OPTIONS", &PREFLIGHT[..2], Some(("PUT", false)));
        check("OPTIONS", &PREFLIGHT[1..], None);
        check("OPTIONS", &PREFLIGHT[..1], None);
        check("GET", &PREFLIGHT, None);
        let invalid = (PREFLIGHT[1].0, "P T");
        check("OPTIONS", &[PREFLIGHT[0], invalid], None);
        let invalid = (PREFLIGHT[2].0, "x-a, <b>");
        check(
            "OPTIONS",
            &[PREFLIGHT[0], PREFLIGHT[1], invalid],
            Some(("PUT", false)),
        );
    }

    #[test]
    fn preflight_responses() {
        let check = |cors: &Cors, admitted: &MethodSet, expected: &[&str]| {
            let fields = KnownFields::of(&PREFLIGHT[..]);
            let preflight = preflight("OPTIONS", &fields).unwrap();
            let mut edits = Edits::new();
            preflight_response(&mut edits, cors, &preflight, admitted);
            let fields = applied::<[(&str, &str)]>(&edits, &[]).into_iter();
            let mut got: Vec<_> = fields
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            let vary =
                "vary: origin, access-control-request-method, access-control-request-headers";
            assert_eq!(got.pop().as_deref(), Some(vary));
            let expected: Vec<_> = expected
                .iter()
                .map(|line| format!("access-control-{line}"))
                .collect();
            assert_eq!(got, expected, "{cors:?}");
        };
        let listed = MethodSet::Listed(["GET", "PUT"].map(Into::into).into());
        check(
            &cors(&["*"], &[], &[], false),
            &MethodSet::Any,
            &[
                "allow-origin: *",
                "allow-methods: PUT",
                "allow-headers: x-a, content-type",
                "max-age: 600",
            ],
        );
        check(
            &cors(&["https://b.test", "HTTPS://A.test"], &[], &["x-b"], true),
            &listed,
            &[
                "allow-origin: https://a.test",
                "allow-credentials: true",
                "allow-methods: GET, PUT",
                "allow-headers: x-b",
                "max-age: 600",
            ],
        );
        check(
            &cors(&["https://a.test"], &["PATCH"], &["x-b", "x-c"], false),
            &listed,
            &[
                "allow-origin: https://a.test",
                "allow-methods: PATCH",
                "allow-headers: x-b, x-c",
                "max-age: 600",
            ],
        );
        check(
            &cors(&["https://a.test"], &["*"], &["*"], true),
            &listed,
            &[
                "allow-origin: https://a.test",
                "allow-credentials: true",
                "allow-methods: PUT",
                "allow-headers: x-a, content-type",
                "max-age: 600",
            ],
        );
        check(&cors(&["https://b.test"], &[], &[], true), &listed, &[]);
    }

    #[test]
    fn responses() {
        let check = |origins: &[&str], credentials, origin: Option<&str>, expected: &[&str]| {
            let upstream = [
                ("Access-Control-Allow-Origin", "*"),
                ("Access-Control-Expose-Headers", "x-secret"),
                ("Vary", "accept"),
            ];
            let mut edits = Edits::new();
            let origin = origin.map(str::as_bytes);
            cors(origins, &[], &[], credentials).on_response(origin, &mut edits);
            let fields = applied(&edits, &upstream[..]).into_iter();
            let got: Vec<_> = fields
                .map(|(name, value)| format!("{}: {value}", name.replace("access-control-", "")))
                .collect();
            assert_eq!(got, expected, "{origins:?} {origin:?}");
        };
        let any = [
            "vary: accept",
            "allow-origin: *",
            "expose-headers: x-total, x-page",
        ];
        check(&["*"], false, Some("https://a.test"), &any);
        check(&["*"], true, None, &any);
        let none = ["vary: accept", "vary: origin"];
        check(&["https://a.test"], true, None, &none);
        check(
            &["https://a.test"],
            true,
            Some("https://a.test.evil"),
            &none,
        );
        check(&["https://a.test"], true, Some("null"), &none);
        check(
            &["https://a.test"],
            true,
            Some("https://a.test"),
            &[
                "vary: accept",
                "vary: origin",
                "allow-origin: https://a.test",
                "allow-credentials: true",
                "expose-headers: x-total, x-page",
            ],
        );
    }
}
