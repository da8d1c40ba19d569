//! The policies of routes: what they state besides their match and their service.
//!
//! A route starts from `defaults` and overrides it key by key, and header rules name by name.
//! Routes that state the same share one policy.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::compile::compiler::Compiler;
use crate::config::compile::cors::cors;
use crate::config::compile::header_rules::set_header_rules;
use crate::config::keys::{RawFailure, RawPolicy, RawRetry};
use crate::config::read::Either;
use crate::engine::policy::{Deprecation, Redirect, RouteOptions, RoutePolicy};
use crate::engine::semantics::{HostRule, Retry, RetryOn};

/// The policies compiled so far.
#[derive(Debug)]
pub(super) struct Policies {
    defaults: RouteOptions,
    default_policy: Arc<RoutePolicy>,
    compiled: HashMap<RouteOptions, Arc<RoutePolicy>>,
}

impl Policies {
    /// The policies of a configuration with these `defaults`, before its routes.
    pub(super) fn new(compiler: &mut Compiler<'_>, raw: Option<&RawPolicy>) -> Self {
        let mut defaults = RouteOptions::default();
        if let Some(raw) = raw {
            set_options(compiler, &mut defaults, raw);
        }
        Self {
            default_policy: Arc::new(RoutePolicy::compile(&defaults)),
            defaults,
            compiled: HashMap::new(),
        }
    }

    /// The options of a route; `None` for the defaults.
    pub(super) fn options(
        &self,
        compiler: &mut Compiler<'_>,
        raw: Option<&RawPolicy>,
        redirect: Option<Redirect>,
    ) -> Option<RouteOptions> {
        if raw.is_none() && redirect.is_none() {
            return None;
        }
        let mut options = RouteOptions {
            redirect,
            ..self.defaults.clone()
        };
        if let Some(raw) = raw {
            set_options(compiler, &mut options, raw);
        }
        Some(options)
    }

    /// The policy compiled from `options`, for a version with this deprecation.
    pub(super) fn compile(
        &mut self,
        options: Option<&RouteOptions>,
        deprecation: Option<Arc<Deprecation>>,
    ) -> Arc<RoutePolicy> {
        let is_default = options.is_none_or(|options| *options == self.defaults);
        if is_default && deprecation.is_none() {
            return Arc::clone(&self.default_policy);
        }
        let options = RouteOptions {
            deprecation,
            ..options.unwrap_or(&self.defaults).clone()
        };
        let compiled = self.compiled.entry(options);
        Arc::clone(compiled.or_insert_with_key(|options| Arc::new(RoutePolicy::compile(options))))
    }
}

fn set_options(compiler: &mut Compiler<'_>, options: &mut RouteOptions, raw: &RawPolicy) {
    let timeouts = &mut options.forwarding.timeouts;
    set(&mut timeouts.response, raw.timeout);
    set(&mut timeouts.per_attempt, raw.try_timeout);
    set(&mut timeouts.connect, raw.connect_timeout);
    set(&mut timeouts.idle, raw.idle_timeout);
    set(&mut timeouts.exchange, raw.max_duration);
    match &raw.retry {
        Some(Either::First(())) => options.forwarding.retry.attempts = 0,
        Some(Either::Second(raw)) => set_retry(&mut options.forwarding.retry, raw),
        None => {}
    }
    set(&mut options.max_body_bytes, raw.max_body);
    match raw.host {
        Some(true) => options.forwarding.host = HostRule::Rewrite,
        Some(false) => options.forwarding.host = HostRule::Keep,
        None => {}
    }
    if let Some(raw) = &raw.request_headers {
        set_header_rules(compiler, &mut options.request_headers, raw);
    }
    if let Some(raw) = &raw.response_headers {
        set_header_rules(compiler, &mut options.response_headers, raw);
    }
    if let Some(raw) = &raw.cors {
        options.cors = cors(compiler, raw);
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
