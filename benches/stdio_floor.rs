//! The floor of a JSON-lines server: it parses each line with `serde_json`, borrowing, and writes
//! a fixed answer of the size of a real one. It routes nothing. Compare with it:
//!
//! ```text
//! cargo build --release --example stdio_floor
//! time target/release/examples/stdio_floor < messages.jsonl > answers.jsonl
//! ```

use std::io::{self, BufRead, BufReader, BufWriter, Write};

use serde::Deserialize;

/// A request, as much of it as a server has to look at.
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

/// As long as the answer to a request for a known user.
pub(crate) const ANSWER: &[u8] = br#"{"src":"gateway","dest":"client","body":{"type":"api_response","in_reply_to":123456,"status":200,"service":"users-service","version":"v1","backend":"users-1","body":"{\"id\": 123, \"name\": \"Alice\"}"}}
"#;

/// Answers every line of the input.
pub(crate) fn serve(mut input: impl BufRead, mut output: impl Write) -> io::Result<u64> {
    let (mut line, mut seen) = (Vec::new(), 0);
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(seen);
        }
        if let Ok(Envelope { src, dest, body }) = serde_json::from_slice(&line) {
            seen += body.msg_id;
            let texts = [src, dest, body.kind, body.method, body.path];
            if texts.iter().all(|text| !text.is_empty()) {
                output.write_all(ANSWER)?;
            }
        }
    }
}

#[allow(dead_code, reason = "the bench uses only what is above")]
fn main() -> io::Result<()> {
    let input = BufReader::with_capacity(64 << 10, io::stdin().lock());
    let mut output = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let seen = serve(input, &mut output)?;
    output.flush()?;
    // Told, so that the parse is not optimised away.
    writeln!(io::stderr(), "{seen}")
}
