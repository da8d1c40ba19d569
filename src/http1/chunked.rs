//! Writing a chunked body (RFC 9112 section 7.1).

use crate::http1::grammar::{find_control, is_token, push_number};
use crate::http1::kind::is_forbidden_trailer;

/// What follows the data of a chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// Appends what stands before `length` bytes of data: nothing for none, as an empty chunk would end
/// the body. [`CHUNK_END`] must follow the data, so that this and that and the data can go out in
/// one vectored write.
pub fn write_chunk_start(out: &mut Vec<u8>, length: usize) {
    if length > 0 {
        push_number(out, u64::try_from(length).unwrap_or(u64::MAX), 16);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends a chunk; nothing if there is no data.
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if !data.is_empty() {
        write_chunk_start(out, data.len());
        out.extend_from_slice(data);
        out.extend_from_slice(CHUNK_END);
    }
}

/// Appends the last chunk and the trailers. Left out is what must not be a trailer (RFC 9110
/// section 6.5.1), and what is no field at all, such as a value with a line end.
pub fn write_last_chunk<'t>(
    out: &mut Vec<u8>,
    trailers: impl IntoIterator<Item = (&'t [u8], &'t [u8])>,
) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers {
        let right = is_token(name) && find_control(value, 0).is_none();
        if right && !is_forbidden_trailer(name) {
            for part in [name, b": ", value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
    }
    out.extend_from_slice(b"\r\n");
}
