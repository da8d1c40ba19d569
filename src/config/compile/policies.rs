//! The policies of routes: what they state besides their match and their service.
//!
//! A route starts from `defaults` and overrides it key by key, and header rules name by name.
//! Routes that state the same share one policy.

use std::collections::HashSet;
use std::sync::Arc;

use crate::config::compile::compiler::Compiler;
use crate::config::compile::cors::cors;
use crate::config::compile::header_rules::set_header_rules;
use crate::config::keys::{RawFailure, RawPolicy, RawRetry};
use crate::config::read::Either;
use crate::engine::policy::{Policy, Redirect, Retry, RetryOn};

/// Every distinct policy.
#[derive(Debug)]
pub(super) struct Policies {
    defaults: Arc<Policy>,
    known: HashSet<Arc<Policy>>,
}

impl Policies {
    /// The policies of a configuration with these `defaults`, before its routes.
    pub(super) fn compile(compiler: &mut Compiler<'_>, defaults: Option<&RawPolicy>) -> Self {
        let mut policy = Policy::default();
        if let Some(raw) = defaults {
            set_policy(compiler, &mut policy, raw);
        }
        Self {
            defaults: Arc::new(policy),
            known: HashSet::new(),
        }
    }

    /// The policy of a route.
    pub(super) fn of_route(
        &mut self,
        compiler: &mut Compiler<'_>,
        raw: Option<&RawPolicy>,
        redirect: Option<Redirect>,
    ) -> Arc<Policy> {
        if raw.is_none() && redirect.is_none() {
            return Arc::clone(&self.defaults);
        }
        let mut policy = Policy {
            redirect,
            ..Policy::clone(&self.defaults)
        };
        if let Some(raw) = raw {
            set_policy(compiler, &mut policy, raw);
        }
        if policy == *self.defaults {
            return Arc::clone(&self.defaults);
        }
        if let Some(known) = self.known.get(&policy) {
            return Arc::clone(known);
        }
        let policy = Arc::new(policy);
        self.known.insert(Arc::clone(&policy));
        policy
    }
}

fn set_policy(compiler: &mut Compiler<'_>, policy: &mut Policy, raw: &RawPolicy) {
    let timeouts = &mut policy.timeouts;
    set(&mut timeouts.answer, raw.timeout);
    set(&mut timeouts.per_try, raw.try_timeout);
    set(&mut timeouts.connect, raw.connect_timeout);
    set(&mut timeouts.idle, raw.idle_timeout);
    set(&mut timeouts.exchange, raw.max_duration);
    match &raw.retry {
        Some(Either::First(())) => policy.retry.attempts = 0,
        Some(Either::Second(raw)) => set_retry(&mut policy.retry, raw),
        None => {}
    }
    set(&mut policy.max_body_bytes, raw.max_body);
    set(&mut policy.host, raw.host);
    if let Some(raw) = &raw.request_headers {
        set_header_rules(compiler, &mut policy.request_headers, raw);
    }
    if let Some(raw) = &raw.response_headers {
        set_header_rules(compiler, &mut policy.response_headers, raw);
    }
    if let Some(raw) = &raw.cors {
        policy.cors = cors(compiler, raw);
    }
}

fn set_retry(retry: &mut Retry, raw: &RawRetry) {
    set(&mut retry.attempts, raw.attempts);
    set(&mut retry.non_idempotent, raw.non_idempotent);
    set(&mut retry.buffer_bytes, raw.buffer);
    if let Some(on) = &raw.on {
        retry.on = retry_on(&on.value);
    }
}

fn retry_on(failures: &[RawFailure]) -> RetryOn {
    let mut on = RetryOn::default();
    for failure in failures {
        match failure {
            // A failed connection counts whether listed or not.
            RawFailure::Connect => {}
            RawFailure::Reset => on.reset = true,
            RawFailure::Timeout => on.timeout = true,
            RawFailure::ServerError => on.statuses.extend(500..=599),
            RawFailure::Status(status) => on.statuses.push(*status),
        }
    }
    on.statuses.sort_unstable();
    on.statuses.dedup();
    on
}

/// Overrides a setting, if a value is stated.
fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}
