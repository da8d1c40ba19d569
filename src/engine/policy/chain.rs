//! The policy chain of a route: the options that it is compiled from, and the order of its
//! policies.

use std::sync::Arc;

use crate::engine::policy::body_limit::BodyLimit;
use crate::engine::policy::cors::Cors;
use crate::engine::policy::deprecation::Deprecation;
use crate::engine::policy::headers::HeaderRules;
use crate::engine::policy::redirect::Redirect;
use crate::engine::policy::verdict::{Phase, RequestContext, ResponseContext, Verdict};
use crate::engine::semantics::{Edits, Forwarding, HostRule};

/// The options of a route, as configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteOptions {
    /// Timeouts, retries and the `Host` of the upstream request.
    pub forwarding: Forwarding,
    /// The maximum length of a request body in bytes; `None`: unlimited. Default: 1 GiB.
    pub max_body_bytes: Option<u64>,
    /// Changes to the header of requests.
    pub request_headers: HeaderRules,
    /// Changes to the header of responses.
    pub response_headers: HeaderRules,
    /// A redirect in place of a backend.
    pub redirect: Option<Redirect>,
    /// Cross-origin requests that browsers may send (the Fetch standard); `None`: no CORS fields.
    pub cors: Option<Cors>,
    /// The announcement of the end of a version.
    pub deprecation: Option<Arc<Deprecation>>,
}

/// The compiled options of a route: its forwarding settings and its policy chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePolicy {
    forwarding: Forwarding,
    chain: Chain,
}

/// The policies of a route, in the order of their phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    policies: Box<[Policy]>,
    /// The number of policies with a verdict on requests; they come first.
    verdicts: usize,
}

/// One rule that admits, rejects or shapes the requests and responses of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Cross-origin resource sharing.
    Cors(Cors),
    /// The maximum length of a request body.
    BodyLimit(BodyLimit),
    /// A redirect in place of a backend.
    Redirect(Redirect),
    /// Changes to the header of requests.
    RequestHeaders(HeaderRules),
    /// The fields `Deprecation`, `Sunset` and `Link` of a version.
    Deprecation(Arc<Deprecation>),
    /// Changes to the header of responses.
    ResponseHeaders(HeaderRules),
}

impl Default for RouteOptions {
    fn default() -> Self {
        Self {
            forwarding: Forwarding::default(),
            max_body_bytes: Some(1 << 30),
            request_headers: HeaderRules::default(),
            response_headers: HeaderRules::default(),
            redirect: None,
            cors: None,
            deprecation: None,
        }
    }
}

impl Default for RoutePolicy {
    fn default() -> Self {
        Self::compile(&RouteOptions::default())
    }
}

impl RoutePolicy {
    /// Compiles the options of a route.
    #[must_use]
    pub fn compile(options: &RouteOptions) -> Self {
        let mut forwarding = options.forwarding.clone();
        if let Some(host) = options.request_headers.host() {
            forwarding.host = HostRule::Set(host.into());
        }
        Self {
            forwarding,
            chain: Chain::compile(options),
        }
    }

    /// The forwarding settings.
    #[must_use]
    pub const fn forwarding(&self) -> &Forwarding {
        &self.forwarding
    }

    /// The policy chain.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }
}

impl Chain {
    fn compile(options: &RouteOptions) -> Self {
        let headers = |rules: &HeaderRules| (!rules.is_empty()).then(|| rules.clone());
        // A redirect does not read the body.
        let limit = options
            .max_body_bytes
            .filter(|_| options.redirect.is_none());
        let all = [
            options.cors.clone().map(Policy::Cors),
            limit.map(BodyLimit::new).map(Policy::BodyLimit),
            options.redirect.clone().map(Policy::Redirect),
            headers(&options.request_headers).map(Policy::RequestHeaders),
            options.deprecation.clone().map(Policy::Deprecation),
            headers(&options.response_headers).map(Policy::ResponseHeaders),
        ];
        let mut policies: Vec<Policy> = all.into_iter().flatten().collect();
        policies.sort_by_key(Policy::phase);
        Self {
            verdicts: policies.partition_point(|policy| policy.phase() < Phase::Request),
            policies: policies.into(),
        }
    }

    /// The policies, in the order in which they run.
    #[must_use]
    pub const fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The maximum length of a request body in bytes; `None`: unlimited.
    #[must_use]
    pub fn max_body_bytes(&self) -> Option<u64> {
        let mut policies = self.policies.iter();
        policies.find_map(|policy| {
            if let Policy::BodyLimit(limit) = policy {
                Some(limit.max_bytes())
            } else {
                None
            }
        })
    }

    /// The CORS policy.
    #[must_use]
    pub fn cors(&self) -> Option<&Cors> {
        let mut policies = self.policies.iter();
        policies.find_map(|policy| {
            if let Policy::Cors(cors) = policy {
                Some(cors)
            } else {
                None
            }
        })
    }

    /// The redirect that responds in place of a backend.
    #[must_use]
    pub fn redirect(&self) -> Option<&Redirect> {
        let mut policies = self.policies.iter();
        policies.find_map(|policy| {
            if let Policy::Redirect(redirect) = policy {
                Some(redirect)
            } else {
                None
            }
        })
    }

    /// The announcement of the end of a version.
    #[must_use]
    pub fn deprecation(&self) -> Option<&Deprecation> {
        let mut policies = self.policies.iter();
        policies.find_map(|policy| {
            if let Policy::Deprecation(deprecation) = policy {
                Some(&**deprecation)
            } else {
                None
            }
        })
    }

    /// Runs the policies on a request; returns the first verdict other than [`Verdict::Continue`].
    #[inline]
    #[must_use]
    pub fn on_request(&self, context: &RequestContext<'_>) -> Verdict {
        for policy in self.policies.iter().take(self.verdicts) {
            match policy.on_request(context) {
                Verdict::Continue => {}
                verdict @ (Verdict::Redirect { .. } | Verdict::Reject(_)) => return verdict,
            }
        }
        Verdict::Continue
    }

    /// Adds the changes to an upstream request.
    pub fn on_forward(&self, edits: &mut Edits) {
        for policy in self.policies.iter().skip(self.verdicts) {
            policy.on_forward(edits);
        }
    }

    /// Adds the changes to a response of the backend.
    pub fn on_response(&self, context: &ResponseContext<'_>, edits: &mut Edits) {
        for policy in &self.policies {
            policy.on_response(context, edits);
        }
    }

    /// Adds the changes to a local response.
    pub fn on_local_response(&self, context: &ResponseContext<'_>, edits: &mut Edits) {
        if let Some(cors) = self.cors() {
            cors.on_response(context.origin, edits);
        }
    }
}

impl Policy {
    /// The phase in which the policy runs.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self {
            Self::Cors(_) => Phase::Cors,
            Self::BodyLimit(_) => Phase::Validate,
            Self::Redirect(_) => Phase::Redirect,
            Self::RequestHeaders(_) => Phase::Request,
            Self::Deprecation(_) | Self::ResponseHeaders(_) => Phase::Response,
        }
    }

    /// The name: the key in the configuration.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cors(_) => "cors",
            Self::BodyLimit(_) => "max_body",
            Self::Redirect(_) => "redirect",
            Self::RequestHeaders(_) => "request_headers",
            Self::Deprecation(_) => "deprecated",
            Self::ResponseHeaders(_) => "response_headers",
        }
    }

    /// What the policy does, in one sentence.
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Self::Cors(cors) => cors.explain(),
            Self::BodyLimit(limit) => limit.explain(),
            Self::Redirect(redirect) => redirect.explain(),
            Self::RequestHeaders(rules) => rules.explain("request"),
            Self::Deprecation(deprecation) => deprecation.explain(),
            Self::ResponseHeaders(rules) => rules.explain("response"),
        }
    }

    #[inline]
    fn on_request(&self, context: &RequestContext<'_>) -> Verdict {
        match self {
            Self::BodyLimit(limit) => limit.on_request(context.content_length),
            Self::Redirect(redirect) => redirect.on_request(context.decision),
            Self::Cors(_)
            | Self::RequestHeaders(_)
            | Self::Deprecation(_)
            | Self::ResponseHeaders(_) => Verdict::Continue,
        }
    }

    fn on_forward(&self, edits: &mut Edits) {
        match self {
            Self::RequestHeaders(rules) => rules.apply(edits),
            Self::Cors(_)
            | Self::BodyLimit(_)
            | Self::Redirect(_)
            | Self::Deprecation(_)
            | Self::ResponseHeaders(_) => {}
        }
    }

    fn on_response(&self, context: &ResponseContext<'_>, edits: &mut Edits) {
        match self {
            Self::Cors(cors) => cors.on_response(context.origin, edits),
            Self::Deprecation(deprecation) => deprecation.on_response(edits),
            Self::ResponseHeaders(rules) => rules.apply(edits),
            Self::BodyLimit(_) | Self::Redirect(_) | Self::RequestHeaders(_) => {}
        }
    }
}
