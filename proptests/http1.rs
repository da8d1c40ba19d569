//! Properties of the HTTP/1.1 codec: the result does not depend on how bytes are cut into reads, an
//! encoded head reads back as intended, and `httparse` agrees on every head that is accepted.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a panic is how a test fails"
)]

#[path = "http1/encoding.rs"]
mod encoding;
#[path = "http1/messages.rs"]
mod messages;

use messages::{bodies, cut, feed, requests, responses};
use proptest::prelude::*;
use tollgate::http1::{
    BodyLength, BodyReader, HeadLimits, RequestHead, ResponseContext, ResponseHead, write_chunk,
    write_last_chunk,
};

/// Small enough for generated messages to exceed them.
const LIMITS: HeadLimits = HeadLimits {
    max_head_bytes: 160,
    max_fields: 5,
    max_target_bytes: 24,
};

/// The heads, bodies and trailers of a stream of requests, and the error that ended it.
fn request_events(reads: &[&[u8]]) -> Vec<String> {
    let mut head = RequestHead::default();
    let mut body = BodyReader::new(LIMITS);
    let mut events = Vec::new();
    let mut in_body = false;
    feed(reads, |bytes, _| {
        if !in_body {
            let parsed = head.parse(bytes, &LIMITS).map_err(|error| {
                events.push(format!("{} {error}", error.code()));
            })?;
            let Some(length) = parsed else { return Ok(0) };
            let view = head.view(bytes);
            let fields: Vec<_> = view.fields().collect();
            events.push(format!("{} {} {fields:?}", view.method(), view.target()));
            body.begin(view.framing());
            in_body = true;
            events.push(String::new());
            // An empty body is complete before the next read.
            take_body(&mut body, b"", &mut events, &mut in_body)?;
            return Ok(length);
        }
        take_body(&mut body, bytes, &mut events, &mut in_body)
    });
    events
}

fn response_events(reads: &[&[u8]], request: ResponseContext) -> Vec<String> {
    let mut head = ResponseHead::default();
    let mut body = BodyReader::new(LIMITS);
    let mut events = Vec::new();
    let mut in_body = false;
    feed(reads, |bytes, _| {
        if !in_body {
            let parsed = head.parse(bytes, &LIMITS, request).map_err(|error| {
                events.push(format!("{} {error}", error.code()));
            })?;
            let Some(length) = parsed else { return Ok(0) };
            let view = head.view(bytes);
            let fields: Vec<_> = view.fields().collect();
            events.push(format!("{} {:?} {fields:?}", view.status(), view.reason()));
            body.begin(view.framing());
            in_body = true;
            events.push(String::new());
            // An empty body is complete before the next read.
            take_body(&mut body, b"", &mut events, &mut in_body)?;
            return Ok(length);
        }
        take_body(&mut body, bytes, &mut events, &mut in_body)
    });
    events
}

/// Appends data to the last event, so that only the concatenation counts.
fn take_body(
    body: &mut BodyReader,
    bytes: &[u8],
    events: &mut Vec<String>,
    in_body: &mut bool,
) -> Result<usize, ()> {
    let piece = body.read(bytes).map_err(|error| {
        events.push(format!("{} {error}", error.code()));
    })?;
    let data = &bytes[piece.data];
    events
        .last_mut()
        .unwrap()
        .push_str(&format!("{data:?}").replace(['[', ']'], ","));
    if body.is_complete() {
        let trailers: Vec<_> = body.trailers().collect();
        events.push(format!("end {trailers:?}"));
        *in_body = false;
    }
    Ok(piece.consumed)
}

/// Removes the boundaries between pieces of data.
fn seamless(events: Vec<String>) -> Vec<String> {
    let seamless = |event: String| {
        let parts = event.split([',', ' ']).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" ")
    };
    events.into_iter().map(seamless).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn cuts_change_no_request(bytes in requests(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let whole = seamless(request_events(&[&bytes]));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&seamless(request_events(&single)), &whole);
        prop_assert_eq!(&seamless(request_events(&cut(&bytes, &cuts))), &whole);
    }

    #[test]
    fn cuts_change_no_response(
        bytes in responses(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        is_head in any::<bool>(),
        asks_upgrade in any::<bool>(),
    ) {
        let request = ResponseContext { is_head, asks_upgrade };
        let whole = seamless(response_events(&[&bytes], request));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&seamless(response_events(&single, request)), &whole);
        prop_assert_eq!(&seamless(response_events(&cut(&bytes, &cuts), request)), &whole);
    }

    #[test]
    fn both_ways_of_reading_a_body_agree(bytes in bodies()) {
        let mut reader = BodyReader::new(LIMITS);
        reader.begin(BodyLength::Chunked);
        let (mut at, mut data) = (0, Vec::new());
        let one_by_one = loop {
            match reader.read(&bytes[at..]) {
                Ok(piece) if piece.consumed == 0 => break Ok(reader.is_complete()),
                Ok(piece) => {
                    data.extend_from_slice(&bytes[at..][piece.data]);
                    at += piece.consumed;
                }
                Err(error) => break Err(error),
            }
        };
        let mut compacting = BodyReader::new(LIMITS);
        compacting.begin(BodyLength::Chunked);
        let mut moved = bytes.clone();
        let consumed = match compacting.compact(&mut moved) {
            Ok(piece) => {
                prop_assert_eq!(&moved[piece.data], &data);
                prop_assert_eq!(&moved[piece.consumed..], &bytes[piece.consumed..]);
                Ok(piece.consumed)
            }
            Err(error) => {
                prop_assert!(data.is_empty());
                Err(error)
            }
        };
        match (consumed, one_by_one) {
            (Ok(consumed), Ok(complete)) => {
                prop_assert_eq!((consumed, compacting.is_complete()), (at, complete));
            }
            (Ok(_), Err(error)) => prop_assert_eq!(compacting.read(b""), Err(error)),
            (Err(one), Err(other)) => prop_assert_eq!(one, other),
            (Err(_), Ok(_)) => prop_assert!(false, "only one way of reading fails"),
        }
    }

    #[test]
    fn chunks_read_back(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
        trailers in prop::collection::vec(("[A-Za-z-]{1,12}", "[ -~]{0,12}|a\r\nHost: b|\u{0}"), 0..4),
        rest in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut bytes = Vec::new();
        for chunk in &chunks {
            write_chunk(&mut bytes, chunk);
        }
        let pairs = trailers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        write_last_chunk(&mut bytes, pairs);
        let end = bytes.len();
        bytes.extend_from_slice(&rest);
        let mut reader = BodyReader::new(HeadLimits::default());
        reader.begin(BodyLength::Chunked);
        let piece = reader.compact(&mut bytes).unwrap();
        prop_assert!(reader.is_complete());
        prop_assert_eq!(piece.consumed, end);
        prop_assert_eq!(&bytes[piece.data], chunks.concat());
        for (name, value) in reader.trailers() {
            let sent = |(n, v): &(String, String)| n.as_bytes() == name && v.trim().as_bytes() == value;
            prop_assert!(trailers.iter().any(sent));
            prop_assert!(!name.eq_ignore_ascii_case(b"host"));
        }
    }

    #[test]
    fn httparse_agrees_on_accepted_heads(bytes in requests()) {
        let mut head = RequestHead::default();
        let Ok(Some(length)) = head.parse(&bytes, &HeadLimits::default()) else { return Ok(()) };
        let view = head.view(&bytes);
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut other = httparse::Request::new(&mut fields);
        prop_assert_eq!(other.parse(&bytes), Ok(httparse::Status::Complete(length)));
        prop_assert_eq!(other.method, Some(view.method()));
        let fragment = other.path.unwrap().split('#').next();
        prop_assert_eq!(fragment, Some(view.target()));
        let theirs = other.headers.iter().map(|field| (field.name.as_bytes(), field.value));
        prop_assert!(view.fields().eq(theirs));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(request_events(&single), request_events(&[&bytes]));
        let request = ResponseContext::default();
        prop_assert_eq!(response_events(&single, request), response_events(&[&bytes], request));
    }
}
