//! The access-log record of an exchange, as it is collected.

use std::rc::Rc;
use std::time::Instant;

use crate::engine::request::Headers;
use crate::engine::routing::RouteId;
use crate::engine::semantics::forwarded::client_address;
use crate::engine::semantics::{Protocol, Request, RequestId};
use crate::engine::upstream::Backend;
use crate::observe::Record;
use crate::runtime::clock;
use crate::runtime::proxy::failure::{Failure, Interruption};
use crate::runtime::proxy::inbound::{ExchangeContext, RequestHead};
use crate::runtime::proxy::pending::PendingRequest;
use crate::runtime::proxy::rendered::RenderedResponse;
use crate::runtime::worker::{HeldSnapshot, Worker};

/// What is known of an exchange so far.
#[derive(Debug)]
pub(super) struct ExchangeLog<'o> {
    worker: &'o Worker,
    /// `None` if there is no access log.
    started_at: Option<Instant>,
    /// How many bytes were sent on the connection before.
    sent_before: u64,
    /// From the start to the head of the response, in microseconds.
    response_us: Option<u64>,
    attempts: usize,
    status: u16,
    code: Option<&'static str>,
    /// How the backend failed, in words.
    detail: Option<String>,
    route: Option<RouteId>,
    /// The backend of the last attempt.
    backend: Option<&'o Backend>,
}

impl<'o> ExchangeLog<'o> {
    /// An exchange starts; `sent_before` bytes were sent on its connection before.
    pub(super) fn start(worker: &'o Worker, sent_before: u64) -> Self {
        Self {
            worker,
            started_at: worker.log.as_ref().map(|_| clock::now()),
            sent_before,
            response_us: None,
            attempts: 0,
            status: 0,
            code: None,
            detail: None,
            route: None,
            backend: None,
        }
    }

    /// The request was admitted.
    pub(super) const fn admitted(&mut self, route: RouteId) {
        self.route = Some(route);
    }

    /// A backend has responded, or no attempt got a response.
    pub(super) fn attempted(&mut self, pending: &PendingRequest<'_, 'o>) {
        self.attempts = pending.attempts();
        self.backend = pending.backend;
        self.response_us = self.started_at.map(microseconds_since);
    }

    /// The client gets the response of a backend.
    pub(super) fn responded(&mut self, status: u16) {
        self.status = status;
        self.worker.counters.response(status);
    }

    /// The client gets a local response.
    pub(super) fn responded_locally(&mut self, response: &RenderedResponse<'_>) {
        self.status = response.status;
        self.code = response.code();
    }

    /// No attempt got a response.
    pub(super) fn failed(&mut self, failure: &Failure) {
        self.detail = self.started_at.map(|_| failure.to_string());
    }

    /// The client disconnected before the response.
    pub(super) fn disconnected(&mut self) {
        self.worker.counters.clients_left.add(1);
        self.status = CLIENT_CLOSED_REQUEST;
    }

    /// The response is incomplete.
    pub(super) const fn interrupted(&mut self, interruption: Interruption) {
        self.code = Some(interruption.code());
    }

    /// The exchange is over; `sent` bytes were sent on the connection so far. Writes the record.
    pub(super) fn finish(
        self,
        snapshot: &Rc<HeldSnapshot>,
        sent: u64,
        request: &Request<'_, RequestHead<'_>>,
        id: &RequestId<'_>,
    ) {
        let (Some(started_at), Some(log)) = (self.started_at, &self.worker.log) else {
            return;
        };
        let route = self.route.map(|id| self.worker.route_name(snapshot, id));
        let service = self.route.map(|id| snapshot.table().route_at(id).service());
        let settings = &self.worker.settings;
        let arrival = request.arrival;
        let (mut referer, mut user_agent) = (None, None);
        for (name, value) in request.headers.fields() {
            let place = match name.len() {
                7 if name.eq_ignore_ascii_case(b"referer") => &mut referer,
                10 if name.eq_ignore_ascii_case(b"user-agent") => &mut user_agent,
                _ => continue,
            };
            *place = Some(String::from_utf8_lossy(value));
        }
        let duration_us = microseconds_since(started_at);
        let mut record = Record {
            time: "",
            client: client_address(arrival.peer, request.headers, |it| settings.is_trusted(it)),
            protocol: name_of(arrival.protocol),
            method: request.method,
            path: request.target,
            host: arrival.host,
            status: self.status,
            sent_bytes: sent - self.sent_before,
            duration_us,
            answer_us: self.response_us.filter(|_| self.attempts > 0),
            route: route.as_deref(),
            service,
            backend: self.backend.map(|backend| &*backend.name),
            tries: self.attempts,
            request_id: std::str::from_utf8(id.as_bytes()).ok(),
            code: self.code,
            detail: self.detail.as_deref(),
            referer: referer.as_deref(),
            user_agent: user_agent.as_deref(),
        };
        let at = clock::timestamp(duration_us);
        log.write(&self.worker.counters, at, &mut record);
    }
}

/// Logs the local response to what could not be read as a request.
pub(super) fn log_unreadable(
    context: &ExchangeContext<'_>,
    protocol: Protocol,
    response: &RenderedResponse<'_>,
    sent_bytes: u64,
) {
    if let Some(log) = &context.worker.log {
        let (peer, protocol) = (context.peer.to_canonical(), name_of(protocol));
        let mut record = Record {
            sent_bytes,
            code: response.code(),
            ..Record::unread(peer, protocol, response.status)
        };
        log.write(&context.worker.counters, clock::timestamp(0), &mut record);
    }
}

const fn name_of(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http10 => "HTTP/1.0",
        Protocol::Http11 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    }
}

/// The status that nginx logs for a client that disconnected before the response.
const CLIENT_CLOSED_REQUEST: u16 = 499;

fn microseconds_since(started_at: Instant) -> u64 {
    let passed = clock::now().saturating_duration_since(started_at);
    u64::try_from(passed.as_micros()).unwrap_or(u64::MAX)
}
