//! How many requests may be sent again, so that retries do not bury backends in trouble.

use std::time::Duration;

/// How much may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetRule {
    /// Retries for each hundred requests. Default: 20.
    pub percent: u32,
    /// Retries a second beside those, so that a gateway with little to do may retry too. Default:
    /// 10.
    pub per_second: u32,
}

/// Retries that may still be made: a bucket that requests and time fill.
///
/// In any span of time there are at most [`Self::most`] retries more than its requests and its
/// seconds have paid for. It begins with what one second pays.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    /// In millionths of a retry, as is all below.
    balance: u64,
    most: u64,
    a_request: u64,
    a_second: u64,
    /// Until when seconds are paid.
    paid: Duration,
}

impl RetryBudget {
    /// The share of one of so many workers; zero workers count as one.
    #[must_use]
    pub fn new(rule: BudgetRule, workers: u32) -> Self {
        let a_second = u64::from(rule.per_second) * ONE / u64::from(workers.max(1));
        let is_none = rule.percent == 0 && rule.per_second == 0;
        Self {
            balance: a_second,
            // Ten seconds' worth, and so much at least that a share of requests can add up.
            most: if is_none {
                0
            } else {
                (10 * a_second).max(10 * ONE)
            },
            a_request: u64::from(rule.percent) * ONE / 100,
            a_second,
            paid: Duration::ZERO,
        }
    }

    /// A request came, which is no retry.
    pub fn deposit(&mut self) {
        self.fill(self.a_request);
    }

    /// Takes one retry, if there is one. `now` is the time since the beginning; it does not run
    /// back.
    #[must_use]
    pub fn withdraw(&mut self, now: Duration) -> bool {
        let since = now.saturating_sub(self.paid);
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        // Two workers share a second unevenly: what is left of a division is paid later.
        let pay = micros.saturating_mul(self.a_second) / ONE;
        if pay > 0 {
            self.fill(pay);
            self.paid = now;
        }
        let is_paid = self.balance >= ONE;
        if is_paid {
            self.balance -= ONE;
        }
        is_paid
    }

    /// How many retries can be saved up, rounded up.
    #[must_use]
    pub const fn most(&self) -> u64 {
        self.most.div_ceil(ONE)
    }

    const fn fill(&mut self, by: u64) {
        let filled = self.balance.saturating_add(by);
        self.balance = if filled < self.most {
            filled
        } else {
            self.most
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

const ONE: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// How many retries are had at once after these requests and this time.
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
            .take_while(|&is_paid| is_paid)
            .count();
        assert_eq!(got, usize::try_from(expected).unwrap(), "{rule:?}");
    }

    #[test]
    fn what_can_be_spent() {
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
