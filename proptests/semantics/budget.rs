//! Which attempts are retried, and how many.

use std::time::Duration;

use proptest::prelude::*;
use tollgate::engine::semantics::retry::{Attempt, Failure, admit_retry};
use tollgate::engine::semantics::{BudgetRule, Retry, RetryBudget, RetryOn};

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        Just(Failure::Connect),
        Just(Failure::Refused),
        Just(Failure::Reset),
        Just(Failure::Timeout),
        (500..600_u16).prop_map(Failure::Status),
    ]
}

fn policy() -> impl Strategy<Value = Retry> {
    (
        0..4_u32,
        any::<[bool; 3]>(),
        prop::collection::vec(500..600_u16, 0..50),
    )
        .prop_map(
            |(attempts, [reset, timeout, non_idempotent], statuses)| Retry {
                attempts,
                on: RetryOn {
                    reset,
                    timeout,
                    statuses,
                },
                non_idempotent,
                buffer_bytes: 0,
            },
        )
}

proptest! {
    #[test]
    fn only_safe_retries_are_admitted(
        policy in policy(),
        method in prop::sample::select(
            vec!["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH", "FOO", ""],
        ),
        failure in failure(),
        retries in 0..5_u32,
        [is_response_started, is_body_replayable] in any::<[bool; 2]>(),
    ) {
        let mut budget = RetryBudget::new(BudgetRule::default(), 1);
        let attempt = Attempt { method, failure, retries, is_response_started, is_body_replayable };
        let is_safe = matches!(failure, Failure::Connect | Failure::Refused)
            || ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"].contains(&method);
        if admit_retry(&policy, &attempt, &mut budget, Duration::ZERO).is_ok() {
            prop_assert!(is_safe || policy.non_idempotent);
            prop_assert!(!is_response_started && is_body_replayable && retries < policy.attempts);
        } else if failure == Failure::Connect {
            prop_assert!(is_response_started || !is_body_replayable || retries >= policy.attempts);
        }
    }

    #[test]
    fn no_period_has_more_retries_than_its_share(
        percent in 0..100_u32,
        per_second in 0..20_u32,
        workers in 1..4_u32,
        steps in prop::collection::vec((0..400_u64, 0..10_u32, 0..10_u32), 1..60),
    ) {
        let rule = BudgetRule { percent, per_second };
        let mut budget = RetryBudget::new(rule, workers);
        let mut now = Duration::ZERO;
        // After each step: the time, the requests and the retries so far.
        let mut totals = vec![(Duration::ZERO, 0_u32, 0_u32)];
        for (pause_ms, requests, attempts) in steps {
            now += Duration::from_millis(pause_ms);
            (0..requests).for_each(|_| budget.deposit());
            let had = (0..attempts).filter(|_| budget.withdraw(now)).count();
            let (_, requests_before, retries_before) = *totals.last().unwrap();
            let retries = retries_before + u32::try_from(had).unwrap();
            totals.push((now, requests_before + requests, retries));
        }
        let capacity = u32::try_from(budget.capacity()).unwrap();
        for (place, from) in totals.iter().enumerate() {
            for to in &totals[place..] {
                let share = f64::from(percent) / 100.0 * f64::from(to.1 - from.1);
                let a_second = f64::from(per_second) / f64::from(workers);
                let of_time = a_second * (to.0 - from.0).as_secs_f64();
                let allowed = f64::from(capacity) + share + of_time;
                prop_assert!(f64::from(to.2 - from.2) <= allowed + 1e-6);
            }
        }
        let (end, requests, retries) = *totals.last().unwrap();
        let a_second = f64::from(per_second) / f64::from(workers);
        let allowed = a_second * (1.0 + end.as_secs_f64())
            + f64::from(percent) / 100.0 * f64::from(requests);
        prop_assert!(f64::from(retries) <= allowed + 1e-6, "{retries} of {allowed}");
    }
}
