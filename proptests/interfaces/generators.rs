//! Random requests: most are valid and match a route of the configuration; some are unusual.
//!
//! Left out, because an interface cannot express it or because the interfaces are known to differ:
//!
//! - In targets `"`, `<`, `>`, `#`, backquotes and bytes from 0x80 on: HTTP/2 resets a stream where
//!   the others respond, and stdio rejects `#`, which HTTP ignores. One grammar of targets for all
//!   interfaces is a change of its own.
//! - Blanks and control characters in a target: HTTP/1.1 and HTTP/2 reject the message before it is a
//!   request (RFC 9112, section 3).
//! - No `Host`, or two: HTTP rejects that as malformed (RFC 9112, section 3.2), while a message needs
//!   none.
//! - Hosts with a whole escape such as `a%41.test`: the `h2` crate, as a client and towards backends,
//!   has no authority with a `%`.
//! - `Upgrade`, `Expect` and `Trailer`: only a connection can change its protocol, and a message has
//!   no interim response and no trailers.
//! - `te` other than `trailers`, which HTTP/2 forbids (RFC 9113, section 8.2.2).
//! - `CONNECT`: HTTP rejects it while it reads the head, under the code of its codec.
//! - `content-type: application/grpc`: over HTTP a rejection is then a 200 with `grpc-status`.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::request::ClientRequest;

type Field = (String, String);

pub(crate) fn requests() -> impl Strategy<Value = ClientRequest> {
    prop_oneof![
        8 => ordinary(),
        6 => aimed(),
        2 => preflights(),
        2 => max_forwards(),
        1 => asterisks(),
    ]
    .prop_map(|mut request| {
        // The codecs keep the order of values of one name, and not that of names (RFC 9110, section
        // 5.3); a sentence may name the first of two fields that are wrong.
        let name = |(name, _): &Field| name.to_ascii_lowercase();
        request.fields.sort_by_cached_key(name);
        request
    })
}

/// Requests that each match a route whose constraints random requests seldom satisfy.
fn aimed() -> impl Strategy<Value = ClientRequest> {
    let aims = select(AIMS);
    (aims, ordinary()).prop_map(|((method, target, host, (name, value)), request)| {
        let mut request = ClientRequest {
            method: method.to_owned(),
            target: target.to_owned(),
            host: host.to_owned(),
            absolute: None,
            ..request
        };
        if !name.is_empty() {
            request = request.field(name, value);
        }
        request
    })
}

/// Method, target, host, and a further field; an empty name means no field.
type Aim = (
    &'static str,
    &'static str,
    &'static str,
    (&'static str, &'static str),
);

const AIMS: &[Aim] = &[
    ("GET", "/api/users/1?x", "a.test", ("Accept-Version", "v2")),
    (
        "GET",
        "/api/users/1",
        "a.test",
        ("Accept", "application/vnd.acme.v2+json"),
    ),
    ("POST", "/api/v1/users/1", "a.test", ("", "")),
    ("GET", "/dated", "a.test", ("Api-Version", "2026-01-31")),
    ("PUT", "/dated", "a.test", ("Api-Version", "2026-01-31")),
    ("PUT", "/orders/7", "a.test", ("", "")),
    ("POST", "/orders/7?a=b", "a.test", ("", "")),
    ("PATCH", "/orders/7", "a.test", ("", "")),
    ("DELETE", "/orders/a%2Fb", "a.test", ("", "")),
    ("HEAD", "/search?page=", "a.test", ("", "")),
    ("POST", "/upload", "a.test", ("", "")),
    ("GET", "/upload", "a.test", ("", "")),
    ("GET", "/moved/1?x=1", "a.test", ("", "")),
    ("POST", "/moved/1", "a.test", ("", "")),
    ("GET", "/tenant/1", "a.test", ("X-Tenant", "acme")),
    ("GET", "/host/1", "shop.test", ("", "")),
    ("GET", "/raw/a%2Fb/c", "a.test", ("", "")),
    ("PUT", "/cors/1", "a.test", ("", "")),
    ("POST", "/modern/1?x", "a.test", ("", "")),
];

fn ordinary() -> impl Strategy<Value = ClientRequest> {
    let parts = (
        methods(),
        targets(),
        absolutes(),
        hosts(),
        all_fields(),
        bodies(),
    );
    parts
        .prop_map(
            |(method, target, absolute, host, fields, (body, is_chunked))| {
                let has_body = method != "TRACE";
                ClientRequest {
                    absolute: absolute.filter(|_| target.starts_with('/') || method != "OPTIONS"),
                    method: method.to_owned(),
                    target,
                    host: host.to_owned(),
                    fields,
                    body: body.filter(|_| has_body),
                    is_chunked,
                }
            },
        )
        .prop_map(|request| match request.absolute {
            // Only an absolute form may have no path.
            None if !request.target.starts_with('/') => ClientRequest {
                target: format!("/{}", request.target),
                ..request
            },
            _ => request,
        })
}

/// CORS preflights, and requests that lack a part of one.
fn preflights() -> impl Strategy<Value = ClientRequest> {
    let origins = select(
        &[
            "https://app.test",
            "https://app.test ",
            "https://other.test",
            "null",
        ][..],
    );
    let asked = option::weighted(
        0.9,
        select(&["GET", "PUT", " PUT", "DELETE", "get", "HEAD"][..]),
    );
    let headers = option::of(select(&["x-a", " x-a, x-b ", "x-c", ""][..]));
    let parts = (ordinary(), origins, asked, headers);
    parts.prop_map(|(request, origin, asked, headers)| {
        let mut request = request.field("Origin", origin);
        if let Some(method) = asked {
            request = request.field("Access-Control-Request-Method", method);
        }
        if let Some(names) = headers {
            request = request.field("Access-Control-Request-Headers", names);
        }
        as_options(request)
    })
}

/// Requests with `Max-Forwards`.
fn max_forwards() -> impl Strategy<Value = ClientRequest> {
    let hops = select(&["0", "00", " 0 ", "1", "10", "-1", "x", ""][..]);
    let methods = select(&["OPTIONS", "OPTIONS", "TRACE", "GET"][..]);
    (ordinary(), hops, methods).prop_map(|(request, hops, method)| {
        let request = as_options(request.field("Max-Forwards", hops));
        ClientRequest {
            method: method.to_owned(),
            ..request
        }
    })
}

/// `*`, which stands for the whole server.
fn asterisks() -> impl Strategy<Value = ClientRequest> {
    let methods = select(&["OPTIONS", "OPTIONS", "OPTIONS", "GET", "options"][..]);
    (ordinary(), methods).prop_map(|(request, method)| ClientRequest {
        method: method.to_owned(),
        target: "*".to_owned(),
        absolute: None,
        ..request
    })
}

/// The request with the method `OPTIONS`: without a body, and with a path.
fn as_options(request: ClientRequest) -> ClientRequest {
    let is_pathless = !request.target.starts_with('/');
    ClientRequest {
        method: "OPTIONS".to_owned(),
        target: if is_pathless {
            "/".to_owned()
        } else {
            request.target
        },
        body: None,
        ..request
    }
}

fn methods() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => Just("GET"),
        4 => select(&["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"][..]),
        1 => select(&["TRACE", "PROPFIND", "M-SEARCH", "get", "Post", "a!#$%&'*+.^_|~9"][..]),
    ]
}

fn targets() -> impl Strategy<Value = String> {
    let path = prop_oneof![
        9 => (select(ROUTES), vec(segments(), 0..3)).prop_map(|(route, rest)| {
            [route.to_owned(), rest.concat()].concat()
        }),
        1 => vec(segments(), 0..4).prop_map(|rest| rest.concat()),
    ];
    (path, queries()).prop_map(|(path, query)| format!("{path}{query}"))
}

/// Prefixes of paths that match routes of the configuration.
const ROUTES: &[&str] = &[
    "/api/users",
    "/api/v1/users",
    "/api/v2/users",
    "/api/v3/users",
    "/dated",
    "/orders",
    "/empty",
    "/modern",
    "/tenant",
    "/search",
    "/host",
    "/cors",
    "/open",
    "/upload",
    "/rules",
    "/old",
    "/moved",
    "/strip",
    "/strip/some",
    "/shop",
    "/raw",
    "/raw/strip",
];

fn segments() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        5 => select(&["/1", "/a", "/a/b", "/"][..]),
        3 => select(ODD_SEGMENTS),
    ]
}

const ODD_SEGMENTS: &[&str] = &[
    "//x",
    "/./1",
    "/../1",
    "/..",
    "/.",
    "/%2e%2e/x",
    "/%2E",
    "/%7e%41",
    "/%2F",
    "/a%2fb",
    "/a%5Cb",
    "/..%2f..",
    "/%2e%2e%2f",
    "/%zz",
    "/%",
    "/%2",
    "/%00",
    "/%1f",
    "/%7F",
    "/%25",
    "/%252f",
    "/..;x",
    "/.;",
    "/a;b=c",
    "/a|b",
    "/a^b",
    "/{x}",
    "/\\",
    "/a+b",
    "/caf%c3%a9",
    "/%ff",
    "/*",
    "/a:b@c",
    "/~!$&'(),=",
];

fn queries() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just(""),
        3 => select(&[
            "?", "?page", "?page=1", "?p%61ge=2", "?x=1&page=", "?Page=1", "?a=%zz", "?a=%2F..//",
            "?{}|\\^`[]'", "?a=b+c&a=d", "??", "?http://b.test/",
        ][..]),
    ]
}

/// The scheme and the authority of targets in absolute form.
fn absolutes() -> impl Strategy<Value = Option<(String, String)>> {
    let schemes = select(&["http", "http", "HTTP", "https"][..]);
    let absolute = (schemes, hosts())
        // An absolute form without a host is malformed (RFC 9110, section 4.2.1).
        .prop_filter("a host", |(_, host)| !host.is_empty())
        .prop_map(|(scheme, host)| (scheme.to_owned(), host.to_owned()));
    option::weighted(0.1, absolute)
}

fn hosts() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => Just("a.test"),
        4 => select(&["shop.test", "www.shop.test", "catch.test"][..]),
        2 => select(ODD_HOSTS),
    ]
}

const ODD_HOSTS: &[&str] = &[
    "",
    "SHOP.Test",
    "shop.test.",
    "shop.test:80",
    "A.b.Shop.Test.:8443",
    "[::1]:8080",
    "127.0.0.1",
    "a_b.test",
    "x..shop.test",
    ".shop.test",
    "shop.test:",
    "-a.test",
    "xn--caf-dma.test",
    "shop.test:99999",
    "[::g]",
    "a.test:x",
    "~.test",
    "a.test:",
    "a.test:808080",
    "a.test,b.test",
    "user@a.test",
    "a%4.test",
    "[::1",
];

fn bodies() -> impl Strategy<Value = (Option<String>, bool)> {
    let body = prop_oneof![
        4 => Just(None),
        4 => "[a-z]{0,16}".prop_map(Some),
        1 => "[a-z]{17,40}".prop_map(Some),
    ];
    (body, any::<bool>()).prop_map(|(body, is_chunked)| {
        // A body without its length goes to the backend until it exceeds the limit; a message always
        // has its length, and is rejected at once.
        let is_short = body.as_ref().is_none_or(|body| body.len() <= 16);
        (body, is_chunked && is_short)
    })
}

fn all_fields() -> impl Strategy<Value = Vec<Field>> {
    let groups = (
        option::weighted(0.3, versions()),
        option::weighted(
            0.3,
            of(
                &["x-tenant"],
                &["acme", "beta", "b", "other", "Acme", "", " acme\t"],
            ),
        ),
        option::weighted(
            0.2,
            of(
                &["Origin"],
                &["https://app.test", "https://other.test", "null", ""],
            ),
        ),
        option::weighted(0.3, connection()),
        option::weighted(0.2, forwarding()),
        option::weighted(0.2, identity()),
        vec(end_to_end(), 0..3),
    );
    groups.prop_map(
        |(versions, tenant, origin, connection, forwarding, identity, others)| {
            let mut fields = versions.unwrap_or_default();
            fields.extend(tenant);
            fields.extend(origin);
            fields.extend(connection.unwrap_or_default());
            fields.extend(forwarding);
            fields.extend(identity);
            fields.extend(others);
            fields
        },
    )
}

/// Fields that state or prefer a version, also unreadable ones and those that disagree.
fn versions() -> impl Strategy<Value = Vec<Field>> {
    let names = [
        "Accept-Version",
        "accept-version",
        "X-API-Version",
        "Api-Version",
    ];
    let stated = of(
        &names,
        &[
            "v1",
            "v2",
            "2",
            "V2",
            " v2 ",
            "v9",
            "2026-01-31",
            "",
            "x",
            "v1, v2",
            "2026-02-30",
        ],
    );
    let preferred = of(
        &["Accept"],
        &[
            "application/vnd.acme.v2+json",
            "application/vnd.acme.v9+json, application/vnd.acme.v2+json;q=0.5",
            "application/vnd.acme.v1+json;q=0, */*",
            "text/html",
        ],
    );
    vec(prop_oneof![3 => stated, 1 => preferred], 1..3)
}

/// Fields of the connection, with some that `Connection` names.
fn connection() -> impl Strategy<Value = Vec<Field>> {
    let named = [
        "X-Hop",
        "x-hop, X-Other",
        "keep-alive, x-hop",
        "x-missing",
        "cookie",
        ",",
    ];
    let others = of(
        &[
            "X-Hop",
            "x-other",
            "Keep-Alive",
            "Proxy-Connection",
            "cookie",
        ],
        &["1", "timeout=5"],
    );
    (of(&["Connection"], &named), vec(others, 0..3)).prop_map(|(connection, others)| {
        let mut fields = vec![connection];
        let mut cookies = 0;
        fields.extend(others.into_iter().filter(|(name, _)| {
            cookies += usize::from(name == "cookie");
            name != "cookie" || cookies < 2
        }));
        fields
    })
}

/// Forwarding fields, as a client or a proxy before it sends them.
fn forwarding() -> impl Strategy<Value = Field> {
    let names = [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "Forwarded",
        "X_Forwarded_For",
        "X-Real-IP",
        "Via",
    ];
    of(
        &names,
        &[
            "9.9.9.9",
            "https",
            "evil.test",
            "for=9.9.9.9",
            "1.0 first, 1.1 second",
        ],
    )
}

/// Request ids and trace contexts.
fn identity() -> impl Strategy<Value = Field> {
    let traces = [
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "x",
    ];
    prop_oneof![
        of(&["X-Request-Id"], &["given", "a b", "", "{}", " given"]),
        of(&["traceparent"], &traces),
        of(&["tracestate"], &["a=1"]),
    ]
}

/// Fields that are forwarded unchanged, or edited by the rules of a route.
fn end_to_end() -> impl Strategy<Value = Field> {
    let names = [
        "X-Kept",
        "x-set",
        "X-Add",
        "X-Gone",
        "x-route",
        "Authorization",
        "Proxy-Authorization",
        "User-Agent",
        "Content-Type",
        "Range",
        "If-None-Match",
        "Accept-Encoding",
        "Accept-Language",
    ];
    let values = [
        "",
        "1",
        "a, b",
        " padded\t ",
        "text/plain; q=\"x\"",
        "\"quoted\\\"",
        "caf\u{e9}",
        "{\"a\": 1}",
    ];
    prop_oneof![
        8 => of(&names, &values),
        1 => Just(("TE".to_owned(), "trailers".to_owned())),
    ]
}

/// One of these names with one of these values.
fn of(names: &[&'static str], values: &[&'static str]) -> impl Strategy<Value = Field> + use<> {
    let pair = (select(names.to_vec()), select(values.to_vec()));
    pair.prop_map(|(name, value)| (name.to_owned(), value.to_owned()))
}
