//! The retry budget: a limit on retries, so that they do not overload failing backends.

use std::time::Duration;

/// The size of a retry budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetRule {
    /// Retries per hundred requests. Default: 20.
    pub percent: u32,
    /// Additional retries per second, so that a gateway with little traffic can retry too.
    /// Default: 10.
    pub per_second: u32,
}

/// A token bucket of retries, which requests and time refill.
///
/// In any period, the number of retries exceeds what its requests and seconds add by at most
/// [`Self::capacity`]. The initial balance is that of one second.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    /// The retries available, in millionths like the other amounts here.
    balance: u64,
    capacity: u64,
    per_request: u64,
    per_second: u64,
    /// The time up to which `per_second` has been added.
    filled_until: Duration,
}

impl RetryBudget {
    /// The share of one worker out of `workers`; 0 counts as 1.
    #[must_use]
    pub fn new(rule: BudgetRule, workers: u32) -> Self {
        let per_second = u64::from(rule.per_second) * ONE / u64::from(workers.max(1));
        let is_disabled = rule.percent == 0 && rule.per_second == 0;
        Self {
            balance: per_second,
            // Ten seconds' worth; at least ten retries, so that fractions can add up.
            capacity: if is_disabled {
                0
            } else {
                (10 * per_second).max(10 * ONE)
            },
            per_request: u64::from(rule.percent) * ONE / 100,
            per_second,
            filled_until: Duration::ZERO,
        }
    }

    /// Adds the share of one request; retries do not count.
    pub fn deposit(&mut self) {
        self.fill(self.per_request);
    }

    /// Takes one retry from the budget; returns whether it had one. `now` is the time since a fixed
    /// start and never decreases.
    #[must_use]
    pub fn withdraw(&mut self, now: Duration) -> bool {
        let elapsed = now.saturating_sub(self.filled_until);
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        // `filled_until` moves only when something is added, so that short steps are not lost.
        let amount = micros.saturating_mul(self.per_second) / ONE;
        if amount > 0 {
            self.fill(amount);
            self.filled_until = now;
        }
        let is_available = self.balance >= ONE;
        if is_available {
            self.balance -= ONE;
        }
        is_available
    }

    /// The largest number of retries that the budget can hold, rounded up.
    #[must_use]
    pub const fn capacity(&self) -> u64 {
        self.capacity.div_ceil(ONE)
    }

    const fn fill(&mut self, by: u64) {
        let filled = self.balance.saturating_add(by);
        self.balance = if filled < self.capacity {
            filled
        } else {
            self.capacity
        };
    }
}

impl Default for BudgetRule {
    fn default() -> Self {
        Self {
            percent: 20,
            per_second: 10,
        }
    }
}

/// One retry in the unit of the amounts.
const ONE: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of retries available after these requests and this time.
    fn check(rule: (u32, u32), workers: u32, requests: u32, after_ms: u64, expected: u32) {
        let (percent, per_second) = rule;
        let rule = BudgetRule {
            percent,
            per_second,
        };
        let mut budget = RetryBudget::new(rule, workers);
        for _ in 0..requests {
            budget.deposit();
        }
        let now = Duration::from_millis(after_ms);
        let got = std::iter::repeat_with(|| budget.withdraw(now))
            .take_while(|&is_available| is_available)
            .count();
        assert_eq!(got, usize::try_from(expected).unwrap(), "{rule:?}");
    }

    #[test]
    fn requests_and_time_add_retries() {
        let usual = (20, 10);
        check(usual, 1, 0, 0, 10);
        check(usual, 1, 50, 0, 20);
        check(usual, 1, 4, 0, 10);
        check(usual, 1, 5, 0, 11);
        check(usual, 1, 1_000_000, 0, 100);
        check(usual, 1, 0, 2500, 35);
        check(usual, 1, 0, 1_000_000_000, 100);
        check(usual, 4, 0, 0, 2);
        check(usual, 4, 0, 200, 3);
        check((20, 0), 1, 10, 5000, 2);
        check((0, 10), 1, 1000, 1000, 20);
        check((0, 0), 1, 1000, 1000, 0);
    }

    #[test]
    fn small_steps_of_time_are_not_lost() {
        let rule = BudgetRule {
            percent: 0,
            per_second: 1,
        };
        let mut budget = RetryBudget::new(rule, 3);
        let steps = 0..=30_000_000_u64;
        let got = steps
            .step_by(777)
            .filter(|&micros| budget.withdraw(Duration::from_micros(micros)))
            .count();
        assert!((9..=10).contains(&got), "{got}");
    }
}
