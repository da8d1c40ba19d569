//! The maximum length of request bodies.

use crate::engine::policy::verdict::Verdict;
use crate::engine::semantics::RequestError;

/// The maximum length of a request body: longer ones are rejected with 413.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit {
    max_bytes: u64,
}

impl BodyLimit {
    /// A limit in bytes.
    #[must_use]
    pub const fn new(max_bytes: u64) -> Self {
        Self { max_bytes }
    }

    /// The limit in bytes.
    #[must_use]
    pub const fn max_bytes(self) -> u64 {
        self.max_bytes
    }

    /// Rejects a request that declares too long a body, before any of it is read.
    #[inline]
    pub(super) const fn on_request(self, content_length: Option<u64>) -> Verdict {
        match content_length {
            Some(length) if length > self.max_bytes => {
                Verdict::Reject(RequestError::BodyTooLarge {
                    limit_bytes: self.max_bytes,
                })
            }
            _ => Verdict::Continue,
        }
    }

    /// What the policy does, in one sentence.
    pub(super) fn explain(self) -> String {
        const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        let bytes = self.max_bytes;
        let unit = UNITS
            .iter()
            .find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
        match unit {
            Some((name, unit)) => format!("rejects request bodies over {}{name}", bytes / unit),
            None => format!("rejects request bodies over {bytes} bytes"),
        }
    }
}

/// The number of body bytes that may still arrive, counted while the body streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyAllowance {
    limit: Option<u64>,
    left: u64,
}

impl BodyAllowance {
    /// Allows `limit` bytes; `None`: any number.
    #[must_use]
    pub const fn up_to(limit: Option<u64>) -> Self {
        Self {
            limit,
            left: match limit {
                Some(limit) => limit,
                None => u64::MAX,
            },
        }
    }

    /// Counts bytes that arrived.
    ///
    /// # Errors
    /// [`RequestError::BodyTooLarge`] if the body exceeds the limit.
    pub fn take(&mut self, bytes: usize) -> Result<(), RequestError> {
        let left = u64::try_from(bytes)
            .ok()
            .and_then(|bytes| self.left.checked_sub(bytes));
        match (left, self.limit) {
            (Some(left), _) => {
                self.left = left;
                Ok(())
            }
            (None, Some(limit_bytes)) => Err(RequestError::BodyTooLarge { limit_bytes }),
            // No body exceeds `u64::MAX` bytes.
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_lengths() {
        let limit = BodyLimit::new(10);
        for (declared, is_rejected) in [(None, false), (Some(10), false), (Some(11), true)] {
            let verdict = limit.on_request(declared);
            let rejected = Verdict::Reject(RequestError::BodyTooLarge { limit_bytes: 10 });
            assert_eq!(verdict == rejected, is_rejected, "{declared:?}");
        }
    }

    #[test]
    fn streamed_lengths() {
        let check = |limit, arrives: &[usize], expected: Option<usize>| {
            let mut left = BodyAllowance::up_to(limit);
            let rejected = arrives.iter().position(|&bytes| left.take(bytes).is_err());
            assert_eq!(rejected, expected, "{limit:?} {arrives:?}");
        };
        check(Some(10), &[4, 6], None);
        check(Some(10), &[4, 6, 0, 1], Some(3));
        check(Some(0), &[0], None);
        check(Some(0), &[1], Some(0));
        check(None, &[usize::MAX, 9], None);
    }
}
