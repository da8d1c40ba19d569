//! What routes say beside their match, compiled: one policy for all that say the same.
//!
//! A route begins with `defaults`, and what it says itself takes its place: key by key, and in
//! header rules name by name.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::config::compile::Compiler;
use crate::config::cors::cors;
use crate::config::header_rules::set_header_rules;
use crate::config::quantity::{NONE, UP_TO_A_DAY};
use crate::config::raw::At;
use crate::config::raw::policy::{RawPolicy, RawRetry};
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
    pub(super) fn read(compiler: &mut Compiler<'_>, defaults: Option<&RawPolicy>) -> Self {
        let mut policy = RouteOptions::default();
        if let Some(raw) = defaults {
            set_options(compiler, &mut policy, raw);
        }
        Self {
            default_policy: Arc::new(RoutePolicy::compile(&policy)),
            defaults: policy,
            compiled: HashMap::new(),
        }
    }

    /// The options of a route: what it says itself takes the place of `defaults`. `None`: they are
    /// the defaults.
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

    /// The compiled policy of these options, for a version with this deprecation.
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

fn set_options(compiler: &mut Compiler<'_>, policy: &mut RouteOptions, raw: &RawPolicy) {
    let times = &mut policy.forwarding.timeouts;
    compiler.set_duration(&mut times.response, raw.timeout.as_ref(), UP_TO_A_DAY);
    compiler.set_limit(&mut times.per_attempt, raw.try_timeout.as_ref());
    let connect = raw.connect_timeout.as_ref();
    compiler.set_duration(&mut times.connect, connect, UP_TO_A_DAY);
    compiler.set_duration(&mut times.idle, raw.idle_timeout.as_ref(), UP_TO_A_DAY);
    compiler.set_limit(&mut times.exchange, raw.max_duration.as_ref());
    if let Some(raw) = &raw.retry {
        set_retry(compiler, &mut policy.forwarding.retry, raw);
    }
    match &raw.max_body {
        Some(text) if text.value == NONE => policy.max_body_bytes = None,
        Some(text) => {
            let size = compiler.size(text, BODY_BYTES);
            policy.max_body_bytes = size.or(policy.max_body_bytes);
        }
        None => {}
    }
    if let Some(word) = &raw.host {
        match compiler.choose(word, &[("keep", false), ("rewrite", true)]) {
            Some(true) => policy.forwarding.host = HostRule::Rewrite,
            Some(false) => policy.forwarding.host = HostRule::Keep,
            None => {}
        }
    }
    for (rules, raw) in [
        (&mut policy.request_headers, &raw.request_headers),
        (&mut policy.response_headers, &raw.response_headers),
    ] {
        if let Some(raw) = raw {
            set_header_rules(compiler, rules, raw);
        }
    }
    if let Some(raw) = &raw.cors {
        policy.cors = cors(compiler, raw);
    }
}

fn set_retry(compiler: &mut Compiler<'_>, retry: &mut Retry, raw: &RawRetry) {
    match raw {
        RawRetry::Word(word) => {
            if compiler.choose(word, &[(NONE, ())]).is_some() {
                retry.attempts = 0;
            }
        }
        RawRetry::Rules {
            attempts,
            on,
            non_idempotent,
            buffer,
        } => {
            if let Some(text) = attempts {
                let count = compiler.count(text, 0..=MAX_ATTEMPTS);
                retry.attempts = count.unwrap_or(retry.attempts);
            }
            if let Some(on) = on {
                retry.on = retry_on(compiler, on);
            }
            if let Some(at) = non_idempotent {
                retry.non_idempotent = at.value;
            }
            let size = buffer.as_ref();
            let size = size.and_then(|text| compiler.size(text, BUFFER_BYTES));
            if let Some(size) = size.and_then(|size| usize::try_from(size).ok()) {
                retry.buffer_bytes = size;
            }
        }
    }
}

fn retry_on(compiler: &mut Compiler<'_>, list: &At<Vec<At<String>>>) -> RetryOn {
    let mut on = RetryOn::default();
    for text in &list.value {
        let word = text.value.as_str();
        match (word, word.parse::<u16>()) {
            // It is always tried elsewhere; one may say so.
            ("connect-failure", _) => {}
            ("reset", _) => on.reset = true,
            ("timeout", _) => on.timeout = true,
            ("5xx", _) => on.statuses.extend(500..=599),
            (_, Ok(status @ 500..=599)) => on.statuses.push(status),
            (_, Ok(_)) => {
                let message = format!("{word} is no failure of a backend");
                let help = "a retry is for statuses from 500 to 599".into();
                compiler.fault(text.place, "config.value", message, Some(help));
            }
            (_, Err(_)) => {
                compiler.choose(text, &RETRY_ON);
            }
        }
    }
    on.statuses.sort_unstable();
    on.statuses.dedup();
    on
}

/// The words of `retry.on`, and what stands for all that are numbers.
const RETRY_ON: [(&str, ()); 5] = [
    ("connect-failure", ()),
    ("reset", ()),
    ("timeout", ()),
    ("5xx", ()),
    ("503", ()),
];

const MAX_ATTEMPTS: u32 = 10;
/// A body may be refused whole; what is larger than the most is as good as any.
const BODY_BYTES: RangeInclusive<u64> = 0..=1 << 40;
/// A buffer is held for each request in flight.
const BUFFER_BYTES: RangeInclusive<u64> = 0..=16 << 20;
