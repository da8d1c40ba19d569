//! The lower bound for a JSON-lines server: it parses each line with `serde_json`, borrowing, and writes
//! a fixed reply of realistic size. It routes nothing. Usage:
//!
//! ```text
//! cargo build --release --example stdio_floor
//! time target/release/examples/stdio_floor < messages.jsonl > replies.jsonl
//! ```

use std::io::{self, BufRead, BufReader, BufWriter, Write};

use serde::Deserialize;

/// The fields of a request that any server must read.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    src: &'a str,
    #[serde(borrow)]
    dest: &'a str,
    #[serde(borrow)]
    body: Body<'a>,
}

#[derive(Debug, Deserialize)]
struct Body<'a> {
    #[serde(borrow, rename = "type")]
    kind: &'a str,
    msg_id: u64,
    #[serde(borrow)]
    method: &'a str,
    #[serde(borrow)]
    path: &'a str,
}

/// As long as the reply to a request for a known user.
pub(crate) const REPLY: &[u8] = br#"{"src":"gateway","dest":"client","body":{"type":"api_response","in_reply_to":123456,"status":200,"service":"users-service","version":"v1","backend":"users-1","body":"{\"id\": 123, \"name\": \"Alice\"}"}}
"#;

/// Writes a reply to every line of the input; returns the sum of the message ids.
pub(crate) fn serve(mut input: impl BufRead, mut output: impl Write) -> io::Result<u64> {
    let (mut line, mut sum) = (Vec::new(), 0);
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(sum);
        }
        if let Ok(Envelope { src, dest, body }) = serde_json::from_slice(&line) {
            sum += body.msg_id;
            let texts = [src, dest, body.kind, body.method, body.path];
            if texts.iter().all(|text| !text.is_empty()) {
                output.write_all(REPLY)?;
            }
        }
    }
}

#[allow(dead_code, reason = "the bench uses only the items above")]
fn main() -> io::Result<()> {
    let input = BufReader::with_capacity(64 << 10, io::stdin().lock());
    let mut output = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let sum = serve(input, &mut output)?;
    output.flush()?;
    // Printed, so that the compiler cannot remove the parsing.
    writeln!(io::stderr(), "{sum}")
}
