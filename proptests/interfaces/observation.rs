//! What an interface did with a request, in one form for all four. This file normalises everything in
//! which the protocols differ.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::backend::Received;
use crate::configuration::ROUTE_FIELD;
use crate::message::Message;

/// Header fields by name in lower case, each with its values in their order. The order of the names
/// is no part of the meaning (RFC 9110, section 5.3).
pub(crate) type Fields = BTreeMap<String, Vec<String>>;

/// What an interface did with a request. What an interface cannot show is `None`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observation {
    pub(crate) decision: Decision,
    /// The fields that announce the deprecation of a version.
    pub(crate) deprecation: Fields,
    /// The request that the backend received. The plain `tollgate stdio` has no backend.
    pub(crate) forwarded: Option<Forwarded>,
    /// The fields of the response.
    pub(crate) response: Option<Fields>,
    /// The body of a response of a backend.
    pub(crate) body: Option<String>,
}

/// The decision of admission, as every interface shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Decision {
    pub(crate) status: u64,
    /// The dotted code and the sentence of a rejection.
    pub(crate) code: String,
    pub(crate) message: Option<String>,
    pub(crate) allow: Vec<String>,
    /// The name of the route, where a backend responds.
    pub(crate) route: String,
    /// The service and the version, where a backend responds.
    pub(crate) cluster: String,
    /// Path and query for the backend.
    pub(crate) upstream_path: String,
}

/// A request as a backend received it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forwarded {
    pub(crate) method: String,
    pub(crate) fields: Fields,
    pub(crate) body: String,
}

/// The response fields that announce the deprecation of a version.
const DEPRECATION: [&str; 3] = ["deprecation", "sunset", "link"];

/// Response fields that depend on the protocol or the connection: framing, persistence, date.
const OF_RESPONSE_FRAMING: [&str; 5] = [
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "date",
];

/// Fields of a rejection whose content is compared as [`Decision`], or that differ in each response.
const OF_REJECTION: [&str; 4] = ["proxy-status", "x-request-id", "allow", "content-type"];

/// Fields of a request that say where the body ends. They depend on how the client sent it: a body of
/// HTTP/2 may have no length, and a POST without a body has a length of 0 or none.
const OF_REQUEST_FRAMING: [&str; 3] = ["connection", "content-length", "transfer-encoding"];

impl Observation {
    /// From a response over HTTP, and what the backend received meanwhile.
    pub(crate) fn of_http(response: &Message, received: &[Received]) -> Self {
        let mut fields = of_lines(&response.fields);
        OF_RESPONSE_FRAMING
            .iter()
            .for_each(|name| drop(fields.remove(*name)));
        let mut decision = Decision {
            status: response.start.split(' ').nth(1).unwrap().parse().unwrap(),
            ..Decision::default()
        };
        if decision.status == 0 {
            // A stream that was reset.
            decision.message = Some(response.start.clone());
        }
        let mut body = None;
        if let Some(status) = fields.get("proxy-status") {
            let details = status[0].split_once("details=\"").unwrap().1;
            decision.code = details.trim_end_matches('"').to_owned();
            // A response to HEAD has no body.
            if !response.body.is_empty() {
                let problem: Value = serde_json::from_slice(&response.body).unwrap();
                assert_eq!(problem["code"], *decision.code, "{response:?}");
                assert_eq!(problem["status"], decision.status, "{response:?}");
                decision.message = Some(problem["detail"].as_str().unwrap().to_owned());
            }
            if let Some(allow) = fields.get("allow") {
                decision.allow = allow[0].split(", ").map(ToOwned::to_owned).collect();
            }
            OF_REJECTION
                .iter()
                .for_each(|name| drop(fields.remove(*name)));
        } else if !received.is_empty() {
            body = Some(response.text());
        }
        let forwarded = forwarded(received, &mut decision);
        Self {
            decision,
            deprecation: announced(&fields),
            forwarded,
            response: Some(fields),
            body,
        }
    }

    /// From a response over `tollgate stdio`, with or without `--forward`.
    pub(crate) fn of_stdio(response: &Value, received: Option<&[Received]>) -> Self {
        let text = |key: &str| response[key].as_str().unwrap_or_default().to_owned();
        let error = &response["error"];
        let mut decision = Decision {
            // An `error` of the protocol has none; it differs from every response over HTTP.
            status: response["status"].as_u64().unwrap_or_default(),
            code: error["code"].as_str().unwrap_or_default().to_owned(),
            message: error["message"].as_str().map(ToOwned::to_owned),
            allow: of_list(&response["allow"]),
            route: text("route"),
            cluster: format!("{} {}", text("service"), text("version"))
                .trim()
                .to_owned(),
            upstream_path: text("upstream_path"),
        };
        if response["type"] != "api_response" {
            decision.message = Some(response.to_string());
        }
        let headers = response["headers"].as_object().into_iter().flatten();
        let mut fields: Fields = headers
            .map(|(name, value)| (name.clone(), of_list(value)))
            .collect();
        OF_RESPONSE_FRAMING
            .iter()
            .for_each(|name| drop(fields.remove(*name)));
        let is_forwarded = !decision.route.is_empty();
        let deprecation = announced(&fields);
        let shows_response = match received {
            // A rejection is an `error`, and has no fields.
            _ if error.is_object() => false,
            Some(_) => true,
            // The sample upstream has no fields of its own.
            None => !is_forwarded,
        };
        let seen = decision.clone();
        let forwarded = received.and_then(|received| forwarded(received, &mut decision));
        assert_eq!(
            seen, decision,
            "the response names what the backend received"
        );
        Self {
            decision,
            deprecation,
            forwarded,
            response: shows_response.then_some(fields),
            body: received.filter(|_| is_forwarded).map(|_| text("body")),
        }
    }

    /// Describes how two observations differ; `None` if they are equal.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let (this, that) = (&self.decision, &other.decision);
        let is_malformed =
            |it: &Decision| it.code.starts_with("http1.") || it.code == "request.malformed";
        if is_malformed(this) || is_malformed(that) {
            // Each codec names what it cannot read by a code and a sentence of its own.
            return (this.status != that.status).then(|| format!("{this:?}\n{that:?}"));
        }
        let mut that = that.clone();
        if this.message.is_none() || that.message.is_none() {
            // A response to HEAD shows no sentence over HTTP.
            that.message.clone_from(&this.message);
        }
        if *this != that {
            return Some(format!("{this:?}\n{that:?}"));
        }
        differ(Some(&self.deprecation), Some(&other.deprecation))
            .or_else(|| differ(self.forwarded.as_ref(), other.forwarded.as_ref()))
            .or_else(|| differ(self.response.as_ref(), other.response.as_ref()))
            .or_else(|| differ(self.body.as_ref(), other.body.as_ref()))
    }
}

/// The difference between two values that both interfaces show.
fn differ<T: PartialEq + std::fmt::Debug>(this: Option<&T>, that: Option<&T>) -> Option<String> {
    let (this, that) = (this?, that?);
    (this != that).then(|| format!("{this:?}\n{that:?}"))
}

/// What the backend received; completes the decision by it.
fn forwarded(received: &[Received], decision: &mut Decision) -> Option<Forwarded> {
    assert!(
        received.len() < 2,
        "one request goes to one backend: {received:?}"
    );
    let Received { cluster, message } = received.first()?;
    let mut fields = of_lines(&message.fields);
    OF_REQUEST_FRAMING
        .iter()
        .for_each(|name| drop(fields.remove(*name)));
    for (name, values) in &mut fields {
        values.iter_mut().for_each(|value| normalise(name, value));
    }
    decision.route = fields.get(ROUTE_FIELD).unwrap().concat();
    decision.cluster = cluster.to_string();
    message.target().clone_into(&mut decision.upstream_path);
    Some(Forwarded {
        method: message.method().to_owned(),
        fields,
        body: message.text(),
    })
}

/// Normalises a value that depends on the protocol or on chance.
fn normalise(name: &str, value: &mut String) {
    let is_made = value.len() == 36 && value.bytes().filter(|byte| *byte == b'-').count() == 4;
    match name {
        // The entry names the version of HTTP in which the request arrived (RFC 9110, section
        // 7.6.3); a message of stdio counts as HTTP/1.1.
        "via" if value == "2 tollgate" => "1.1 tollgate".clone_into(value),
        // Generated for each request without one.
        "x-request-id" if is_made => "made".clone_into(value),
        // Each hop generates a new parent id, and a trace id if the request has none.
        "traceparent" if value.contains(TRACE_ID) => value.replace_range(36..52, "made"),
        "traceparent" => "made".clone_into(value),
        // A backend for each of the two addresses of a cluster; see `configuration::backends`.
        "host" if value.starts_with("127.0.0.1:") && value.len() > 14 => {
            "backend".clone_into(value);
        }
        _ => {}
    }
}

/// The trace id of each valid `traceparent` that the generators send.
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn announced(fields: &Fields) -> Fields {
    let announced = fields
        .iter()
        .filter(|(name, _)| DEPRECATION.contains(&&***name));
    announced
        .map(|(name, values)| (name.clone(), values.clone()))
        .collect()
}

fn of_lines(lines: &[(String, String)]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in lines {
        let values = fields.entry(name.to_ascii_lowercase()).or_default();
        values.push(value.clone());
    }
    fields
}

/// A string, or all of an array.
fn of_list(value: &Value) -> Vec<String> {
    match value.as_array() {
        Some(values) => values.iter().flat_map(of_list).collect(),
        None => value.as_str().map(ToOwned::to_owned).into_iter().collect(),
    }
}
