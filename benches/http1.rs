//! Reading and writing heads, and reading a chunked body. `httparse` is measured for comparison; it
//! validates neither framing nor host, and starts over with each call.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tollgate::engine::semantics::Edits;
use tollgate::http1::{
    BodyLength, BodyReader, HeadLimits, OutgoingRequest, OutgoingResponse, RequestHead,
    ResponseContext, ResponseHead, write_chunk, write_last_chunk, write_request, write_response,
};

const SMALL: &str = "GET /api/users HTTP/1.1\r\nHost: api.example.com\r\n\r\n";
const BROWSER: &str = "GET /api/v2/users/0198f3c2-7a41/orders?page=2&per_page=50 HTTP/1.1\r\n\
    Host: api.example.com\r\n\
    Connection: keep-alive\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n\
    Accept: application/json, text/plain, */*\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://www.example.com/orders/overview\r\n\
    Sec-Fetch-Dest: empty\r\n\
    Sec-Fetch-Mode: cors\r\n\
    Sec-Fetch-Site: same-site\r\n\
    X-Request-Id: 0198f3c2-7a41-7cc0-a1b2-0123456789ab\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=all\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 200 OK\r\n\
    Date: Mon, 23 Nov 2026 14:00:00 GMT\r\n\
    Content-Type: application/json; charset=utf-8\r\n\
    Content-Length: 100\r\n\
    Connection: keep-alive\r\n\
    Cache-Control: no-store\r\n\
    Vary: Accept-Encoding\r\n\r\n";
const FIELDS: usize = 100;

fn reading(criterion: &mut Criterion) {
    let limits = HeadLimits::default();
    let mut group = criterion.benchmark_group("http1/read");
    for (name, text) in [("small", SMALL), ("browser", BROWSER)] {
        group.throughput(Throughput::Bytes(bytes(text.len())));
        let mut head = RequestHead::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let bytes = black_box(text.as_bytes());
                let length = head.parse(bytes, &limits);
                black_box((length.is_ok(), head.view(bytes).framing()))
            });
        });
        group.bench_function(format!("{name}_httparse"), |bencher| {
            bencher.iter(|| {
                let mut fields = [const { std::mem::MaybeUninit::uninit() }; FIELDS];
                let mut request = httparse::Request::new(&mut []);
                let bytes = black_box(text.as_bytes());
                black_box(
                    request
                        .parse_with_uninit_headers(bytes, &mut fields)
                        .is_ok(),
                )
            });
        });
    }
    group.throughput(Throughput::Bytes(bytes(RESPONSE.len())));
    let mut head = ResponseHead::default();
    group.bench_function("response", |bencher| {
        bencher.iter(|| {
            let bytes = black_box(RESPONSE.as_bytes());
            let length = head.parse(bytes, &limits, ResponseContext::default());
            black_box((length.is_ok(), head.view(bytes).framing()))
        });
    });
    group.bench_function("response_httparse", |bencher| {
        bencher.iter(|| {
            let mut fields = [httparse::EMPTY_HEADER; 16];
            let mut response = httparse::Response::new(&mut fields);
            black_box(response.parse(black_box(RESPONSE.as_bytes())).is_ok())
        });
    });
    group.finish();
}

fn sending(criterion: &mut Criterion) {
    let limits = HeadLimits::default();
    let mut edits = Edits::new();
    edits.set("x-forwarded-for", b"192.0.2.1");
    edits.set("x-forwarded-proto", b"https");
    edits.set("x-request-id", b"0198f3c2-7a41-7cc0-a1b2-0123456789ab");
    edits.add("via", b"1.1 tollgate");
    let mut via = Edits::new();
    via.add("via", b"1.1 tollgate");
    let mut out = Vec::new();
    let mut group = criterion.benchmark_group("http1/send");
    for (which, text) in [("small", SMALL), ("browser", BROWSER)] {
        let mut head = RequestHead::default();
        assert_eq!(head.parse(text.as_bytes(), &limits), Ok(Some(text.len())));
        let outgoing = OutgoingRequest {
            method: "GET",
            target: &["/api", "/users", "?", "page=2"],
            edits: Some(&edits),
            ..OutgoingRequest::default()
        };
        group.bench_function(which, |bencher| {
            bencher.iter(|| {
                out.clear();
                let sent =
                    write_request(&mut out, head.view(text.as_bytes()), black_box(&outgoing));
                black_box((sent.is_ok(), out.len()))
            });
        });
    }
    let mut head = ResponseHead::default();
    let parsed = head.parse(RESPONSE.as_bytes(), &limits, ResponseContext::default());
    assert_eq!(parsed, Ok(Some(RESPONSE.len())));
    group.bench_function("response", |bencher| {
        let outgoing = OutgoingResponse {
            body: BodyLength::Length(100),
            keep_alive: true,
            edits: Some(&via),
            ..OutgoingResponse::default()
        };
        bencher.iter(|| {
            out.clear();
            let view = head.view(RESPONSE.as_bytes());
            black_box(write_response(&mut out, view, black_box(&outgoing)))
        });
    });
    group.finish();
}

fn chunks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("http1/chunks");
    for size in [16_usize, 256, 16_384] {
        let mut body = Vec::new();
        for _ in 0..65_536 / size {
            write_chunk(&mut body, &vec![b'x'; size]);
        }
        write_last_chunk(&mut body, []);
        group.throughput(Throughput::Bytes(65_536));
        let mut reader = BodyReader::new(HeadLimits::default());
        group.bench_function(format!("64k_of_{size}"), |bencher| {
            // Moves the data together in place.
            let compact = |body: &mut Vec<u8>| {
                reader.begin(BodyLength::Chunked);
                black_box(reader.compact(black_box(body)).is_ok())
            };
            bencher.iter_batched_ref(|| body.clone(), compact, BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

criterion_group!(benches, reading, sending, chunks);
criterion_main!(benches);
