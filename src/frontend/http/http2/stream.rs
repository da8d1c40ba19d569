//! One stream: a request, the decision, the backend's answer, and what the client gets.

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderValue, Method, Request as HttpRequest, Response, header};

use crate::engine::backend::Backend;
use crate::engine::decide::Plan;
use crate::engine::request::RawRequest;
use crate::engine::semantics::grpc::{answer_type, parse_timeout};
use crate::engine::semantics::hops::Protocol;
use crate::engine::semantics::identity::Random;
use crate::engine::semantics::retry::is_idempotent;
use crate::engine::semantics::{Arrival, Request, response_edits};
use crate::frontend::http::admission::{admit, problem_of};
use crate::frontend::http::exchange::CLIENT_LEFT;
use crate::frontend::http::failure::cause_of;
use crate::frontend::http::http2::connection::Serving;
use crate::frontend::http::http2::own;
use crate::frontend::http::http2::request::{MapFields, RequestHead};
use crate::frontend::http::outcome::Outcome;
use crate::frontend::http::own::codec_edits;
use crate::frontend::http::stream_head::StreamHead;
use crate::http1::edit::{Edit, FieldName, FieldValue};
use crate::http1::length::BodyLength;
use crate::http1::response::ResponseTo;
use crate::http1::send_request::{OutgoingRequest, write_request_of_fields};
use crate::runtime::forward::answer::{Answer, Came};
use crate::runtime::forward::download::Download;
use crate::runtime::forward::exchange::{Exchange, Failure, Outgoing};
use crate::runtime::forward::requester::{Requester, StreamClient};
use crate::runtime::http2::fields::{pairs, retain_end_to_end};
use crate::runtime::http2::stream::IncomingStream;
use crate::runtime::upstream::fault::UpstreamFault;
use crate::runtime::worker::Scratch;

/// Serves a stream to its end.
pub(super) async fn serve(
    serving: Serving,
    request: HttpRequest<RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let worker = &serving.connection.worker;
    worker.counters.requests.add(1);
    worker.deposit();
    let (parts, recv) = request.into_parts();
    let mut client = StreamClient {
        respond,
        body: IncomingStream::new(recv, None),
        answer: None,
    };
    let is_head = parts.method == Method::HEAD;
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let grpc = answer_type(kind.map(HeaderValue::as_bytes));
    let limits = &worker.settings.head_limits;
    match RequestHead::new(parts, client.body.is_complete(), limits) {
        Ok(head) => answer(&serving, &mut client, &head).await,
        Err(cause) => own::send_cause(worker, &mut client, &cause, is_head, grpc),
    }
}

async fn answer(serving: &Serving, client: &mut StreamClient, head: &RequestHead) {
    let connection = &serving.connection;
    let worker = &connection.worker;
    let mut outcome = Outcome::begin(worker, 0);
    let snapshot = worker.snapshot();
    let fields = MapFields(head.fields());
    let raw = RawRequest {
        method: head.method(),
        target: head.target(),
        host: Some(head.host()),
        headers: &fields,
    };
    let peer = connection.peer.ip();
    let arrival = Arrival {
        peer,
        is_trusted: worker.settings.is_trusted(peer),
        is_tls: connection.is_tls,
        protocol: Protocol::Http2,
        host: Some(head.host()),
        pseudonym: &worker.settings.via,
    };
    let random = worker.random();
    let request = Request::read(&arrival, raw.method, &fields, &random);
    let stated = match head.body() {
        BodyLength::Length(length) => Some(length),
        BodyLength::None | BodyLength::Chunked | BodyLength::UntilClose => None,
    };
    let mut scratch = worker.take_scratch();
    let sent_bytes = match admit(&snapshot, &raw, &request, stated, &mut scratch) {
        Ok(plan) => {
            outcome.route = Some(plan.route_id());
            let exchange = StreamExchange {
                serving,
                head,
                request: &request,
                random: &random,
                plan: &plan,
            };
            exchange.forward(client, &mut scratch, &mut outcome).await
        }
        Err(own) => {
            outcome.own(&own);
            own::send(worker, client, &own, &scratch, head.method() == "HEAD")
        }
    };
    worker.give_scratch(scratch);
    outcome.end(&snapshot, sent_bytes, head.target(), &request);
}

/// An admitted request and all that is known of it.
struct StreamExchange<'x> {
    serving: &'x Serving,
    head: &'x RequestHead,
    request: &'x Request<'x, MapFields<'x>>,
    random: &'x Random,
    plan: &'x Plan<'x>,
}

impl StreamExchange<'_> {
    /// Gives how much of a body was sent.
    async fn forward(
        &self,
        client: &mut StreamClient,
        scratch: &mut Scratch,
        outcome: &mut Outcome<'_>,
    ) -> u64 {
        let policy = self.plan.policy();
        client.body.limit(policy.max_body_bytes);
        self.request.edits(&mut scratch.edits, policy, self.random);
        let edits = codec_edits(&scratch.edits);
        let answered = self.ask(client, &edits, outcome).await;
        drop(edits);
        match answered {
            Ok(answer) => self.respond(client, answer, scratch, outcome).await,
            Err(failure) => self.fail(client, &failure, scratch, outcome),
        }
    }

    /// Asks backends until one answers.
    async fn ask(
        &self,
        client: &mut StreamClient,
        edits: &[Edit<'_>],
        outcome: &mut Outcome<'_>,
    ) -> Result<Answer, Failure> {
        let Serving { connection, watch } = self.serving;
        let upstream_path = self.plan.upstream_path();
        let mut pieces = [""; 8];
        for (place, piece) in pieces.iter_mut().zip(upstream_path.pieces()) {
            *place = piece;
        }
        let write_head =
            |out: &mut Vec<u8>, backend: &Backend| self.write_head(out, backend, &pieces, edits);
        let make_request = |backend: &Backend| self.make_request(backend, &pieces, edits);
        let outgoing = Outgoing {
            write_head: &write_head,
            make_request: &make_request,
            length: self.head.body(),
            to: ResponseTo {
                is_head: self.head.method() == "HEAD",
                asks_upgrade: false,
            },
            is_idempotent: is_idempotent(self.head.method()),
            patience: self
                .request
                .noted
                .grpc_timeout
                .only()
                .and_then(parse_timeout),
        };
        let worker = &connection.worker;
        let mut exchange = Exchange::new(worker, watch, self.plan, outgoing, &|_, _| {});
        let answered = exchange.answer(Requester::Stream(client)).await;
        outcome.answered(&exchange.tried);
        answered.map(|(answer, _)| answer)
    }

    fn write_head(
        &self,
        out: &mut Vec<u8>,
        backend: &Backend,
        target: &[&str],
        edits: &[Edit<'_>],
    ) -> Result<(), UpstreamFault> {
        let mut buffer = String::new();
        let policy = self.plan.policy();
        let host = self
            .request
            .upstream_host(policy, &backend.address, &mut buffer);
        let host = host.unwrap_or(self.head.host());
        let outgoing = OutgoingRequest {
            method: self.head.method(),
            target,
            host: FieldValue::new(host.as_bytes()).ok(),
            body: self.head.body(),
            edits,
            te_trailers: self.head.te_trailers(),
            upgrade: None,
            close: false,
        };
        let fields = pairs(self.head.fields());
        write_request_of_fields(out, fields.iter().copied(), &outgoing)
            .map_err(|fault| UpstreamFault::BadResponse(fault.to_string()))
    }

    fn make_request(
        &self,
        backend: &Backend,
        target: &[&str],
        edits: &[Edit<'_>],
    ) -> Result<HttpRequest<()>, UpstreamFault> {
        let mut buffer = String::new();
        let policy = self.plan.policy();
        let host = self
            .request
            .upstream_host(policy, &backend.address, &mut buffer);
        let head = StreamHead {
            method: self.head.method(),
            target,
            host: host.unwrap_or(self.head.host()),
            te_trailers: self.head.te_trailers(),
            edits,
        };
        let mut fields = self.head.fields().clone();
        retain_end_to_end(&mut fields);
        head.request(backend, fields)
    }

    /// Passes an answer on.
    async fn respond(
        &self,
        client: &mut StreamClient,
        mut answer: Answer,
        scratch: &mut Scratch,
        outcome: &mut Outcome<'_>,
    ) -> u64 {
        let Serving { connection, watch } = self.serving;
        let (worker, policy) = (&connection.worker, self.plan.policy());
        let response = answer.head();
        outcome.status = response.status();
        worker.counters.response(response.status());
        let (keeps_upstream, is_whole) = (response.keeps_alive(), !response.has_body());
        let is_upload_over = answer.upload.is_none() && client.body.is_complete();
        let lifecycle = self.plan.route().lifecycle();
        let origin = self.request.noted.origin.only();
        response_edits(&mut scratch.edits, policy, lifecycle, origin);
        let mut edits = codec_edits(&scratch.edits);
        let date = worker.date();
        if !response.is_dated()
            && let Ok(name) = FieldName::new(b"date")
        {
            // RFC 9110, section 6.6.1: whoever passes on what has none adds one.
            let value = FieldValue::new(date.as_bytes()).unwrap_or_default();
            edits.push(Edit::Add { name, value });
        }
        let mut head = Response::new(());
        if let Ok(status) = response.status().try_into() {
            *head.status_mut() = status;
        }
        *head.headers_mut() = answer.take_fields(&edits);
        if client.send_head(head, is_whole).is_err() {
            return self.left(outcome);
        }
        let mut backend = match answer.came {
            Came::Wire(answer) => {
                let (body, head) = answer.into_body(worker.settings.head_limits);
                worker.give_response_head(head);
                body
            }
            Came::Stream(answer) => answer.into_body(),
        };
        let mut download = Download::new(
            policy,
            answer.ends,
            BodyLength::Chunked,
            answer.upload.take(),
        );
        if !is_whole {
            let requester = Requester::Stream(client);
            let done = download.run(worker, watch, requester, &mut backend).await;
            if let Err(broken) = done {
                client.reset(broken.reason());
                outcome.code = Some("upstream.incomplete");
                return download.sent_bytes();
            }
        }
        if keeps_upstream
            && is_upload_over
            && let Some(wire) = backend.into_clean_wire()
        {
            let now = worker.sweep.now();
            answer.lease.keep(wire, now, &worker.buffers);
        }
        download.sent_bytes()
    }

    /// Says that there is no answer.
    fn fail(
        &self,
        client: &mut StreamClient,
        failure: &Failure,
        scratch: &mut Scratch,
        outcome: &mut Outcome<'_>,
    ) -> u64 {
        let Some(cause) = cause_of(failure, self.plan) else {
            client.reset(Reason::CANCEL);
            return self.left(outcome);
        };
        let own = problem_of(&cause, self.request, Some(self.plan), scratch);
        outcome.own(&own);
        let worker = &self.serving.connection.worker;
        own::send(worker, client, &own, scratch, self.head.method() == "HEAD")
    }

    fn left(&self, outcome: &mut Outcome<'_>) -> u64 {
        let worker = &self.serving.connection.worker;
        worker.counters.clients_left.add(1);
        outcome.status = CLIENT_LEFT;
        0
    }
}
