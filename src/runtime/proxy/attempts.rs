//! Attempts at one request: pick a backend, send the request, and retry where the policy allows it.

use crate::engine::semantics::retry::{self, Attempt};
use crate::engine::upstream::{Backend, Protocol};
use crate::runtime::proxy::downstream::Downstream;
use crate::runtime::proxy::failure::Failure;
use crate::runtime::proxy::http1_attempt::attempt_http1;
use crate::runtime::proxy::http2_attempt::attempt_http2;
use crate::runtime::proxy::pending::PendingRequest;
use crate::runtime::proxy::response::UpstreamResponse;

use crate::runtime::upstream::UpstreamError;

/// Sends the request until a backend responds.
///
/// # Errors
/// If no attempt gets a response.
pub(super) async fn attempt_until_response(
    pending: &mut PendingRequest<'_, '_>,
    downstream: &mut Downstream<'_, '_>,
) -> Result<UpstreamResponse, Failure> {
    loop {
        let backend = pick(pending)?;
        downstream.record_pick(backend);
        let result = attempt(pending, backend, downstream).await;
        if !is_retried(pending, &result) {
            pending.deadline.clear();
            return result;
        }
        pending.worker.counters.retries.add(1);
    }
}

/// Picks the next backend: one without an attempt if there is one, otherwise not that of the last
/// attempt.
fn pick<'s>(pending: &mut PendingRequest<'_, 's>) -> Result<&'s Backend, Failure> {
    let plan = pending.admitted.plan;
    let next = || {
        plan.pick()
            .map(|pick| pick.backend)
            .ok_or(Failure::NoBackend)
    };
    let mut backend = next()?;
    let last = pending.backend.map(|backend| backend.id);
    pending.failed.extend(last);
    for _ in 0..pending.failed.len().min(MAX_SKIPPED_PICKS) {
        if !pending.failed.contains(&backend.id) {
            break;
        }
        backend = next()?;
    }
    // Each had an attempt, and other requests have moved the cursor.
    if last == Some(backend.id) {
        backend = next()?;
    }
    pending.backend = Some(backend);
    Ok(backend)
}

/// Makes one attempt.
async fn attempt(
    pending: &mut PendingRequest<'_, '_>,
    backend: &Backend,
    downstream: &mut Downstream<'_, '_>,
) -> Result<UpstreamResponse, Failure> {
    let (worker, upstream) = (pending.worker, pending.admitted.plan.cluster().upstream());
    let max_in_flight = upstream
        .max_in_flight
        .and_then(|max| usize::try_from(max).ok())
        .unwrap_or(worker.settings.in_flight_per_backend);
    let lease = worker.upstreams.lease(backend, upstream, max_in_flight)?;
    match upstream.protocol {
        Protocol::H1 => attempt_http1(pending, backend, lease, downstream).await,
        Protocol::H2 => attempt_http2(pending, backend, lease, downstream).await,
    }
}

/// Whether another attempt follows. If so, the retry budget is charged.
fn is_retried(
    pending: &PendingRequest<'_, '_>,
    result: &Result<UpstreamResponse, Failure>,
) -> bool {
    let Some(failure) = retryable_failure(pending, result) else {
        return false;
    };
    let attempt = Attempt {
        method: pending.admitted.request.method,
        failure,
        retries: u32::try_from(pending.failed.len()).unwrap_or(u32::MAX),
        is_response_started: pending.interim_responses > 0,
        is_body_replayable: pending.replay.is_complete(),
    };
    let policy = &pending.policy.retry;
    pending.worker.admits_retry(policy, &attempt)
}

/// How an attempt failed, if another backend might succeed and there is time for it.
fn retryable_failure(
    pending: &PendingRequest<'_, '_>,
    result: &Result<UpstreamResponse, Failure>,
) -> Option<retry::Failure> {
    if pending.is_out_of_time() {
        return None;
    }
    let error = match result {
        Ok(response) => return Some(retry::Failure::Status(response.head().status())),
        Err(Failure::Upstream(error)) => error,
        Err(
            Failure::NoBackend
            | Failure::Body(_)
            | Failure::BodyTimeout
            | Failure::Disconnected
            | Failure::Draining,
        ) => return None,
    };
    match error {
        UpstreamError::NameUnresolved(_)
        | UpstreamError::ConnectFailed(_)
        | UpstreamError::ConnectTimeout
        | UpstreamError::TlsFailed(_)
        | UpstreamError::Overloaded => Some(retry::Failure::Connect),
        UpstreamError::Refused => Some(retry::Failure::Refused),
        UpstreamError::Reset => Some(retry::Failure::Reset),
        UpstreamError::Timeout => {
            let due = pending.response_due.unwrap_or(u64::MAX);
            (due > pending.deadline.now()).then_some(retry::Failure::Timeout)
        }
        UpstreamError::HeaderTooLarge(_) | UpstreamError::BadResponse(_) => None,
    }
}

/// How many picks are skipped to find a backend without an attempt.
const MAX_SKIPPED_PICKS: usize = 16;
