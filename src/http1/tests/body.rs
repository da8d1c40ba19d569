//! Bodies: data, ends and errors.

use crate::http1::body::BodyReader;
use crate::http1::framing::BodyLength;
use crate::http1::limits::HeadLimits;

/// The data, the bytes after the body and the trailers; or the code of the error.
fn read(length: BodyLength, text: &str) -> String {
    let mut reader = BodyReader::new(HeadLimits::default());
    reader.begin(length);
    let bytes = text.replace('\n', "\r\n").replace('¶', "\n").into_bytes();
    let (mut at, mut data) = (0, Vec::new());
    loop {
        let rest = bytes.get(at..).unwrap();
        match reader.read(rest) {
            Err(error) => return format!("{}!{}", String::from_utf8(data).unwrap(), error.code()),
            Ok(piece) if piece.consumed == 0 => break,
            Ok(piece) => {
                data.extend_from_slice(rest.get(piece.data).unwrap());
                at += piece.consumed;
            }
        }
    }
    let complete = reader.is_complete();
    let end = match reader.close() {
        Ok(()) if complete => ".".to_owned(),
        Ok(()) => "(close)".to_owned(),
        Err(error) => format!("!{}", error.code()),
    };
    let rest = String::from_utf8_lossy(bytes.get(at..).unwrap()).into_owned();
    let mut summary = String::from_utf8(data).unwrap() + &end + &rest;
    for (name, value) in reader.trailers() {
        let pair = (
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value),
        );
        summary += &format!(" {}={}", pair.0, pair.1);
    }
    summary
}

#[test]
fn lengths() {
    assert_eq!(read(BodyLength::None, "next"), ".next");
    assert_eq!(read(BodyLength::Length(0), "next"), ".next");
    assert_eq!(read(BodyLength::Length(3), "abcnext"), "abc.next");
    assert_eq!(read(BodyLength::Length(4), "abc"), "abc!http1.body_cut_off");
    assert_eq!(read(BodyLength::UntilClose, "abc"), "abc(close)");
    let mut reader = BodyReader::new(HeadLimits::default());
    reader.begin(BodyLength::Length(10));
    reader.pass(7);
    assert_eq!(reader.remaining(), Some(3));
    reader.pass(3);
    assert!(reader.is_complete());
}

#[test]
fn chunks() {
    let check = |text: &str, expected: &str| {
        assert_eq!(read(BodyLength::Chunked, text), expected, "{text}");
    };
    check("0\n\nnext", ".next");
    check("3\nabc\n0A\n0123456789\n000\n\nnext", "abc0123456789.next");
    check("3;x\nabc\n0;y=z; w = \"\\\"q\\\\;\"\t;v\n\n", "abc.");
    check("3 ;x=\"a b\" \t; y\nabc\n0\n\n", "abc.");
    check(
        "0\nX-Sum: 1\nHost: a\nContent-Length: 5\nVary: *\ny: 2 \n\nnext",
        ".next X-Sum=1 y=2",
    );
    check("000000000000000a\n0123456789\n0\n\n", "0123456789.");
    check("3\nab", "ab!http1.body_cut_off");
    check("3\nabc\n", "abc!http1.body_cut_off");
    check("3\nabc\n0\n", "abc!http1.body_cut_off");
    check("3\nabc\n0\nX: 1\n", "abc!http1.body_cut_off X=1");
    for text in [
        "\n",
        "x\n",
        "-1\n",
        "+1\n",
        "0x1\n",
        " 3\n",
        "3¶abc",
        "3\rabc",
        "1_0\n",
        "00000000000000000\n",
        "11111111111111111\n",
        "5\r\r;x\n",
        "\"3\"\n",
    ] {
        check(text, "!http1.bad_chunk_size");
    }
}

#[test]
fn framing_around_data_is_validated() {
    let check = |text: &str, expected: &str| {
        assert_eq!(read(BodyLength::Chunked, text), expected, "{text}");
    };
    for text in [
        "3 \n",
        "3;\n",
        "3; \n",
        "3;;x\n",
        "3;=x\n",
        "3;x=\n",
        "3;x=\"a\n",
        "3;x¶",
        "3;x\0\n",
        "3 x\n",
        "3;x=\"a\"b\n",
        "3;x y\n",
        "3;x=\"\\\n",
        "3;x \n",
        "3;x=a \n",
    ] {
        check(text, "!http1.bad_chunk_extension");
    }
    for text in ["3\nabcd", "3\nabc¶", "3\nabc0\n", "3\nabc\rx"] {
        check(text, "abc!http1.bad_chunk_end");
    }
    for text in [
        "0\nX : a\n\n",
        "0\n X: a\n\n",
        "0\nX: a\n b\n\n",
        "0\nX: a¶",
        "0\nX\n\n",
    ] {
        check(text, "!http1.bad_trailers");
    }
    check(
        &format!("3;{}", "x".repeat(17 << 10)),
        "!http1.chunk_extensions_too_large",
    );
    check(
        &format!("0\n{}", "X: a\n".repeat(101)),
        "!http1.bad_trailers",
    );
    check(
        &format!("0\nX: {}", "a".repeat(33 << 10)),
        "!http1.bad_trailers",
    );
}

#[test]
fn signed_chunks_of_a_large_body_are_accepted() {
    let mut reader = BodyReader::new(HeadLimits::default());
    reader.begin(BodyLength::Chunked);
    let chunk = format!(
        "400;chunk-signature={}\r\n{}\r\n",
        "f".repeat(64),
        "d".repeat(1024)
    );
    for _ in 0..1000 {
        let piece = reader.read(chunk.as_bytes()).unwrap();
        assert_eq!((piece.consumed, piece.data.len()), (chunk.len(), 1024));
    }
}

#[test]
fn many_chunks_at_once() {
    let bytes = "1\r\na\r\n2\r\nbc\r\n0\r\nX: y\r\n\r\nnext";
    let mut reader = BodyReader::new(HeadLimits::default());
    reader.begin(BodyLength::Chunked);
    let mut moved = bytes.as_bytes().to_vec();
    let piece = reader.compact(&mut moved).unwrap();
    assert!(reader.is_complete());
    assert_eq!(&moved[piece.data], b"abc");
    assert_eq!(&moved[piece.consumed..], b"next");
}
