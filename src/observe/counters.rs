//! Counters of one worker, which it alone writes and any thread may read, and their totals.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Declares every counter once: its field in [`Counters`], its field in [`Totals`], which is its
/// name in JSON as well, and its description.
macro_rules! counters {
    ($($counter:ident: $counter_type:ty => $total:ident: $total_type:ty, $description:literal;)*) => {
        /// The counters of one worker, on cache lines of their own.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub struct Counters {
            $(#[doc = $description] pub $counter: $counter_type,)*
        }

        /// The counters of all workers, summed up.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct Totals {
            $(#[doc = $description] pub $total: $total_type,)*
        }

        impl Totals {
            /// The name and the description of each total.
            pub const DESCRIPTIONS: &[(&str, &str)] = &[$((stringify!($total), $description),)*];

            fn add(&mut self, worker: &Counters) {
                $(worker.$counter.add_to(&mut self.$total);)*
            }
        }
    };
}

counters! {
    connections: Counter => connections_total: u64, "Downstream connections accepted";
    handshakes: Counter => handshakes_total: u64, "Downstream TLS handshakes completed";
    failed_handshakes: Counter => failed_handshakes_total: u64, "Downstream TLS handshakes failed";
    requests: Counter => requests_total: u64, "Requests received";
    responses: [Counter; 5] => responses_total: [u64; 5],
        "Responses sent, one number per class: 1xx, 2xx, 3xx, 4xx, 5xx";
    local_responses: Counter => local_responses_total: u64,
        "Responses that the gateway made itself, without a backend";
    retries: Counter => retries_total: u64, "Attempts after the first, to the same or another backend";
    clients_left: Counter => clients_left_total: u64,
        "Requests whose client disconnected before the end of the response";
    log_dropped: Counter => log_dropped_total: u64, "Lines of the access log dropped";
    received_bytes: Counter => received_bytes_total: u64, "Bytes received from clients";
    sent_bytes: Counter => sent_bytes_total: u64, "Bytes sent to clients";
}

/// A number that one thread increases and others may read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Increases the counter. Only the thread that owns it may call this.
    #[inline]
    pub fn add(&self, count: u64) {
        // Relaxed, and no read-modify-write: no other thread writes it, and it orders nothing.
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before.wrapping_add(count), Ordering::Relaxed);
    }

    /// The current value.
    #[must_use]
    pub fn value(&self) -> u64 {
        // Relaxed: a number to report, which may be slightly out of date.
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Counts a response with this status.
    #[inline]
    pub fn response(&self, status: u16) {
        let class = (status / 100).checked_sub(1).map(usize::from);
        if let Some(counter) = class.and_then(|class| self.responses.get(class)) {
            counter.add(1);
        }
    }
}

impl Totals {
    /// The sums over all workers.
    pub fn of<'c>(workers: impl IntoIterator<Item = &'c Counters>) -> Self {
        let mut totals = Self::default();
        for worker in workers {
            totals.add(worker);
        }
        totals
    }
}

/// A counter, or several, that can be added to a total.
trait AddTo<T> {
    fn add_to(&self, total: &mut T);
}

impl AddTo<u64> for Counter {
    fn add_to(&self, total: &mut u64) {
        *total += self.value();
    }
}

impl<const N: usize> AddTo<[u64; N]> for [Counter; N] {
    fn add_to(&self, total: &mut [u64; N]) {
        for (total, counter) in total.iter_mut().zip(self) {
            counter.add_to(total);
        }
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
