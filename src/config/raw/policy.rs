//! What a route says beside its match and its backends, and `defaults` for all routes, as plain
//! data.

use crate::config::document::Place;
use crate::config::raw::At;
use crate::config::reader::{Reader, Shape};

/// What a route, or `defaults`, says of times, retries, limits and header fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawPolicy {
    /// From the head of the request to the head of the response.
    pub timeout: Option<At<String>>,
    /// The same for one try.
    pub try_timeout: Option<At<String>>,
    /// Until a connection stands.
    pub connect_timeout: Option<At<String>>,
    /// Without a byte while a body flows.
    pub idle_timeout: Option<At<String>>,
    /// The whole exchange.
    pub max_duration: Option<At<String>>,
    /// When another backend is tried.
    pub retry: Option<RawRetry>,
    /// The largest request body.
    pub max_body: Option<At<String>>,
    /// What the backend gets as `Host`.
    pub host: Option<At<String>>,
    /// What is changed in the header of the request.
    pub request_headers: Option<RawHeaderRules>,
    /// What is changed in the header of the response.
    pub response_headers: Option<RawHeaderRules>,
    /// What pages of other origins may do.
    pub cors: Option<RawCors>,
}

/// What `retry` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawRetry {
    /// `none`, or a fault for the compiler to find.
    Word(At<String>),
    /// The rules.
    Rules {
        /// How many tries may follow the first.
        attempts: Option<At<String>>,
        /// After which failures.
        on: Option<At<Vec<At<String>>>>,
        /// Whether requests may be repeated whose method is not idempotent.
        non_idempotent: Option<At<bool>>,
        /// How much of a body is kept.
        buffer: Option<At<String>>,
    },
}

/// What `request_headers` and `response_headers` say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawHeaderRules {
    /// Fields that have just this value.
    pub set: Vec<(At<String>, At<String>)>,
    /// Fields that come beside those that are there.
    pub add: Vec<(At<String>, Vec<At<String>>)>,
    /// Fields that go.
    pub remove: Vec<At<String>>,
}

/// What `cors` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawCors {
    /// `any` or `none`, or a fault for the compiler to find.
    Word(At<String>),
    /// The rules.
    Rules {
        /// The whole of them.
        place: Place,
        /// Which origins.
        origins: Option<At<Vec<At<String>>>>,
        /// Which methods.
        methods: Vec<At<String>>,
        /// Which header fields may be sent.
        headers: Vec<At<String>>,
        /// Which header fields of the answer may be read.
        expose: Vec<At<String>>,
        /// Whether cookies may come along.
        credentials: Option<At<bool>>,
        /// How long a preflight's answer may be kept.
        max_age: Option<At<String>>,
    },
}

/// What `redirect` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRedirect {
    /// Where to. If absent, a fault has said so.
    pub to: Option<At<String>>,
    /// With which status.
    pub status: Option<At<String>>,
}

/// How backends are spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawUpstream {
    /// In which protocol.
    pub protocol: Option<At<String>>,
    /// What is special about TLS.
    pub tls: Option<At<RawUpstreamTls>>,
    /// How many requests may be in flight to one.
    pub max_in_flight: Option<At<String>>,
}

/// How a backend proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawUpstreamTls {
    /// The file with the authorities that are believed.
    pub ca: Option<At<String>>,
    /// The name that the certificate must have.
    pub server_name: Option<At<String>>,
    /// Whether the certificate is looked at.
    pub verify: Option<At<bool>>,
}

/// The keys of `defaults`; a route has them too, as its last.
pub(in crate::config) const DEFAULTS: Shape<11> = Shape {
    what: "`defaults`",
    keys: [
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
    example: "{timeout: 15s, retry: {attempts: 2}}",
};

/// The keys of `retry`.
pub(in crate::config) const RETRY: Shape<4> = Shape {
    what: "`retry`",
    keys: ["attempts", "on", "non_idempotent", "buffer"],
    not_built: &[],
    example: "{attempts: 2, on: [reset, 502, 503]}, or none",
};

/// The keys of `request_headers` and `response_headers`.
pub(in crate::config) const HEADER_RULES: Shape<3> = Shape {
    what: "a set of header rules",
    keys: ["set", "add", "remove"],
    not_built: &[],
    example: "{set: {x-tenant: acme}, remove: [server]}",
};

/// The keys of `cors`.
pub(in crate::config) const CORS: Shape<6> = Shape {
    what: "`cors`",
    keys: [
        "origins",
        "methods",
        "headers",
        "expose",
        "credentials",
        "max_age",
    ],
    not_built: &[],
    example: "{origins: [\"https://app.example.com\"]}, any or none",
};

/// The keys of `redirect`.
pub(in crate::config) const REDIRECT: Shape<2> = Shape {
    what: "`redirect`",
    keys: ["to", "status"],
    not_built: &[],
    example: "{to: /new/*, status: 308}",
};

/// The keys of a service's, or a route's, `tls`.
pub(in crate::config) const UPSTREAM_TLS: Shape<3> = Shape {
    what: "`tls`",
    keys: ["ca", "server_name", "verify"],
    not_built: &[],
    example: "{ca: ca.pem}",
};

/// What stands at the keys of [`DEFAULTS`]; none if nothing does.
pub(super) fn policy(
    reader: &mut Reader<'_>,
    fields: [Option<Place>; 11],
) -> Option<Box<RawPolicy>> {
    if fields.iter().all(Option::is_none) {
        return None;
    }
    let [
        timeout,
        try_timeout,
        connect_timeout,
        idle_timeout,
        max_duration,
        retry,
        max_body,
        host,
        request_headers,
        response_headers,
        cors,
    ] = fields;
    Some(Box::new(RawPolicy {
        timeout: timeout.and_then(|place| reader.quantity(place)),
        try_timeout: try_timeout.and_then(|place| reader.quantity(place)),
        connect_timeout: connect_timeout.and_then(|place| reader.quantity(place)),
        idle_timeout: idle_timeout.and_then(|place| reader.quantity(place)),
        max_duration: max_duration.and_then(|place| reader.quantity(place)),
        retry: retry.and_then(|place| self::retry(reader, place)),
        max_body: max_body.and_then(|place| reader.quantity(place)),
        host: host.and_then(|place| reader.plain_text(place)),
        request_headers: request_headers.and_then(|place| header_rules(reader, place)),
        response_headers: response_headers.and_then(|place| header_rules(reader, place)),
        cors: cors.and_then(|place| self::cors(reader, place)),
    }))
}

fn retry(reader: &mut Reader<'_>, place: Place) -> Option<RawRetry> {
    if let Some(word) = reader.word(place) {
        return Some(RawRetry::Word(word));
    }
    let [attempts, on, non_idempotent, buffer] = reader.fields(place, &RETRY)?;
    Some(RawRetry::Rules {
        attempts: attempts.and_then(|place| reader.quantity(place)),
        on: on.and_then(|place| reader.quantities(place)),
        non_idempotent: non_idempotent.and_then(|place| reader.bool(place)),
        buffer: buffer.and_then(|place| reader.quantity(place)),
    })
}

fn header_rules(reader: &mut Reader<'_>, place: Place) -> Option<RawHeaderRules> {
    let [set, add, remove] = reader.fields(place, &HEADER_RULES)?;
    let form = "{x-tenant: acme}";
    let mut rules = RawHeaderRules::default();
    let entries = set.and_then(|place| reader.entries(place, "a map from names to texts", form));
    for (name, value) in entries.unwrap_or_default() {
        rules
            .set
            .extend(reader.text(value).map(|value| (name, value)));
    }
    if let Some(place) = add {
        rules.add = reader.named_lists(place, form);
    }
    let names = remove.and_then(|place| reader.texts(place));
    rules.remove = names.map(|names| names.value).unwrap_or_default();
    Some(rules)
}

fn cors(reader: &mut Reader<'_>, place: Place) -> Option<RawCors> {
    if let Some(word) = reader.word(place) {
        return Some(RawCors::Word(word));
    }
    let [origins, methods, headers, expose, credentials, max_age] = reader.fields(place, &CORS)?;
    if origins.is_none() {
        reader.missing(place, &CORS, "`origins`");
    }
    let origins = origins.and_then(|place| reader.texts(place));
    let [methods, headers, expose] = [methods, headers, expose].map(|list| {
        let list = list.and_then(|place| reader.texts(place));
        list.map(|list| list.value).unwrap_or_default()
    });
    Some(RawCors::Rules {
        place,
        origins,
        methods,
        headers,
        expose,
        credentials: credentials.and_then(|place| reader.bool(place)),
        max_age: max_age.and_then(|place| reader.quantity(place)),
    })
}

pub(super) fn redirect(reader: &mut Reader<'_>, place: Place) -> Option<At<RawRedirect>> {
    let value = match reader.word(place) {
        Some(to) => RawRedirect {
            to: Some(to),
            status: None,
        },
        None => {
            let [to, status] = reader.fields(place, &REDIRECT)?;
            if to.is_none() {
                reader.missing(place, &REDIRECT, "`to`");
            }
            RawRedirect {
                to: to.and_then(|place| reader.plain_text(place)),
                status: status.and_then(|place| reader.quantity(place)),
            }
        }
    };
    Some(At { value, place })
}

/// What stands at `protocol`, `tls` and `max_in_flight`; none if nothing does.
pub(super) fn upstream(
    reader: &mut Reader<'_>,
    fields: [Option<Place>; 3],
) -> Option<Box<RawUpstream>> {
    if fields.iter().all(Option::is_none) {
        return None;
    }
    let [protocol, tls, max_in_flight] = fields;
    Some(Box::new(RawUpstream {
        protocol: protocol.and_then(|place| reader.plain_text(place)),
        tls: tls.and_then(|place| upstream_tls(reader, place)),
        max_in_flight: max_in_flight.and_then(|place| reader.quantity(place)),
    }))
}

fn upstream_tls(reader: &mut Reader<'_>, place: Place) -> Option<At<RawUpstreamTls>> {
    let [ca, server_name, verify] = reader.fields(place, &UPSTREAM_TLS)?;
    let value = RawUpstreamTls {
        ca: ca.and_then(|place| reader.plain_text(place)),
        server_name: server_name.and_then(|place| reader.plain_text(place)),
        verify: verify.and_then(|place| reader.bool(place)),
    };
    Some(At { value, place })
}
