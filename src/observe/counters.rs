//! Counts of one worker: written by it alone, read by anybody.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// A number that one thread adds to and others may read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// What one worker has done. It lies on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    /// Connections of clients that were accepted.
    pub connections: Counter,
    /// Handshakes over TLS with clients.
    pub handshakes: Counter,
    /// Handshakes with clients that came to nothing.
    pub failed_handshakes: Counter,
    /// Requests that were read.
    pub requests: Counter,
    /// Answers by their class: 1xx to 5xx.
    pub responses: [Counter; 5],
    /// Requests that the gateway answered itself.
    pub own_answers: Counter,
    /// Requests that were sent to a backend once more.
    pub retries: Counter,
    /// Requests whose client left before the answer.
    pub clients_left: Counter,
    /// Lines of the access log that were dropped.
    pub log_dropped: Counter,
    /// Bytes read from clients.
    pub received_bytes: Counter,
    /// Bytes written to clients.
    pub sent_bytes: Counter,
}

/// The counts of all workers together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// See [`Counters::connections`].
    pub connections_total: u64,
    /// See [`Counters::handshakes`].
    pub handshakes_total: u64,
    /// See [`Counters::failed_handshakes`].
    pub failed_handshakes_total: u64,
    /// See [`Counters::requests`].
    pub requests_total: u64,
    /// See [`Counters::responses`].
    pub responses_total: [u64; 5],
    /// See [`Counters::own_answers`].
    pub own_answers_total: u64,
    /// See [`Counters::retries`].
    pub retries_total: u64,
    /// See [`Counters::clients_left`].
    pub clients_left_total: u64,
    /// See [`Counters::log_dropped`].
    pub log_dropped_total: u64,
    /// See [`Counters::received_bytes`].
    pub received_bytes_total: u64,
    /// See [`Counters::sent_bytes`].
    pub sent_bytes_total: u64,
}

impl Counter {
    /// Adds to it; only the thread that owns it may.
    #[inline]
    pub fn add(&self, count: u64) {
        // Relaxed, and no exchange: nobody else writes it, and it orders nothing.
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before.wrapping_add(count), Ordering::Relaxed);
    }

    /// What it is now.
    #[must_use]
    pub fn value(&self) -> u64 {
        // Relaxed: a number to be told, perhaps a little old.
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Counts an answer with this status.
    #[inline]
    pub fn response(&self, status: u16) {
        let class = (status / 100).checked_sub(1).map(usize::from);
        if let Some(counter) = class.and_then(|class| self.responses.get(class)) {
            counter.add(1);
        }
    }
}

impl Totals {
    /// The sums over workers.
    pub fn of<'c>(workers: impl IntoIterator<Item = &'c Counters>) -> Self {
        let mut totals = Self::default();
        for worker in workers {
            totals.connections_total += worker.connections.value();
            totals.handshakes_total += worker.handshakes.value();
            totals.failed_handshakes_total += worker.failed_handshakes.value();
            totals.requests_total += worker.requests.value();
            for (total, counter) in totals.responses_total.iter_mut().zip(&worker.responses) {
                *total += counter.value();
            }
            totals.own_answers_total += worker.own_answers.value();
            totals.retries_total += worker.retries.value();
            totals.clients_left_total += worker.clients_left.value();
            totals.log_dropped_total += worker.log_dropped.value();
            totals.received_bytes_total += worker.received_bytes.value();
            totals.sent_bytes_total += worker.sent_bytes.value();
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let [a, b] = [Counters::default(), Counters::default()];
        a.requests.add(2);
        a.response(204);
        a.response(99);
        b.requests.add(3);
        b.response(599);
        let totals = Totals::of([&a, &b]);
        assert_eq!(totals.requests_total, 5);
        assert_eq!(totals.responses_total, [0, 1, 0, 0, 1]);
    }
}
