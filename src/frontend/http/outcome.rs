//! What came of an exchange, for the log.

use std::net::IpAddr;
use std::time::Instant;

use crate::engine::request::Headers;
use crate::engine::routing::table::RouteId;
use crate::engine::semantics::Protocol;
use crate::engine::semantics::forwarded::client_address;
use crate::engine::semantics::{Request, RequestId};
use crate::frontend::http::admission::Own;
use crate::frontend::http::exchange::Snapshot;
use crate::observe::record::Record;
use crate::runtime::clock;
use crate::runtime::forward::download::Broken;
use crate::runtime::forward::exchange::{Exchange, Failure};
use crate::runtime::worker::Worker;

/// What is known of an exchange so far.
#[derive(Debug)]
pub(super) struct Outcome<'o> {
    worker: &'o Worker,
    /// When it began; none if nobody wants to know.
    begun: Option<Instant>,
    sent_before: u64,
    answer_us: Option<u64>,
    tries: usize,
    pub(super) status: u16,
    pub(super) code: Option<&'static str>,
    /// What went wrong with the backend, in words.
    detail: Option<String>,
    pub(super) route: Option<RouteId>,
    /// The slot of the backend that was tried last.
    slot: Option<u32>,
}

impl<'o> Outcome<'o> {
    /// An exchange begins; so many bytes were sent on its connection before it.
    pub(super) fn begin(worker: &'o Worker, sent_before: u64) -> Self {
        Self {
            worker,
            begun: worker.log.as_ref().map(|_| clock::now()),
            sent_before,
            answer_us: None,
            tries: 0,
            status: 0,
            code: None,
            detail: None,
            route: None,
            slot: None,
        }
    }

    /// There is an answer, or none is to be had.
    pub(super) fn answered(&mut self, exchange: &Exchange<'_>) {
        self.tries = exchange.tries();
        self.slot = exchange.slot;
        self.answer_us = self.begun.map(since);
    }

    /// The gateway answers itself.
    pub(super) fn own(&mut self, own: &Own) {
        self.status = own.status;
        self.code = own.code;
    }

    /// No backend gave an answer.
    pub(super) fn failed(&mut self, failure: &Failure) {
        self.detail = self.begun.map(|_| failure.to_string());
    }

    /// The client has left without its answer.
    pub(super) fn client_left(&mut self) {
        self.worker.counters.clients_left.add(1);
        self.status = CLIENT_LEFT;
    }

    /// The answer broke off.
    pub(super) const fn broken(&mut self, broken: Broken) {
        self.code = Some(match broken {
            Broken::Backend(_) => "upstream.incomplete",
            Broken::Timeout => "upstream.timeout",
            Broken::Stopped => "gateway.draining",
            Broken::Request | Broken::ClientLeft => "client.left",
        });
    }

    /// The exchange is over; so many bytes have been sent on its connection.
    pub(super) fn end<H: Headers + ?Sized>(
        self,
        snapshot: &Snapshot,
        sent: u64,
        request: &Request<'_, H>,
        id: &RequestId<'_>,
    ) {
        let (Some(begun), Some(log)) = (self.begun, &self.worker.log) else {
            return;
        };
        let route = self.route.map(|id| self.worker.route_name(snapshot, id));
        let service = self.route.map(|id| snapshot.table().route_at(id).service());
        let backends = self.route.map(|id| snapshot.cluster(id).backends());
        let mut backends = backends.into_iter().flatten();
        let backend = backends.find(|backend| Some(backend.id) == self.slot);
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
        let duration_us = since(begun);
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
            answer_us: self.answer_us.filter(|_| self.tries > 0),
            route: route.as_deref(),
            service,
            backend: backend.map(|backend| &*backend.name),
            tries: self.tries,
            request_id: std::str::from_utf8(id.as_bytes()).ok(),
            code: self.code,
            detail: self.detail.as_deref(),
            referer: referer.as_deref(),
            user_agent: user_agent.as_deref(),
        };
        log.write(
            &self.worker.counters,
            clock::timestamp(duration_us),
            &mut record,
        );
    }
}

/// Logs the answer to what could not be read as a request.
pub(super) fn log_unread(
    worker: &Worker,
    peer: IpAddr,
    protocol: Protocol,
    own: &Own,
    sent_bytes: u64,
) {
    if let Some(log) = &worker.log {
        let mut record = Record {
            sent_bytes,
            code: own.code,
            ..Record::unread(peer.to_canonical(), name_of(protocol), own.status)
        };
        log.write(&worker.counters, clock::timestamp(0), &mut record);
    }
}

const fn name_of(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http10 => "HTTP/1.0",
        Protocol::Http11 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    }
}

/// What nginx logs for a client that left before its answer.
const CLIENT_LEFT: u16 = 499;

fn since(begun: Instant) -> u64 {
    let passed = clock::now().saturating_duration_since(begun);
    u64::try_from(passed.as_micros()).unwrap_or(u64::MAX)
}
