//! Cross-origin resource sharing (the Fetch standard, section 3.2).
//!
//! A preflight asks about another request, and is decided as that one: the route may well not admit
//! `OPTIONS`. [`preflight`] reads it, admission routes the same head with [`Preflight::method`], and
//! if that is admitted and its route has a CORS policy, [`preflight_response`] responds. In any other
//! case the request is an `OPTIONS` like any other.
//!
//! An origin that is not allowed gets no error status: the response lacks the fields that the
//! browser needs, and the browser does the rest. A 403 would only break clients that send `Origin`
//! without being a page.

use std::time::Duration;

use crate::engine::routing::MethodSet;
use crate::engine::semantics::{Edits, Noted, ValueWriter};

/// Cross-origin requests that browsers may send to a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cors {
    /// The allowed origins; `*` alone allows any.
    pub origins: Vec<Box<str>>,
    /// The allowed methods; empty: those that the route admits.
    pub methods: Vec<Box<str>>,
    /// The allowed request fields; empty: those that a preflight asks for.
    pub headers: Vec<Box<str>>,
    /// The response fields that scripts may read.
    pub expose: Vec<Box<str>>,
    /// Whether requests may carry credentials. Not together with any origin.
    pub credentials: bool,
    /// How long a browser may cache the response to a preflight. Default: 10 minutes.
    pub max_age: Duration,
}

/// A preflight: a browser asks whether a page may send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preflight<'h> {
    /// The origin of the page.
    pub origin: &'h [u8],
    /// The method of the request that it would send: a token.
    pub method: &'h str,
    /// The names of the fields that it would send, as listed.
    pub headers: Option<&'h [u8]>,
}

/// The preflight that a request is, if it is one: `OPTIONS` with `Origin` and
/// `Access-Control-Request-Method`.
#[must_use]
pub fn preflight<'h>(method: &str, noted: &Noted<'h>) -> Option<Preflight<'h>> {
    if method != "OPTIONS" {
        return None;
    }
    let origin = noted.origin.only()?;
    let asked = noted
        .request_method
        .only()
        .filter(|asked| is_token(asked))?;
    let is_list = |list: &&[u8]| {
        list.split(|byte| *byte == b',')
            .all(|n| is_token(n.trim_ascii()))
    };
    Some(Preflight {
        origin,
        method: core::str::from_utf8(asked).ok()?,
        headers: noted.request_headers.only().filter(is_list),
    })
}

/// Adds the fields of the response to a preflight, whose status is 204.
///
/// `admitted` is what the route admits; it counts where the policy lists no methods.
pub fn preflight_response(
    edits: &mut Edits,
    cors: &Cors,
    preflight: &Preflight<'_>,
    admitted: &MethodSet,
) {
    if allow_origin(edits, cors, Some(preflight.origin)) {
        let has_any = |list: &[Box<str>]| list.iter().any(|name| &**name == "*");
        // With credentials the star is no wildcard, but a name (section 3.2.5).
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
            if let Some(asked) = preflight.headers {
                edits.set("access-control-allow-headers", asked);
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
    /// Replaces what the backend says of cross-origin requests in the edits of a response.
    ///
    /// `origin` is that of the request, if it has exactly one. Where the response depends on it,
    /// `Vary` says so even for a request without one, so that no cache gives one origin what was
    /// meant for another.
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

    /// What it does, in one sentence.
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

/// Whether the origin is allowed; adds the fields that say so.
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
    // As the client sent it, since the browser compares the bytes.
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

/// A token (RFC 9110, section 5.6.2).
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

    const QUESTION: [(&str, &str); 3] = [
        ("Origin", "https://a.test"),
        ("Access-Control-Request-Method", "PUT"),
        ("access-control-request-headers", "x-a, content-type"),
    ];

    #[test]
    fn preflights_are_told_apart() {
        let check = |method, headers: &[(&str, &str)], expected: Option<(&str, bool)>| {
            let noted = Noted::of(headers);
            let got = preflight(method, &noted);
            let got = got.map(|asked| (asked.method, asked.headers.is_some()));
            assert_eq!(got, expected, "{method} {headers:?}");
        };
        check("OPTIONS", &QUESTION, Some(("PUT", true)));
        check("OPTIONS", &QUESTION[..2], Some(("PUT", false)));
        check("OPTIONS", &QUESTION[1..], None);
        check("OPTIONS", &QUESTION[..1], None);
        check("GET", &QUESTION, None);
        let odd = (QUESTION[1].0, "P T");
        check("OPTIONS", &[QUESTION[0], odd], None);
        let odd = (QUESTION[2].0, "x-a, <b>");
        check(
            "OPTIONS",
            &[QUESTION[0], QUESTION[1], odd],
            Some(("PUT", false)),
        );
    }

    #[test]
    fn answers() {
        let check = |cors: &Cors, admitted: &MethodSet, expected: &[&str]| {
            let noted = Noted::of(&QUESTION[..]);
            let asked = preflight("OPTIONS", &noted).unwrap();
            let mut edits = Edits::new();
            preflight_response(&mut edits, cors, &asked, admitted);
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
