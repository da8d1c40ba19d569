//! Strategies for requests, valid and malicious.

use std::net::IpAddr;

use proptest::prelude::*;
use tollgate::engine::semantics::{Arrival, Edits, Protocol};

/// The fields of a header.
pub(crate) type Fields = Vec<(String, String)>;

/// Names of fields that the gateway uses, in several spellings, and others.
pub(crate) fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "host",
        "via",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-real-ip",
        "x-request-id",
        "traceparent",
        "tracestate",
        "origin",
        "max-forwards",
        "accept",
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    ]);
    let spelling = 0..4_u8;
    let respelled = (known, spelling).prop_map(|(name, spelling)| match spelling {
        0 => name.to_ascii_uppercase(),
        1 => name.replace('-', "_"),
        2 => name.replacen('-', "_", 1),
        _ => name.to_owned(),
    });
    prop_oneof![4 => respelled, 1 => "[xX][-_][a-z]{1,14}", 1 => "x-forwarded-[a-z]{1,6}"]
}

/// Values, some of them invalid, some with bytes that are not allowed in values.
pub(crate) fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ -~]{0,40}",
        1 => "[\\x00-\\x7f]{0,20}",
        1 => "([0-9]{1,3}\\.){3}[0-9]{1,3}(, ([0-9]{1,3}\\.){3}[0-9]{1,3})?",
        1 => Just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        1 => Just("https".to_owned()),
    ]
}

pub(crate) fn fields() -> impl Strategy<Value = Fields> {
    prop::collection::vec((name(), value()), 0..12)
}

/// An arrival from this peer, over HTTP/1.1 in cleartext.
pub(crate) fn arrival(peer: IpAddr, is_trusted: bool, host: Option<&str>) -> Arrival<'_> {
    Arrival {
        peer,
        is_trusted,
        is_tls: false,
        protocol: Protocol::Http11,
        host,
        pseudonym: "tollgate",
        https_port: None,
    }
}

/// The header that a codec writes: the remaining and the added fields, names in lower case.
pub(crate) fn applied(edits: &Edits, fields: &Fields) -> Fields {
    let remaining = fields
        .iter()
        .filter(|(name, _)| !edits.drops(name.as_bytes()))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
    let added = edits.added().map(|(name, value)| (text(name), text(value)));
    remaining.chain(added).collect()
}
