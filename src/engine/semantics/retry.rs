//! Whether a request that failed is sent to another backend.

use std::time::Duration;

use thiserror::Error;

use crate::engine::semantics::budget::RetryBudget;
use crate::engine::semantics::forwarding::Retry;

/// One try that failed.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// What happened.
    pub failure: Failure,
    /// How many tries followed the first, this one counted.
    pub retries: u32,
    /// Whether a byte of an answer has gone to the client.
    pub is_answer_begun: bool,
    /// Whether all that was sent of the body is still there to be sent again.
    pub is_body_kept: bool,
}

/// How a try fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection could be made, so that the backend has seen nothing of the request.
    Connect,
    /// The backend said that it did not look at the request (RFC 9113, section 8.7).
    Refused,
    /// The connection broke before there was an answer.
    Reset,
    /// There was no answer within the time of one try.
    Timeout,
    /// The backend answered with this status.
    Status(u16),
}

/// Why a request is not sent again.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NoRetry {
    /// The client has a part of an answer.
    #[error("the answer had begun")]
    AnswerBegun,
    /// The policy of the route is not about this failure.
    #[error("the route does not retry this failure")]
    NotAskedFor,
    /// Sent twice, the request might be done twice (RFC 9110, section 9.2.2).
    #[error("the method is not idempotent")]
    NotIdempotent,
    /// As many tries as the route admits were made.
    #[error("no try is left")]
    NoneLeft,
    /// The body was too long to be kept.
    #[error("the body cannot be sent again")]
    BodyGone,
    /// Too many others are sent again already.
    #[error("the retry budget is spent")]
    BudgetSpent,
}

/// Whether the request is sent to another backend; if so, the budget is charged. `now` is the time
/// since some fixed beginning.
///
/// A connection that could not be made is always tried elsewhere, whatever the method, and costs
/// nothing: no backend has worked for it, and it is the work that the budget guards. What a backend
/// refused unread is tried elsewhere as well, and is paid for.
///
/// # Errors
/// Why it is not.
pub fn admit_retry(
    policy: &Retry,
    attempt: &Attempt<'_>,
    budget: &mut RetryBudget,
    now: Duration,
) -> Result<(), NoRetry> {
    if attempt.is_answer_begun {
        return Err(NoRetry::AnswerBegun);
    }
    let is_asked_for = match attempt.failure {
        Failure::Connect | Failure::Refused => true,
        Failure::Reset => policy.on.reset,
        Failure::Timeout => policy.on.timeout,
        Failure::Status(status) => policy.on.statuses.contains(&status),
    };
    if !is_asked_for {
        return Err(NoRetry::NotAskedFor);
    }
    let is_unseen = matches!(attempt.failure, Failure::Connect | Failure::Refused);
    if !is_unseen && !policy.non_idempotent && !is_idempotent(attempt.method) {
        return Err(NoRetry::NotIdempotent);
    }
    if attempt.retries >= policy.attempts {
        return Err(NoRetry::NoneLeft);
    }
    if !attempt.is_body_kept {
        return Err(NoRetry::BodyGone);
    }
    if attempt.failure != Failure::Connect && !budget.withdraw(now) {
        return Err(NoRetry::BudgetSpent);
    }
    Ok(())
}

/// Whether a request of this method may be sent twice and mean the same (RFC 9110, section 9.2.2).
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
        is_answer_begun: false,
        is_body_kept: true,
    };

    fn check(policy: &Retry, attempt: Attempt<'_>, expected: Result<(), NoRetry>) {
        let mut budget = RetryBudget::new(BudgetRule::default(), 1);
        let got = admit_retry(policy, &attempt, &mut budget, Duration::ZERO);
        assert_eq!(got, expected, "{attempt:?}");
    }

    #[test]
    fn which_are_sent_again() {
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
            ("GET", Timeout, Err(NoRetry::NotAskedFor)),
            ("GET", Status(502), Ok(())),
            ("GET", Status(503), Ok(())),
            ("GET", Status(504), Err(NoRetry::NotAskedFor)),
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
    fn what_stands_in_the_way() {
        let usual = Retry::default();
        let with = |change: fn(&mut Attempt<'_>)| {
            let mut attempt = FAILED;
            change(&mut attempt);
            attempt
        };
        let begun = with(|attempt| attempt.is_answer_begun = true);
        check(&usual, begun, Err(NoRetry::AnswerBegun));
        check(&usual, with(|attempt| attempt.retries = 1), Ok(()));
        let last = with(|attempt| attempt.retries = 2);
        check(&usual, last, Err(NoRetry::NoneLeft));
        let gone = with(|attempt| attempt.is_body_kept = false);
        check(&usual, gone, Err(NoRetry::BodyGone));
        let any = Retry {
            non_idempotent: true,
            on: RetryOn::default(),
            ..usual
        };
        let post = with(|attempt| attempt.method = "POST");
        check(&any, post, Err(NoRetry::NotAskedFor));
        let on = RetryOn {
            reset: true,
            ..RetryOn::default()
        };
        check(&Retry { on, ..any }, post, Ok(()));
    }

    #[test]
    fn a_spent_budget() {
        let none = BudgetRule {
            percent: 0,
            per_second: 0,
        };
        let mut budget = RetryBudget::new(none, 1);
        let mut admit =
            |attempt| admit_retry(&Retry::default(), &attempt, &mut budget, Duration::ZERO);
        assert_eq!(admit(FAILED), Err(NoRetry::BudgetSpent));
        let refused = Attempt {
            failure: Failure::Refused,
            ..FAILED
        };
        assert_eq!(admit(refused), Err(NoRetry::BudgetSpent));
        let unseen = Attempt {
            failure: Failure::Connect,
            ..FAILED
        };
        assert_eq!(admit(unseen), Ok(()));
    }
}
