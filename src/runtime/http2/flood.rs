//! Limits frames that cost work and carry no data.
//!
//! The `h2` crate limits CONTINUATION, empty and tiny DATA, and streams that are reset before they are
//! accepted. It does not limit PING, SETTINGS, WINDOW_UPDATE, PRIORITY and unknown frames, nor resets
//! of accepted streams. Those are counted here, by the frame headers (RFC 9113, section 4.1).

/// Counts the frames of a client.
#[derive(Debug)]
pub(crate) struct FloodGauge {
    /// The header of the current frame, as far as it was received.
    header: [u8; HEADER_BYTES],
    have: usize,
    /// How many bytes of the payload are still to come.
    left: usize,
    /// Whether the payload is DATA, which may be slow.
    is_data: bool,
    /// Whether a field section is incomplete (RFC 9113, section 4.3).
    is_block_open: bool,
    /// The credit that is left.
    credit: u64,
    /// When credit was last added, in milliseconds of the worker.
    since: u64,
}

const HEADER_BYTES: usize = 9;
const PREFACE_BYTES: usize = 24;
/// The maximum credit: ten thousand cheap frames, or a thousand resets.
const MAX_CREDIT: u64 = 10_000;
const CREDIT_A_SECOND: u64 = 2_000;
/// A client that receives much data sends many WINDOW_UPDATE.
const SENT_BYTES_A_CREDIT: u64 = 256;
const CHEAP: u64 = 1;
/// A reset cancels work of the gateway and of a backend.
const RESET: u64 = 10;

impl Default for FloodGauge {
    fn default() -> Self {
        Self {
            header: [0; HEADER_BYTES],
            have: 0,
            left: PREFACE_BYTES,
            is_data: false,
            is_block_open: false,
            credit: MAX_CREDIT,
            since: 0,
        }
    }
}

impl FloodGauge {
    /// Counts bytes that the client sent; `now` returns milliseconds of the worker. Returns whether
    /// the credit is exhausted.
    pub(crate) fn received(&mut self, mut bytes: &[u8], now: impl Fn() -> u64) -> bool {
        while !bytes.is_empty() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            let wanted = (HEADER_BYTES - self.have).min(bytes.len());
            let (begin, rest) = bytes.split_at(wanted);
            if let Some(space) = self.header.get_mut(self.have..self.have + wanted) {
                space.copy_from_slice(begin);
            }
            self.have += wanted;
            bytes = rest;
            if self.have == HEADER_BYTES {
                self.have = 0;
                let [high, middle, low, kind, flags, ..] = self.header;
                self.is_data = kind == DATA;
                if matches!(kind, HEADERS | CONTINUATION) {
                    self.is_block_open = flags & END_HEADERS == 0;
                }
                self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                let cost = cost(kind);
                if cost > 0 && !self.spend(cost, &now) {
                    return true;
                }
            }
        }
        false
    }

    /// Whether a field section, or a frame other than DATA, is incomplete.
    #[must_use]
    pub(crate) const fn is_incomplete(&self) -> bool {
        self.have > 0 || (self.left > 0 && !self.is_data) || self.is_block_open
    }

    /// Adds credit for bytes that were sent to the client.
    pub(crate) fn sent(&mut self, bytes: u64) {
        self.credit = (self.credit + bytes / SENT_BYTES_A_CREDIT).min(MAX_CREDIT);
    }

    fn spend(&mut self, cost: u64, now: &impl Fn() -> u64) -> bool {
        if self.credit < cost {
            let now = now();
            let earned = now.saturating_sub(self.since) * CREDIT_A_SECOND / 1_000;
            self.credit = (self.credit + earned).min(MAX_CREDIT);
            self.since = now;
        }
        match self.credit.checked_sub(cost) {
            Some(rest) => self.credit = rest,
            None => return false,
        }
        true
    }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;
/// The flag of the last frame of a field section.
const END_HEADERS: u8 = 0x4;

/// The cost of a frame type (RFC 9113, section 6).
const fn cost(kind: u8) -> u64 {
    match kind {
        // Limited by the `h2` crate, by windows and by the number of streams.
        DATA | HEADERS | CONTINUATION => 0,
        RST_STREAM => RESET,
        _ => CHEAP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, 0, 0, 0, 0, 0];
        frame.extend(std::iter::repeat_n(0xff, length.into()));
        frame
    }

    /// How many frames of a type pass, in pieces of `piece` bytes.
    fn pass(kind: u8, piece: usize, most: usize, now: impl Fn() -> u64 + Copy) -> usize {
        let mut gauge = FloodGauge::default();
        assert!(!gauge.received(&[b'x'; PREFACE_BYTES], now));
        let frame = frame(kind, 8);
        for count in 0..most {
            for part in frame.chunks(piece) {
                if gauge.received(part, now) {
                    return count;
                }
            }
        }
        most
    }

    #[test]
    fn frames_without_data_are_limited() {
        for piece in [1, 4, 9, 100] {
            for (kind, expected) in [
                (0, 50_000),
                (1, 50_000),
                (9, 50_000),
                (6, 10_000),
                (4, 10_000),
                (8, 10_000),
                (2, 10_000),
                (0xfa, 10_000),
                (3, 1_000),
            ] {
                assert_eq!(pass(kind, piece, 50_000, || 0), expected, "kind {kind}");
            }
        }
    }

    #[test]
    fn incomplete_frames_are_detected() {
        let mut gauge = FloodGauge::default();
        let mut incomplete_after = |bytes: &[u8]| {
            gauge.received(bytes, || 0);
            gauge.is_incomplete()
        };
        assert!(incomplete_after(b"PRI"));
        assert!(!incomplete_after(&[b'x'; PREFACE_BYTES - 3]));
        assert!(incomplete_after(&[0]));
        // A head in two frames, the last of them in two pieces.
        assert!(incomplete_after(&[0, 1, 1, 0, 0, 0, 0, 1, b'x']));
        assert!(incomplete_after(&[0, 0, 2, 9, 4, 0, 0, 0, 1, b'x']));
        assert!(!incomplete_after(b"x"));
        // A body.
        assert!(!incomplete_after(&[0, 0, 2, 0, 0, 0, 0, 0, 1, b'x']));
        assert!(!incomplete_after(b"x"));
        assert!(incomplete_after(&[0, 0, 8, 6, 0, 0, 0, 0, 0, b'x']));
    }

    #[test]
    fn credit_is_restored() {
        let mut gauge = FloodGauge::default();
        assert!(!gauge.received(&[b'x'; PREFACE_BYTES], || 0));
        for _ in 0..MAX_CREDIT {
            assert!(!gauge.received(&frame(8, 4), || 0));
        }
        gauge.sent(SENT_BYTES_A_CREDIT);
        assert!(!gauge.received(&frame(8, 4), || 0));
        assert!(gauge.received(&frame(8, 4), || 0));
        assert!(!gauge.received(&frame(8, 4), || 1));
    }
}
