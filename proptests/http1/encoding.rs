//! Encoded heads, read back and compared with a naive model: a list of fields and edits.

use proptest::prelude::*;
use tollgate::http1::{
    BodyLength, FieldEdits, FieldValue, HeadLimits, OutgoingRequest, OutgoingResponse, RequestHead,
    ResponseContext, ResponseHead, Version, may_be_edited, write_request,
    write_request_from_fields, write_response,
};

type Pairs = Vec<(String, String)>;

/// Edits, applied in order: 0 removes, 1 replaces, 2 adds.
#[derive(Debug)]
struct RawEdits(Vec<(u8, String, String)>);

impl FieldEdits for RawEdits {
    fn drops(&self, name: &[u8]) -> bool {
        let is_dropped = |(kind, own, _): &(u8, String, String)| {
            *kind < 2 && own.as_bytes().eq_ignore_ascii_case(name)
        };
        self.0.iter().any(is_dropped)
    }

    fn each_added(&self, put: &mut dyn FnMut(&[u8], &[u8])) {
        for (at, (kind, name, value)) in self.0.iter().enumerate() {
            let mut later = self.0[at + 1..].iter();
            let is_dropped =
                later.any(|(kind, own, _)| *kind < 2 && own.eq_ignore_ascii_case(name));
            if *kind > 0 && !is_dropped {
                put(name.as_bytes(), value.as_bytes());
            }
        }
    }
}

const NAMES: [&str; 12] = [
    "x-a",
    "X-A",
    "x-b",
    "accept",
    "cookie",
    "keep-alive",
    "Proxy-Connection",
    "te",
    "trailer",
    "x-hop",
    "upgrade",
    "expect",
];
/// Fields that are never forwarded.
const HOP_BY_HOP: [&str; 6] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "upgrade",
    "x-hop",
];

fn pairs() -> impl Strategy<Value = Pairs> {
    let name = prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
    prop::collection::vec((name, "[!-~]([ -~]{0,10}[!-~])?"), 0..10)
}

/// Edits that keep the contract of [`FieldEdits`].
fn edits() -> impl Strategy<Value = RawEdits> {
    let name = prop_oneof![
        6 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
        1 => Just("content-length".to_owned()),
        1 => Just("Host".to_owned()),
        1 => Just("Transfer-Encoding".to_owned()),
        1 => any::<String>(),
    ];
    let value = prop_oneof![4 => "[!-~]{0,8}", 1 => "a\r\nX-Evil: 1", 1 => any::<String>()];
    prop::collection::vec((0..3_u8, name, value), 0..6).prop_map(|edits| {
        let checked = edits.into_iter().filter_map(|(kind, name, value)| {
            let value = FieldValue::new(value.as_bytes()).ok()?;
            let value = String::from_utf8(value.as_bytes().to_vec()).ok()?;
            may_be_edited(name.as_bytes()).then_some((kind, name, value))
        });
        RawEdits(checked.collect())
    })
}

fn framings() -> impl Strategy<Value = BodyLength> {
    prop_oneof![
        Just(BodyLength::None),
        (0..1_000_000_u64).prop_map(BodyLength::Length),
        Just(BodyLength::Chunked),
    ]
}

/// The model: the forwarded fields after the edits.
fn naive(pairs: &Pairs, edits: &RawEdits, chunked: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    let stays = |name: &str| {
        !HOP_BY_HOP.iter().any(|hop| hop.eq_ignore_ascii_case(name))
            && (chunked || !name.eq_ignore_ascii_case("trailer"))
    };
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = pairs
        .iter()
        .filter(|(name, _)| stays(name))
        .map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()))
        .collect();
    for (kind, name, value) in &edits.0 {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        if *kind < 2 {
            fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        }
        if *kind > 0 {
            fields.push((name.to_vec(), value.to_vec()));
        }
    }
    fields
}

/// The fields of an encoded head, without those that the codec writes itself.
fn others<'b>(fields: impl Iterator<Item = (&'b [u8], &'b [u8])>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let own: [&[u8]; 5] = [
        b"Host",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
        b"TE",
    ];
    fields
        .filter(|(name, _)| !own.contains(name))
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect()
}

fn count<'b>(fields: impl Iterator<Item = (&'b [u8], &'b [u8])>, wanted: &str) -> usize {
    let is = |(name, _): &(&[u8], &[u8])| name.eq_ignore_ascii_case(wanted.as_bytes());
    fields.filter(is).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_request_reads_back_as_intended(
        pairs in pairs(),
        edits in edits(),
        body in framings(),
        received in framings(),
        host in prop::option::of("[a-z]{1,8}"),
        close in any::<bool>(),
        te_trailers in any::<bool>(),
    ) {
        let mut text = "POST /received HTTP/1.1\r\nHost: received\r\nConnection: x-hop, host, content-length\r\n".to_owned();
        for (name, value) in &pairs {
            text += &format!("{name}: {value}\r\n");
        }
        match received {
            BodyLength::Length(length) => text += &format!("Content-Length: {length}\r\n"),
            BodyLength::Chunked => text += "Transfer-Encoding: chunked\r\n",
            BodyLength::None | BodyLength::UntilClose => {}
        }
        text += "\r\n";
        let mut head = RequestHead::default();
        let limits = HeadLimits::default();
        prop_assert_eq!(head.parse(text.as_bytes(), &limits), Ok(Some(text.len())));
        let outgoing = OutgoingRequest {
            method: "PATCH",
            target: &["/sent", "?", "q"],
            host: host.as_ref().map(|host| FieldValue::new(host.as_bytes()).unwrap()),
            body,
            edits: Some(&edits),
            te_trailers,
            upgrade: None,
            close,
        };
        let mut out = Vec::new();
        write_request(&mut out, head.view(text.as_bytes()), &outgoing).unwrap();
        let mut sent = RequestHead::default();
        prop_assert_eq!(sent.parse(&out, &limits), Ok(Some(out.len())));
        let view = sent.view(&out);
        prop_assert_eq!((view.method(), view.target()), ("PATCH", "/sent?q"));
        prop_assert_eq!(view.host(), Some(host.as_deref().unwrap_or("received")));
        prop_assert_eq!((view.framing(), view.keeps_alive()), (body, !close));
        prop_assert_eq!((view.te_trailers(), view.upgrade()), (te_trailers, None));
        prop_assert_eq!(others(view.fields()), naive(&pairs, &edits, body == BodyLength::Chunked));
        let lengths = count(view.fields(), "content-length");
        let codings = count(view.fields(), "transfer-encoding");
        prop_assert!(lengths + codings <= 1);

        let pairs = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let mut from_fields = Vec::new();
        let with_hop = pairs.clone().filter(|(name, _)| *name != b"x-hop");
        write_request_from_fields(&mut from_fields, with_hop, &outgoing).unwrap();
        if count(pairs, "cookie") < 1 {
            let mut other = RequestHead::default();
            prop_assert_eq!(other.parse(&from_fields, &limits), Ok(Some(from_fields.len())));
            prop_assert_eq!(others(other.view(&from_fields).fields()), others(view.fields()));
        }
    }

    #[test]
    fn a_response_reads_back_as_intended(
        pairs in pairs(),
        edits in edits(),
        body in prop_oneof![framings(), Just(BodyLength::UntilClose)],
        status in prop_oneof![Just(200_u16), Just(204), Just(304), Just(103), Just(404)],
        is_head in any::<bool>(),
        keep_alive in any::<bool>(),
        old in any::<bool>(),
    ) {
        let mut text = format!("HTTP/1.1 {status} Some Reason\r\nConnection: x-hop\r\nContent-Length: 7\r\n");
        for (name, value) in &pairs {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        let limits = HeadLimits::default();
        let request = ResponseContext { is_head, asks_upgrade: false };
        let mut head = ResponseHead::default();
        prop_assert_eq!(head.parse(text.as_bytes(), &limits, request), Ok(Some(text.len())));
        let outgoing = OutgoingResponse {
            to: if old { Version::Http10 } else { Version::Http11 },
            is_head,
            body,
            keep_alive,
            edits: Some(&edits),
            upgrade: None,
        };
        let mut out = Vec::new();
        let framing = write_response(&mut out, head.view(text.as_bytes()), &outgoing);
        let mut sent = ResponseHead::default();
        prop_assert_eq!(sent.parse(&out, &limits, request), Ok(Some(out.len())));
        let view = sent.view(&out);
        prop_assert_eq!((view.status(), view.reason()), (status, &b"Some Reason"[..]));
        prop_assert_eq!(view.framing(), framing.body);
        if status >= 200 {
            prop_assert_eq!(view.keeps_alive(), framing.keep_alive);
        }
        prop_assert!(!old || framing.body != BodyLength::Chunked);
        prop_assert!(framing.keep_alive <= keep_alive);
        let chunked = framing.body == BodyLength::Chunked;
        prop_assert_eq!(others(view.fields()), naive(&pairs, &edits, chunked));
        let lengths = count(view.fields(), "content-length");
        let codings = count(view.fields(), "transfer-encoding");
        prop_assert!(lengths + codings <= 1);
    }
}
