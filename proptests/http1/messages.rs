//! Generated messages, valid and invalid, and how their bytes arrive.

use proptest::prelude::*;

/// Calls `take` with the bytes received so far, without those that it has consumed, and with their
/// number. Stops at an error.
pub(crate) fn feed(reads: &[&[u8]], mut take: impl FnMut(&[u8], usize) -> Result<usize, ()>) {
    let mut buffer: Vec<u8> = Vec::new();
    let mut total = 0;
    for read in reads {
        buffer.extend_from_slice(read);
        loop {
            let Ok(used) = take(&buffer, total) else {
                return;
            };
            if used == 0 {
                break;
            }
            buffer.drain(..used);
            total += used;
        }
    }
}

/// `bytes`, cut at these places.
pub(crate) fn cut<'b>(bytes: &'b [u8], cuts: &[prop::sample::Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|at| at.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for place in places {
        pieces.push(&bytes[from..place]);
        from = place;
    }
    pieces.push(&bytes[from..]);
    pieces
}

/// One or two requests, mostly valid.
pub(crate) fn requests() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        12 => select(&["GET / HTTP/1.1\r\n", "POST /a?b#c HTTP/1.1\r\n", "PUT http://h.test HTTP/1.1\r\n",
            "GET / HTTP/1.0\r\n", "OPTIONS * HTTP/1.1\r\n", "\r\nDELETE /x HTTP/1.1\r\n"]),
        1 => select(&["GET  / HTTP/1.1\r\n", "GET / HTTP/1.1\n", "GET / HTTP/2.0\r\n", "GET /\r\n",
            "CONNECT a:1 HTTP/1.1\r\n", "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n",
            "GET * HTTP/1.1\r\n", "\r\n\r\n\r\nGET / HTTP/1.1\r\n", "G\r\n", "GET / HTTP/1.1 \r\n",
            "GET / HTTP/1.1\r\r\n", " GET"]),
    ];
    let host = select(&[
        "Host: a\r\n",
        "Host: a\r\n",
        "Host: a\r\n",
        "host:\tb:80 \r\n",
        "",
    ]);
    message(line, host)
}

/// One or two responses, mostly valid.
pub(crate) fn responses() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        12 => select(&["HTTP/1.1 200 OK\r\n", "HTTP/1.1 204\r\n", "HTTP/1.0 200 \r\n",
            "HTTP/1.1 103 Early\r\n", "HTTP/1.1 304 Not\r\n", "HTTP/1.1 101 Go\r\n"]),
        1 => select(&["HTTP/1.1 99 X\r\n", "HTTP/1.1 600 X\r\n", "HTTP/1.1 200 OK\n", "\r\n",
            "HTTP/2.0 200 OK\r\n", "HTTP/1.1 200 O\0K\r\n", "HTTP/1.1 200 O\rK\r\n", "HTTP/1.1 2000\r\n"]),
    ];
    message(line, select(&[""]))
}

/// A chunked body, mostly valid.
pub(crate) fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let chunk = prop_oneof![
        20 => select(&["1\r\na\r\n", "3\r\nabc\r\n", "0A;x\r\n0123456789\r\n", "2 ; y=\"\\\"\"\r\n\r\n\r\n"]),
        1 => select(&["1\na\r\n", "1\r\nab\r\n", "g\r\n", "1;\r\na\r\n", "11111111111111111\r\n", "1 \r\na\r\n"]),
    ];
    let end = prop_oneof![
        8 => select(&["0\r\n\r\n", "000\r\nX: y\r\n\r\n", "0\r\nHost: a\r\nx: \r\n\r\n", ""]),
        1 => select(&["0\r\nX : y\r\n\r\n", "0\r\n\n", "0\r\n\r\r", "0\r\nX: y\n\r\n"]),
    ];
    (prop::collection::vec(chunk, 0..6), end)
        .prop_map(|(chunks, end)| (chunks.concat() + &end).into_bytes())
}

fn message(
    line: impl Strategy<Value = String> + Clone,
    host: impl Strategy<Value = String> + Clone,
) -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        12 => select(&["A: b\r\n", "X-Y:\t z \r\n", "e:\r\n", "Connection: close, x-y\r\n", "TE: trailers\r\n",
            "U: \u{e9}\r\n"]),
        1 => select(&["Host: c\r\n", "A : b\r\n", " x\r\n", "A\r\n", "A: b\n", "A: \0\r\n", "A: b\rc\r\n", ": a\r\n",
            "Content-Length: 1\r\n", "Transfer-Encoding: gzip\r\n", "A[]: b\r\n",
            "Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"]),
    ];
    let framed = prop_oneof![
        Just((String::new(), Vec::new())),
        Just(("Content-Length: 3\r\n".to_owned(), b"abc".to_vec())),
        bodies().prop_map(|body| ("Transfer-Encoding: chunked\r\n".to_owned(), body)),
    ];
    let fields = prop::collection::vec(field, 0..6);
    let one = (line, host, fields, framed).prop_map(|(line, host, fields, (framing, body))| {
        let mut bytes = (line + &host + &fields.concat() + &framing + "\r\n").into_bytes();
        bytes.extend_from_slice(&body);
        bytes
    });
    prop::collection::vec(one, 1..3).prop_map(|all| all.concat())
}

fn select(of: &[&'static str]) -> impl Strategy<Value = String> + Clone + use<> {
    prop::sample::select(of.to_vec()).prop_map(str::to_owned)
}
