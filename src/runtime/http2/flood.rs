//! Frames that ask for work and carry nothing: how many of them a client may send.
//!
//! The `h2` crate bounds CONTINUATION, empty and tiny DATA, and streams that were reset before they
//! were accepted. It answers any number of PING and SETTINGS, takes any number of WINDOW_UPDATE,
//! PRIORITY and unknown frames, and of resets of streams that are being served. Those are counted
//! here, by the nine bytes that begin each frame (RFC 9113, section 4.1).

/// Counts the frames that pass by.
#[derive(Debug)]
pub(crate) struct FloodGauge {
    /// The beginning of a frame whose header is not whole yet.
    header: [u8; HEADER_BYTES],
    have: usize,
    /// How much of the payload of the frame is still to pass.
    left: usize,
    /// Whether that is a body, which may take its time.
    is_data: bool,
    /// Whether the fields of a head are not all there yet (RFC 9113, section 4.3).
    is_block_open: bool,
    /// What may still be spent.
    credit: u64,
    /// When credit was last given, in milliseconds of the worker.
    since: u64,
}

const HEADER_BYTES: usize = 9;
const PREFACE_BYTES: usize = 24;
/// What may be spent at once: some thousands of cheap frames, or a thousand resets.
const MAX_CREDIT: u64 = 10_000;
const CREDIT_A_SECOND: u64 = 2_000;
/// Who is sent much may send many WINDOW_UPDATE.
const SENT_BYTES_A_CREDIT: u64 = 256;
const CHEAP: u64 = 1;
/// A reset ends work that was begun for it, here and at a backend.
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
    /// Looks at bytes that the client sent, in order; `now` gives milliseconds of the worker.
    /// Whether it has gone too far.
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

    /// Whether the client has begun what it has not ended, and is no body: a frame, or a head.
    #[must_use]
    pub(crate) const fn is_amid(&self) -> bool {
        self.have > 0 || (self.left > 0 && !self.is_data) || self.is_block_open
    }

    /// Counts bytes that were sent to the client.
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
/// The flag of the last frame of a head.
const END_HEADERS: u8 = 0x4;

/// What a frame of this kind costs (RFC 9113, section 6).
const fn cost(kind: u8) -> u64 {
    match kind {
        // The crate bounds them, and a window or a stream goes with each.
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

    /// How many frames of a kind pass, given in pieces of so many bytes.
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
    fn frames_that_bring_nothing_are_bounded() {
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
    fn what_is_begun_is_seen() {
        let mut gauge = FloodGauge::default();
        let mut amid_after = |bytes: &[u8]| {
            gauge.received(bytes, || 0);
            gauge.is_amid()
        };
        assert!(amid_after(b"PRI"));
        assert!(!amid_after(&[b'x'; PREFACE_BYTES - 3]));
        assert!(amid_after(&[0]));
        // A head in two frames, the last of them in two pieces.
        assert!(amid_after(&[0, 1, 1, 0, 0, 0, 0, 1, b'x']));
        assert!(amid_after(&[0, 0, 2, 9, 4, 0, 0, 0, 1, b'x']));
        assert!(!amid_after(b"x"));
        // A body.
        assert!(!amid_after(&[0, 0, 2, 0, 0, 0, 0, 0, 1, b'x']));
        assert!(!amid_after(b"x"));
        assert!(amid_after(&[0, 0, 8, 6, 0, 0, 0, 0, 0, b'x']));
    }

    #[test]
    fn credit_comes_back() {
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
