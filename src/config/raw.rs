//! The configuration file as plain data: every key of the schema, each with its place.
//!
//! [`read`] checks the shape, and reports all that is wrong with it at once: unknown and duplicate
//! keys, wrong types, missing keys. It gives no string a meaning: whether a pattern, a version or an
//! address is one, and whether names agree, is for the compiler of the table to say.

use crate::config::diagnostic::Faults;
use crate::config::document::{Document, Place};
use crate::config::raw::policy::{
    DEFAULTS, RawPolicy, RawRedirect, RawUpstream, policy, redirect, upstream,
};
use crate::config::raw::serve::{RawServe, SERVE_KEYS, serve};
use crate::config::raw::service::{RawService, service};
use crate::config::reader::{Reader, Shape};

pub mod policy;
pub mod serve;
pub mod service;

/// A value and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stood in its document.
    pub place: Place,
}

/// A configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawTable {
    /// `routes`; an empty list is a table without routes, no list is no statement about them.
    pub routes: Option<Vec<RawRoute>>,
    /// `services`, in the order of the file.
    pub services: Option<Vec<RawService>>,
    /// `versioning`.
    pub versioning: RawVersioning,
    /// `defaults`: what all routes say, unless they say otherwise.
    pub defaults: Option<Box<RawPolicy>>,
    /// What is of the process; nothing of an `init` message.
    pub serve: RawServe,
}

/// An element of `routes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRoute {
    /// The whole route.
    pub place: Place,
    /// Its own name; without it the name is made of what the route says.
    pub name: Option<At<String>>,
    /// What paths it matches. If absent, a fault has said so.
    pub path_pattern: Option<At<String>>,
    /// The service that answers. If absent beside no redirect, a fault has said so.
    pub service: Option<At<String>>,
    /// The version of the service that answers.
    pub version: Option<At<String>>,
    /// Addresses that belong to this route alone.
    pub backends: Option<At<Vec<At<String>>>>,
    /// Host patterns; any host without it.
    pub hosts: Option<At<Vec<At<String>>>>,
    /// Methods; any method without it.
    pub methods: Option<At<Vec<At<String>>>>,
    /// Header constraints, in the order of the file.
    pub headers: Vec<(At<String>, At<RawMatch>)>,
    /// Query constraints, in the order of the file.
    pub query: Vec<(At<String>, At<RawMatch>)>,
    /// What is taken off the path before it is forwarded.
    pub strip_prefix: Option<At<RawStrip>>,
    /// What stands in its place.
    pub rewrite_prefix: Option<At<String>>,
    /// `keep`, or a fault for the compiler to find.
    pub encoded_slashes: Option<At<String>>,
    /// Where clients are sent in place of a service.
    pub redirect: Option<Box<At<RawRedirect>>>,
    /// How its own backends are spoken to.
    pub upstream: Option<Box<RawUpstream>>,
    /// What it says beside; most routes say nothing.
    pub policy: Option<Box<RawPolicy>>,
}

/// What a header or a query parameter must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawMatch {
    /// `"x"`: just this.
    Exact(String),
    /// `{present: true}`: anything, but there.
    Present,
    /// `{prefix: "x"}`: something that begins so.
    Prefix(String),
}

/// What `strip_prefix` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawStrip {
    /// `false`, as is the default.
    Nothing,
    /// `true`: the pattern's literal segments before its first parameter or `*`.
    Literals,
    /// A string: itself.
    Text(String),
}

/// `versioning`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawVersioning {
    /// What a request gets that states no version.
    pub default: Option<At<String>>,
    /// The places of a request where a version is looked for.
    pub from: Option<At<Vec<At<String>>>>,
    /// Whether families derive forms.
    pub derive: Option<At<bool>>,
}

/// How unknown keys, unbuilt features and nulls are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// In a file they are errors.
    File,
    /// In an `init` message the first two are warnings, and a null is a key left out.
    Init,
}

/// Reads the whole document. The table holds what could be
/// read, so its meaning can be checked too, but it may be used only if no fault is an error.
pub fn read(doc: &Document, strictness: Strictness) -> (RawTable, Faults) {
    let mut reader = Reader::new(doc, strictness);
    let table = table(&mut reader, Place::ROOT).unwrap_or_default();
    (table, reader.finish())
}

/// The keys of the file itself.
pub(super) const TABLE: Shape<12> = Shape {
    what: "the configuration",
    keys: [
        "routes",
        "services",
        "versioning",
        "defaults",
        "listen",
        "admin",
        "workers",
        "trusted_proxies",
        "access_log",
        "drain_timeout",
        "limits",
        "via",
    ],
    not_built: &[],
    example: "{routes: [{path_pattern: /api/users/*, service: users-service}]}",
};

/// The keys of a route.
pub(super) const ROUTE: Shape<27> = Shape {
    what: "a route",
    keys: [
        "name",
        "path_pattern",
        "service",
        "version",
        "backends",
        "hosts",
        "methods",
        "headers",
        "query",
        "strip_prefix",
        "rewrite_prefix",
        "encoded_slashes",
        "redirect",
        "protocol",
        "tls",
        "max_in_flight",
        "timeout",
        "try_timeout",
        "connect_timeout",
        "idle_timeout",
        "max_duration",
        "retry",
        "max_body",
        "host",
        "request_headers",
        "response_headers",
        "cors",
    ],
    not_built: &["rate_limit"],
    example: "{path_pattern: /api/users/*, service: users-service}",
};

/// The keys of `versioning`.
pub(super) const VERSIONING: Shape<3> = Shape {
    what: "`versioning`",
    keys: ["default", "from", "derive"],
    not_built: &[],
    example: "{default: oldest}",
};

/// The keys of a header or query constraint that is not just a text.
pub(super) const MATCH: Shape<2> = Shape {
    what: "a constraint",
    keys: ["present", "prefix"],
    not_built: &[],
    example: "{present: true}",
};

fn table(reader: &mut Reader<'_>, place: Place) -> Option<RawTable> {
    let [routes, services, versioning, defaults, of_process @ ..] = reader.fields(place, &TABLE)?;
    let of_process = reader.of_process(of_process, SERVE_KEYS);
    Some(RawTable {
        routes: routes.and_then(|place| {
            let form = "[{path_pattern: /api/users/*, service: users-service}]";
            let items = reader.items(place, "a list of routes", form)?;
            let mut routes = Vec::with_capacity(items.len());
            routes.extend(items.into_iter().filter_map(|item| route(reader, item)));
            Some(routes)
        }),
        services: services.and_then(|place| {
            let form = "{users-service: {backends: [\"users-1:8080\"]}}";
            let entries = reader.entries(place, "a map from names to services", form)?;
            let services = entries.into_iter();
            Some(
                services
                    .filter_map(|(name, place)| service(reader, name, place))
                    .collect(),
            )
        }),
        versioning: versioning
            .and_then(|place| self::versioning(reader, place))
            .unwrap_or_default(),
        defaults: defaults.and_then(|place| {
            let fields = reader.fields(place, &DEFAULTS)?;
            policy(reader, fields)
        }),
        serve: serve(reader, of_process),
    })
}

fn route(reader: &mut Reader<'_>, place: Place) -> Option<RawRoute> {
    let [
        name,
        path_pattern,
        service,
        version,
        backends,
        hosts,
        methods,
        headers,
        query,
        strip_prefix,
        rewrite_prefix,
        encoded_slashes,
        redirect,
        protocol,
        tls,
        max_in_flight,
        policy @ ..,
    ] = reader.fields(place, &ROUTE)?;
    let answers = service.or(redirect);
    for (key, found) in [("`path_pattern`", path_pattern), ("`service`", answers)] {
        if found.is_none() {
            reader.missing(place, &ROUTE, key);
        }
    }
    Some(RawRoute {
        place,
        name: name.and_then(|place| reader.text(place)),
        path_pattern: path_pattern.and_then(|place| reader.plain_text(place)),
        service: service.and_then(|place| reader.text(place)),
        version: version.and_then(|place| reader.text(place)),
        backends: backends.and_then(|place| reader.texts(place)),
        hosts: hosts.and_then(|place| reader.texts(place)),
        methods: methods.and_then(|place| reader.texts(place)),
        headers: headers
            .map(|place| constraints(reader, place, "x-tenant"))
            .unwrap_or_default(),
        query: query
            .map(|place| constraints(reader, place, "page"))
            .unwrap_or_default(),
        strip_prefix: strip_prefix.and_then(|place| reader.strip(place)),
        rewrite_prefix: rewrite_prefix.and_then(|place| reader.plain_text(place)),
        encoded_slashes: encoded_slashes.and_then(|place| reader.plain_text(place)),
        redirect: redirect
            .and_then(|place| self::redirect(reader, place))
            .map(Box::new),
        upstream: upstream(reader, [protocol, tls, max_in_flight]),
        policy: self::policy(reader, policy),
    })
}

fn constraints(
    reader: &mut Reader<'_>,
    place: Place,
    example: &str,
) -> Vec<(At<String>, At<RawMatch>)> {
    let form = format!("{{{example}: {{present: true}}}}");
    let entries = reader.entries(place, "a map from names to constraints", &form);
    let entries = entries.unwrap_or_default().into_iter();
    entries
        .filter_map(|(name, place)| Some((name, reader.constraint(place)?)))
        .collect()
}

fn versioning(reader: &mut Reader<'_>, place: Place) -> Option<RawVersioning> {
    let [default, from, derive] = reader.fields(place, &VERSIONING)?;
    Some(RawVersioning {
        default: default.and_then(|place| reader.plain_text(place)),
        from: from.and_then(|place| reader.texts(place)),
        derive: derive.and_then(|place| reader.bool(place)),
    })
}
