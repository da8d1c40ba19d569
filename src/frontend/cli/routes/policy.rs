//! The policies of a route, in the words of the configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::config::{DurationText, SizeText};
use crate::engine::policy::{Cors, HeaderRules, Policy};
use crate::engine::routing::RouteId;
use crate::engine::semantics::{HostRule, Retry};
use crate::engine::snapshot::Snapshot;
use crate::engine::upstream::{Protocol, Upstream, UpstreamTls};

/// The effective policies of a route, including defaults. A policy that the route does not have is
/// absent.
#[derive(Debug, Default, Serialize)]
pub(super) struct PolicyView<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redirect: Option<RedirectView<'s>>,
    #[serde(flatten)]
    forwarding: Option<ForwardingView<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_headers: Option<HeaderRulesView<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cors: Option<CorsView<'s>>,
}

#[derive(Debug, Serialize)]
pub(super) struct RedirectView<'s> {
    to: &'s str,
    status: u16,
}

/// Policies for requests that go upstream.
#[derive(Debug, Serialize)]
struct ForwardingView<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    strip_prefix: Option<&'s str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    rewrite_prefix: &'s str,
    timeout: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    try_timeout: Option<String>,
    connect_timeout: String,
    idle_timeout: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_duration: Option<String>,
    retry: RetryView,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_body: Option<String>,
    host: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_headers: Option<HeaderRulesView<'s>>,
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<TlsView<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_in_flight: Option<u32>,
}

#[derive(Debug, Serialize)]
struct RetryView {
    attempts: u32,
    on: Vec<String>,
    non_idempotent: bool,
    buffer: String,
}

#[derive(Debug, Serialize)]
struct HeaderRulesView<'s> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    set: BTreeMap<&'s str, &'s str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    add: BTreeMap<&'s str, Vec<&'s str>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    remove: &'s [Box<str>],
}

#[derive(Debug, Serialize)]
struct CorsView<'s> {
    origins: &'s [Box<str>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    methods: &'s [Box<str>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    headers: &'s [Box<str>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    expose: &'s [Box<str>],
    credentials: bool,
    max_age: String,
}

#[derive(Debug, Serialize)]
struct TlsView<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<&'s str>,
    verify: bool,
}

impl<'s> PolicyView<'s> {
    pub(super) fn of(route: RouteId, snapshot: &'s Snapshot) -> Self {
        let chain = snapshot.policy(route).chain();
        let mut view = Self::default();
        if chain.redirect().is_none() {
            view.forwarding = Some(ForwardingView::of(route, snapshot));
        }
        for policy in chain.policies() {
            match policy {
                Policy::Cors(cors) => view.cors = Some(CorsView::of(cors)),
                Policy::Redirect(redirect) => {
                    view.redirect = Some(RedirectView {
                        to: &redirect.to,
                        status: redirect.status,
                    });
                }
                Policy::RequestHeaders(rules) => {
                    if let Some(forwarding) = &mut view.forwarding {
                        forwarding.request_headers = Some(HeaderRulesView::of(rules));
                    }
                }
                Policy::ResponseHeaders(rules) => {
                    view.response_headers = Some(HeaderRulesView::of(rules));
                }
                // The body limit is listed beside the timeouts, and a deprecation at the service.
                Policy::BodyLimit(_) | Policy::Deprecation(_) => {}
            }
        }
        view
    }
}

impl<'s> ForwardingView<'s> {
    fn of(id: RouteId, snapshot: &'s Snapshot) -> Self {
        let route = snapshot.table().route_at(id);
        let upstream = snapshot.cluster(id).upstream();
        let policy = snapshot.policy(id);
        let forwarding = policy.forwarding();
        let times = &forwarding.timeouts;
        Self {
            strip_prefix: route.stripped_prefix(),
            rewrite_prefix: route.rewrite_prefix(),
            timeout: duration(times.response),
            try_timeout: times.per_attempt.map(duration),
            connect_timeout: duration(times.connect),
            idle_timeout: duration(times.idle),
            max_duration: times.exchange.map(duration),
            retry: RetryView::of(&forwarding.retry),
            max_body: policy
                .chain()
                .max_body_bytes()
                .map(|bytes| SizeText(bytes).to_string()),
            host: match forwarding.host {
                HostRule::Keep => "keep",
                HostRule::Rewrite => "rewrite",
                HostRule::Set(_) => "set",
            },
            request_headers: None,
            protocol: match upstream.protocol {
                Protocol::H1 => "h1",
                Protocol::H2 => "h2",
            },
            tls: TlsView::of(upstream),
            max_in_flight: upstream.max_in_flight,
        }
    }
}

impl RetryView {
    fn of(retry: &Retry) -> Self {
        let words = [
            (true, "connect-failure"),
            (retry.on.reset, "reset"),
            (retry.on.timeout, "timeout"),
        ];
        let words = words.into_iter().filter(|(is_on, _)| *is_on);
        let words = words.map(|(_, word)| word.to_owned());
        let statuses = &retry.on.statuses;
        let all = statuses.iter().copied().eq(500..=599);
        let statuses: Vec<String> = if all {
            vec!["5xx".into()]
        } else {
            statuses.iter().map(u16::to_string).collect()
        };
        Self {
            attempts: retry.attempts,
            on: words.chain(statuses).collect(),
            non_idempotent: retry.non_idempotent,
            buffer: u64::try_from(retry.buffer_bytes).map_or_else(
                |_| retry.buffer_bytes.to_string(),
                |bytes| SizeText(bytes).to_string(),
            ),
        }
    }
}

impl<'s> HeaderRulesView<'s> {
    fn of(rules: &'s HeaderRules) -> Self {
        let mut add: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in &rules.add {
            add.entry(name).or_default().push(value);
        }
        let set = rules.set.iter().map(|(name, value)| (&**name, &**value));
        Self {
            set: set.collect(),
            add,
            remove: &rules.remove,
        }
    }
}

impl<'s> CorsView<'s> {
    fn of(cors: &'s Cors) -> Self {
        Self {
            origins: &cors.origins,
            methods: &cors.methods,
            headers: &cors.headers,
            expose: &cors.expose,
            credentials: cors.credentials,
            max_age: duration(cors.max_age),
        }
    }
}

impl<'s> TlsView<'s> {
    fn of(upstream: &'s Upstream) -> Option<Self> {
        let tls = &upstream.tls;
        (*tls != UpstreamTls::default()).then_some(Self {
            ca: tls.ca.as_deref(),
            server_name: tls.server_name.as_deref(),
            verify: tls.verify,
        })
    }
}

fn duration(duration: Duration) -> String {
    DurationText(duration).to_string()
}
