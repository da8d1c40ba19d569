//! One exchange over HTTP/1.1: a request, the decision, the backend's answer, and what the client
//! gets.

use std::net::SocketAddr;
use std::rc::Rc;

use crate::engine::backend::Backend;
use crate::engine::decide::Plan;
use crate::engine::request::RawRequest;
use crate::engine::semantics::hops::Protocol;
use crate::engine::semantics::identity::Random;
use crate::engine::semantics::retry::is_idempotent;
use crate::engine::semantics::{Arrival, Request, response_edits};
use crate::frontend::http::admission::{admit, problem_of};
use crate::frontend::http::connection::Next;
use crate::frontend::http::failure::cause_of;
use crate::frontend::http::outcome::Outcome;
use crate::frontend::http::own::{Manner, codec_edits, send};
use crate::frontend::http::stream_head::StreamHead;
use crate::frontend::http::tunnel::tunnel;
use crate::frontend::http::view::HeadFields;
use crate::http1::edit::{Edit, FieldName, FieldValue};
use crate::http1::length::BodyLength;
use crate::http1::request::{RequestHead, RequestView};
use crate::http1::response::ResponseTo;
use crate::http1::send_request::{OutgoingRequest, write_request};
use crate::http1::send_response::{OutgoingResponse, Sent};
use crate::http1::version::Version;
use crate::runtime::forward::answer::{Answer, AnswerHead, Came};
use crate::runtime::forward::body::IncomingBody;
use crate::runtime::forward::download::Download;
use crate::runtime::forward::exchange::{Exchange, Failure, Outgoing};
use crate::runtime::forward::requester::{Client, Requester};
use crate::runtime::http2::fields::fields_of;
use crate::runtime::sweep::Watch;
use crate::runtime::upstream::fault::UpstreamFault;
use crate::runtime::wire::Wire;
use crate::runtime::worker::{InForce, Scratch, Worker};

/// What one exchange works with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    pub(super) worker: &'c Worker,
    /// The deadline of its task.
    pub(super) watch: &'c Watch,
    /// Who is at the other end of the connection.
    pub(super) peer: SocketAddr,
    pub(super) is_tls: bool,
}

type HttpRequest<'r> = Request<'r, HeadFields<'r>>;

/// Does one exchange; the head of the request is the first `length` bytes on the wire.
pub(super) async fn run(
    context: Context<'_>,
    wire: &mut Wire,
    head: &RequestHead,
    length: usize,
) -> Next {
    let worker = context.worker;
    worker.counters.requests.add(1);
    worker.deposit();
    let buffer = wire.detach(length, &worker.buffers);
    let next = answer(context, wire, head.view(buffer.data())).await;
    worker.buffers.give(buffer);
    next
}

async fn answer(context: Context<'_>, wire: &mut Wire, view: RequestView<'_>) -> Next {
    let worker = context.worker;
    let mut outcome = Outcome::begin(worker, wire.written_bytes);
    let snapshot = worker.snapshot();
    let target = view.origin_target();
    let fields = HeadFields(view);
    let host = view.host().filter(|host| !host.is_empty());
    let raw = RawRequest {
        method: view.method(),
        target: &target,
        host,
        headers: &fields,
    };
    let arrival = Arrival {
        peer: context.peer.ip(),
        is_trusted: worker.settings.is_trusted(context.peer.ip()),
        is_tls: context.is_tls,
        protocol: match view.version() {
            Version::Http10 => Protocol::Http10,
            Version::Http11 => Protocol::Http11,
        },
        host,
        pseudonym: &worker.settings.via,
    };
    let random = worker.random();
    let request = Request::read(&arrival, raw.method, &fields, &random);
    let stated = match view.framing() {
        BodyLength::Length(length) => Some(length),
        BodyLength::None | BodyLength::Chunked | BodyLength::UntilClose => None,
    };
    let mut scratch = worker.take_scratch();
    let next = match admit(&snapshot, &raw, &request, stated, &mut scratch) {
        Ok(plan) => {
            outcome.route = Some(plan.route_id());
            let exchange = HttpExchange {
                context,
                view,
                request: &request,
                random: &random,
                plan: &plan,
            };
            exchange.forward(wire, &mut scratch, &mut outcome).await
        }
        Err(own) => {
            outcome.own(&own);
            let manner = Manner::of(view, view.framing().is_empty(), worker);
            send(worker, context.watch, wire, &own, &scratch, manner).await
        }
    };
    worker.give_scratch(scratch);
    outcome.end(&snapshot, wire.written_bytes, &target, &request);
    next
}

/// An admitted request and all that is known of it.
struct HttpExchange<'x> {
    context: Context<'x>,
    view: RequestView<'x>,
    request: &'x HttpRequest<'x>,
    random: &'x Random,
    plan: &'x Plan<'x>,
}

impl HttpExchange<'_> {
    async fn forward(
        &self,
        wire: &mut Wire,
        scratch: &mut Scratch,
        outcome: &mut Outcome<'_>,
    ) -> Next {
        let policy = self.plan.policy();
        let limits = self.context.worker.settings.head_limits;
        let mut client = Client {
            body: IncomingBody::new(self.view.framing(), limits, policy.max_body_bytes),
            wire,
        };
        self.request.edits(&mut scratch.edits, policy, self.random);
        let edits = codec_edits(&scratch.edits);
        let answered = self.ask(&mut client, &edits, outcome).await;
        drop(edits);
        match answered {
            Ok(answer) => self.respond(client, answer, scratch, outcome).await,
            Err(failure) => self.fail(client, &failure, scratch, outcome).await,
        }
    }

    /// Asks backends until one answers.
    async fn ask(
        &self,
        client: &mut Client<'_>,
        edits: &[Edit<'_>],
        outcome: &mut Outcome<'_>,
    ) -> Result<Answer, Failure> {
        let Context { worker, watch, .. } = self.context;
        let view = self.view;
        let upstream_path = self.plan.upstream_path();
        let mut pieces = [""; 8];
        for (place, piece) in pieces.iter_mut().zip(upstream_path.pieces()) {
            *place = piece;
        }
        let upgrade = view.upgrade().filter(|it| !names_http2(it));
        let upgrade = upgrade.and_then(|it| FieldValue::new(it).ok());
        let write_head = |out: &mut Vec<u8>, backend: &Backend| {
            self.write_head(out, backend, &pieces, edits, upgrade)
        };
        let make_request = |backend: &Backend| self.make_request(backend, &pieces, edits);
        let outgoing = Outgoing {
            write_head: &write_head,
            make_request: &make_request,
            length: view.framing(),
            to: ResponseTo {
                is_head: view.method() == "HEAD",
                asks_upgrade: upgrade.is_some(),
            },
            is_idempotent: is_idempotent(view.method()),
            patience: None,
        };
        let interim = |wire: &mut Wire, response: AnswerHead<'_>| {
            let is_wanted = response.status() != 100 || view.expects_continue();
            if view.version() == Version::Http11 && is_wanted {
                let outgoing = OutgoingResponse {
                    keep_alive: true,
                    ..OutgoingResponse::default()
                };
                // It may do without one that cannot be written.
                let _ = response.write(wire.output(&worker.buffers), &outgoing);
            }
        };
        let mut exchange = Exchange::new(worker, watch, self.plan, outgoing, &interim);
        let answered = exchange.answer(Requester::Wire(client)).await;
        outcome.answered(&exchange.tried);
        answered.map(|(answer, _)| answer)
    }

    fn write_head(
        &self,
        out: &mut Vec<u8>,
        backend: &Backend,
        target: &[&str],
        edits: &[Edit<'_>],
        upgrade: Option<FieldValue<'_>>,
    ) -> Result<(), UpstreamFault> {
        let mut buffer = String::new();
        let policy = self.plan.policy();
        let host = self
            .request
            .upstream_host(policy, &backend.address, &mut buffer);
        let outgoing = OutgoingRequest {
            method: self.view.method(),
            target,
            host: host.and_then(|host| FieldValue::new(host.as_bytes()).ok()),
            body: self.view.framing(),
            edits,
            te_trailers: self.view.te_trailers(),
            upgrade,
            close: false,
        };
        write_request(out, self.view, &outgoing)
            .map_err(|fault| UpstreamFault::BadResponse(fault.to_string()))
    }

    fn make_request(
        &self,
        backend: &Backend,
        target: &[&str],
        edits: &[Edit<'_>],
    ) -> Result<http::Request<()>, UpstreamFault> {
        let mut buffer = String::new();
        let policy = self.plan.policy();
        let host = self
            .request
            .upstream_host(policy, &backend.address, &mut buffer);
        let head = StreamHead {
            method: self.view.method(),
            target,
            host: host.or(self.view.host()).unwrap_or_default(),
            te_trailers: self.view.te_trailers(),
            edits,
        };
        let fields = fields_of(self.view.end_to_end(), self.view.framing());
        head.request(backend, fields)
    }

    /// Passes an answer on.
    async fn respond(
        &self,
        mut client: Client<'_>,
        mut answer: Answer,
        scratch: &mut Scratch,
        outcome: &mut Outcome<'_>,
    ) -> Next {
        let Context { worker, watch, .. } = self.context;
        let (view, policy) = (self.view, self.plan.policy());
        let response = answer.head();
        let status = response.status();
        outcome.status = status;
        worker.counters.response(status);
        let keeps_upstream = response.keeps_alive();
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
        let outgoing = OutgoingResponse {
            to: view.version(),
            is_head: view.method() == "HEAD",
            body: response.length(),
            keep_alive: view.keeps_alive() && is_upload_over && !worker.is_draining(),
            edits: &edits,
            upgrade: response.upgrade().and_then(|it| FieldValue::new(it).ok()),
        };
        let output = client.wire.output(&worker.buffers);
        let written = response.write(output, &outgoing);
        let Sent { body, keep_alive } = match written {
            Ok(sent) => sent,
            Err(fault) => {
                drop(edits);
                let failure = UpstreamFault::BadResponse(fault.to_string()).into();
                return self.fail(client, &failure, scratch, outcome).await;
            }
        };
        let mut backend = match answer.came {
            Came::Wire(mut answer) if status == 101 => {
                answer.wire.consume(answer.head_bytes);
                return tunnel(worker, watch, client.wire, answer.wire, policy).await;
            }
            Came::Wire(answer) => {
                let (body, head) = answer.into_body(worker.settings.head_limits);
                worker.give_response_head(head);
                body
            }
            Came::Stream(answer) => answer.into_body(),
        };
        let mut download = Download::new(policy, answer.ends, body, answer.upload.take());
        let requester = Requester::Wire(&mut client);
        let done = download.run(worker, watch, requester, &mut backend).await;
        if done.is_err() {
            outcome.code = Some("upstream.incomplete");
            return Next::Abort;
        }
        if keeps_upstream
            && is_upload_over
            && let Some(wire) = backend.into_clean_wire()
        {
            let now = worker.sweep.now();
            answer.lease.keep(wire, now, &worker.buffers);
        }
        if keep_alive && client.body.is_complete() {
            Next::Request
        } else {
            Next::Close
        }
    }

    /// Says that there is no answer.
    async fn fail(
        &self,
        client: Client<'_>,
        failure: &Failure,
        scratch: &mut Scratch,
        outcome: &mut Outcome<'_>,
    ) -> Next {
        let Context { worker, watch, .. } = self.context;
        let Some(cause) = cause_of(failure, self.plan) else {
            worker.counters.clients_left.add(1);
            outcome.status = CLIENT_LEFT;
            return Next::Abort;
        };
        let own = problem_of(&cause, self.request, Some(self.plan), scratch);
        outcome.own(&own);
        let manner = Manner::of(self.view, client.body.is_complete(), worker);
        send(worker, watch, client.wire, &own, scratch, manner).await
    }
}

/// Whether a client would change to HTTP/2, which no more is done (RFC 9113, section 3.1). A backend
/// that did would get the requests behind this one unseen: no route would have been asked.
fn names_http2(protocols: &[u8]) -> bool {
    let mut protocols = protocols.split(|byte| *byte == b',');
    protocols.any(|name| {
        let name = name.trim_ascii();
        name.eq_ignore_ascii_case(b"h2c") || name.eq_ignore_ascii_case(b"h2")
    })
}

/// What nginx logs for a client that left before its answer.
pub(super) const CLIENT_LEFT: u16 = 499;

/// The snapshot of an exchange.
pub(super) type Snapshot = Rc<InForce>;
