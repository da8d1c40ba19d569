//! Whether a failed attempt is repeated on another backend.

use std::time::Duration;

use thiserror::Error;

use crate::engine::semantics::budget::RetryBudget;
use crate::engine::semantics::forwarding::Retry;

/// A failed attempt.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// How it failed.
    pub failure: Failure,
    /// The number of retries so far: 0 if this was the first attempt.
    pub retries: u32,
    /// Whether the client has received a byte of a response.
    pub is_response_started: bool,
    /// Whether the replay buffer holds everything that was sent of the body.
    pub is_body_replayable: bool,
}

/// How an attempt fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection was established, so the backend has received nothing of the request.
    Connect,
    /// The backend declared that it did not process the request (RFC 9113, section 8.7).
    Refused,
    /// The connection closed before a response.
    Reset,
    /// No response arrived within the timeout of one attempt.
    Timeout,
    /// The backend responded with this status.
    Status(u16),
}

/// Why a failed attempt is not repeated.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NoRetry {
    /// The client has received part of a response.
    #[error("the response has started")]
    ResponseStarted,
    /// The retry settings of the route do not list this failure.
    #[error("the route does not retry this failure")]
    NotConfigured,
    /// A backend could execute the request twice (RFC 9110, section 9.2.2).
    #[error("the method is not idempotent")]
    NotIdempotent,
    /// The route allows no more retries.
    #[error("no attempts are left")]
    NoAttemptsLeft,
    /// The body exceeds the replay buffer.
    #[error("the body exceeds the replay buffer")]
    BodyNotReplayable,
    /// The retry budget is exhausted.
    #[error("the retry budget is exhausted")]
    BudgetExhausted,
}

/// Decides whether a failed attempt is repeated on another backend, and charges the budget if so.
/// `now` is the time since a fixed start.
///
/// A failed connection is retried whatever the method, at no cost: the budget limits the work of
/// backends, and none has worked. A request that a backend did not process is retried whatever the
/// method too, and charged.
///
/// # Errors
/// Why the attempt is not repeated.
pub fn admit_retry(
    policy: &Retry,
    attempt: &Attempt<'_>,
    budget: &mut RetryBudget,
    now: Duration,
) -> Result<(), NoRetry> {
    if attempt.is_response_started {
        return Err(NoRetry::ResponseStarted);
    }
    let is_configured = match attempt.failure {
        Failure::Connect | Failure::Refused => true,
        Failure::Reset => policy.on.reset,
        Failure::Timeout => policy.on.timeout,
        Failure::Status(status) => policy.on.statuses.contains(&status),
    };
    if !is_configured {
        return Err(NoRetry::NotConfigured);
    }
    let is_unprocessed = matches!(attempt.failure, Failure::Connect | Failure::Refused);
    if !is_unprocessed && !policy.non_idempotent && !is_idempotent(attempt.method) {
        return Err(NoRetry::NotIdempotent);
    }
    if attempt.retries >= policy.attempts {
        return Err(NoRetry::NoAttemptsLeft);
    }
    if !attempt.is_body_replayable {
        return Err(NoRetry::BodyNotReplayable);
    }
    if attempt.failure != Failure::Connect && !budget.withdraw(now) {
        return Err(NoRetry::BudgetExhausted);
    }
    Ok(())
}

/// Whether the method is idempotent (RFC 9110, section 9.2.2).
#[must_use]
pub fn is_idempotent(method: &str) -> bool {
    matches!(
        method,
        "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::semantics::budget::BudgetRule;
    use crate::engine::semantics::forwarding::RetryOn;

    const FAILED: Attempt<'static> = Attempt {
        method: "GET",
        failure: Failure::Reset,
        retries: 0,
        is_response_started: false,
        is_body_replayable: true,
    };

    fn check(policy: &Retry, attempt: Attempt<'_>, expected: Result<(), NoRetry>) {
        let mut budget = RetryBudget::new(BudgetRule::default(), 1);
        let got = admit_retry(policy, &attempt, &mut budget, Duration::ZERO);
        assert_eq!(got, expected, "{attempt:?}");
    }

    #[test]
    fn failures_that_are_retried() {
        use Failure::{Connect, Refused, Reset, Status, Timeout};
        let usual = Retry::default();
        for (method, failure, expected) in [
            ("GET", Connect, Ok(())),
            ("POST", Connect, Ok(())),
            ("POST", Refused, Ok(())),
            ("GET", Reset, Ok(())),
            ("DELETE", Reset, Ok(())),
            ("POST", Reset, Err(NoRetry::NotIdempotent)),
            ("get", Reset, Err(NoRetry::NotIdempotent)),
            ("GET", Timeout, Err(NoRetry::NotConfigured)),
            ("GET", Status(502), Ok(())),
            ("GET", Status(503), Ok(())),
            ("GET", Status(504), Err(NoRetry::NotConfigured)),
            ("PATCH", Status(503), Err(NoRetry::NotIdempotent)),
        ] {
            let attempt = Attempt {
                method,
                failure,
                ..FAILED
            };
            check(&usual, attempt, expected);
        }
    }

    #[test]
    fn reasons_not_to_retry() {
        let usual = Retry::default();
        let with = |change: fn(&mut Attempt<'_>)| {
            let mut attempt = FAILED;
            change(&mut attempt);
            attempt
        };
        let started = with(|attempt| attempt.is_response_started = true);
        check(&usual, started, Err(NoRetry::ResponseStarted));
        check(&usual, with(|attempt| attempt.retries = 1), Ok(()));
        let last = with(|attempt| attempt.retries = 2);
        check(&usual, last, Err(NoRetry::NoAttemptsLeft));
        let not_replayable = with(|attempt| attempt.is_body_replayable = false);
        check(&usual, not_replayable, Err(NoRetry::BodyNotReplayable));
        let any = Retry {
            non_idempotent: true,
            on: RetryOn::default(),
            ..usual
        };
        let post = with(|attempt| attempt.method = "POST");
        check(&any, post, Err(NoRetry::NotConfigured));
        let on = RetryOn {
            reset: true,
            ..RetryOn::default()
        };
        check(&Retry { on, ..any }, post, Ok(()));
    }

    #[test]
    fn an_exhausted_budget() {
        let empty = BudgetRule {
            percent: 0,
            per_second: 0,
        };
        let mut budget = RetryBudget::new(empty, 1);
        let mut admit =
            |attempt| admit_retry(&Retry::default(), &attempt, &mut budget, Duration::ZERO);
        assert_eq!(admit(FAILED), Err(NoRetry::BudgetExhausted));
        let unprocessed = Attempt {
            failure: Failure::Refused,
            ..FAILED
        };
        assert_eq!(admit(unprocessed), Err(NoRetry::BudgetExhausted));
        let unconnected = Attempt {
            failure: Failure::Connect,
            ..FAILED
        };
        assert_eq!(admit(unconnected), Ok(()));
    }
}
