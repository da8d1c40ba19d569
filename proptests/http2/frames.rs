//! Frames built by hand (RFC 9113, section 4.1).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::within;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A connection that sends exactly the given bytes.
pub(crate) struct Raw {
    tcp: TcpStream,
    received: Vec<u8>,
}

/// A received frame.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A field without compression (RFC 7541, section 6.2.2).
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name, value] {
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 127, "the tests need no longer fields");
        field.push(length);
        field.extend_from_slice(text.as_bytes());
    }
    field
}

/// A field block of these fields.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields
        .iter()
        .flat_map(|(name, value)| field(name, value))
        .collect()
}

pub(crate) const GET: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "a.test"),
    (":path", "/"),
];

impl Raw {
    /// Connects and sends the preface, SETTINGS and the acknowledgement of the gateway's SETTINGS.
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        let mut tcp = TcpStream::connect(to).await.unwrap();
        let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        preface.extend(frame(SETTINGS, 0, 0, &[]));
        preface.extend(frame(SETTINGS, 1, 0, &[]));
        tcp.write_all(&preface).await.unwrap();
        Self {
            tcp,
            received: Vec::new(),
        }
    }

    /// Sends bytes and returns whether the connection is still open.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        within(self.tcp.write_all(bytes)).await.is_ok()
    }

    /// The next frame; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(head) = self.received.get(..9) {
                let length =
                    usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
                if self.received.len() >= 9 + length {
                    let frame = Frame {
                        kind: head[3],
                        stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
                        payload: self.received[9..9 + length].to_vec(),
                    };
                    self.received.drain(..9 + length);
                    return Some(frame);
                }
            }
            let read = within(self.tcp.read_buf(&mut self.received)).await;
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next frame of a type; `None` at the end.
    pub(crate) async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Waits for the response to a stream, its reset, or the end of the connection.
    pub(crate) async fn end_of(&mut self, stream: u32) -> End {
        loop {
            let Some(frame) = self.next().await else {
                return End::Closed;
            };
            match frame.kind {
                GOAWAY => return End::GoAway(code(&frame.payload[4..])),
                RST_STREAM if frame.stream == stream => return End::Reset(code(&frame.payload)),
                HEADERS if frame.stream == stream => return End::Response(status(&frame.payload)),
                _ => {}
            }
        }
    }
}

/// The result of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Response(u16),
    Reset(u32),
    GoAway(u32),
    Closed,
}

pub(crate) fn code(payload: &[u8]) -> u32 {
    u32::from_be_bytes([payload[0], payload[1], payload[2], payload[3]])
}

/// The status at the beginning of a block: from the static table, or Huffman or plain digits.
fn status(block: &[u8]) -> u16 {
    match block[0] & 0x7f {
        known @ 8..=14 if block[0] & 0x80 != 0 => {
            [200, 204, 206, 304, 400, 404, 500][usize::from(known) - 8]
        }
        _ => {
            let mut decoder = Digits::default();
            let at = if block[0] & 0x3f == 0 || block[0] & 0x3f == 0x3f {
                2
            } else {
                1
            };
            let length = usize::from(block[at] & 0x7f);
            let text = &block[at + 1..at + 1 + length];
            if block[at] & 0x80 == 0 {
                return std::str::from_utf8(text).unwrap().parse().unwrap();
            }
            text.iter().for_each(|byte| decoder.push(*byte));
            decoder.number
        }
    }
}

/// Digits in Huffman code (RFC 7541, appendix B): 0 to 2 have five bits, the others six.
#[derive(Default)]
struct Digits {
    bits: u32,
    count: u32,
    number: u16,
}

impl Digits {
    fn push(&mut self, byte: u8) {
        self.bits = self.bits << 8 | u32::from(byte);
        self.count += 8;
        while self.count >= 5 {
            let five = self.bits >> (self.count - 5) & 0x1f;
            if five <= 2 {
                self.digit(five, 5);
            } else if self.count >= 6 {
                let six = self.bits >> (self.count - 6) & 0x3f;
                if !(0x19..=0x1f).contains(&six) {
                    return;
                }
                self.digit(six - 0x19 + 3, 6);
            } else {
                return;
            }
        }
    }

    fn digit(&mut self, digit: u32, bits: u32) {
        self.count -= bits;
        self.number = self.number * 10 + u16::try_from(digit).unwrap();
    }
}
