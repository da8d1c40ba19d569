//! How long a body may be.

use crate::engine::semantics::error::RequestError;

/// What may still come of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyAllowance {
    limit: Option<u64>,
    left: u64,
}

impl BodyAllowance {
    /// For one request: `limit` is of the policy, `stated` what `Content-Length` says, if it says
    /// anything.
    ///
    /// # Errors
    /// If more is stated than may come; then not a byte has to be read.
    pub const fn new(limit: Option<u64>, stated: Option<u64>) -> Result<Self, RequestError> {
        match (limit, stated) {
            (Some(limit_bytes), Some(stated)) if stated > limit_bytes => {
                Err(RequestError::BodyTooLarge { limit_bytes })
            }
            _ => Ok(Self::up_to(limit)),
        }
    }

    /// So many bytes may come; without a limit any number.
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

    /// So many bytes of the body came.
    ///
    /// # Errors
    /// If all together are too many.
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
            // Nobody has sent as much as can be counted.
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_come() {
        let check = |limit, stated, comes: &[usize], expected: Option<usize>| {
            let refused = match BodyAllowance::new(limit, stated) {
                Err(_) => Some(0),
                Ok(mut left) => {
                    let place = comes.iter().position(|&bytes| left.take(bytes).is_err());
                    place.map(|place| place + 1)
                }
            };
            assert_eq!(refused, expected, "{limit:?} {stated:?} {comes:?}");
        };
        check(Some(10), Some(10), &[4, 6], None);
        check(Some(10), Some(11), &[], Some(0));
        check(Some(10), None, &[4, 6, 0, 1], Some(4));
        check(Some(0), Some(0), &[0], None);
        check(Some(0), None, &[1], Some(1));
        check(None, Some(u64::MAX), &[usize::MAX, 9], None);
    }
}
