//! One exchange over HTTP/1.1: a request, the decision, the backend's answer, and what the client
//! gets.

use std::net::SocketAddr;
use std::rc::Rc;

use crate::engine::plan::Plan;
use crate::engine::policy::BodyAllowance;
use crate::engine::semantics::Protocol;
use crate::engine::semantics::{Arrival, Request};
use crate::engine::semantics::{Random, RequestId};
use crate::engine::upstream::backend::Backend;
use crate::frontend::http::admission::{admit, answer_edits, problem_of};
use crate::frontend::http::connection::Next;
use crate::frontend::http::going::{Going, cause_of};
use crate::frontend::http::outcome::Outcome;
use crate::frontend::http::own::{Manner, send};
use crate::frontend::http::tunnel::tunnel;
use crate::frontend::http::view::HeadFields;
use crate::http1::edit::FieldValue;
use crate::http1::length::BodyLength;
use crate::http1::request::{RequestHead, RequestView};
use crate::http1::send_error::SendError;
use crate::http1::send_request::write_request;
use crate::http1::send_response::{OutgoingResponse, Sent};
use crate::http1::version::Version;
use crate::runtime::boxed::boxed;
use crate::runtime::forward::answer::{Answer, AnswerHead, Came};
use crate::runtime::forward::body::IncomingBody;
use crate::runtime::forward::download::{Broken, Download};
use crate::runtime::forward::exchange::{Exchange, Failure};
use crate::runtime::forward::requester::{Client, Requester};
use crate::runtime::http2::fields::fields_of;
use crate::runtime::sweep::Watch;
use crate::runtime::upstream::error::UpstreamError;
use crate::runtime::wire::Wire;
use crate::runtime::worker::{InForce, Worker};

/// What one exchange works with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    pub(super) worker: &'c Worker,
    /// The deadline of its task.
    pub(super) watch: &'c Watch,
    /// Who is at the other end of the connection.
    pub(super) peer: SocketAddr,
    pub(super) is_tls: bool,
    /// The port to which every request is redirected; none: they are served.
    pub(super) redirect_to: Option<u16>,
}

type HttpRequest<'r> = Request<'r, HeadFields<'r>>;

/// Does one exchange; the head of the request is the first `length` bytes on the wire.
pub(super) async fn run(
    context: &Context<'_>,
    wire: &mut Wire,
    head: &RequestHead,
    length: usize,
) -> Next {
    let worker = context.worker;
    worker.counters.requests.add(1);
    worker.deposit();
    let bytes = wire.take_head(length, &worker.buffers);
    let next = answer(context, wire, head.view(&bytes)).await;
    worker.buffers.give_output(bytes);
    next
}

async fn answer(context: &Context<'_>, wire: &mut Wire, view: RequestView<'_>) -> Next {
    let worker = context.worker;
    let mut outcome = Outcome::begin(worker, wire.written_bytes);
    let snapshot = worker.snapshot();
    let target = view.origin_target();
    let fields = HeadFields(view);
    let host = view.host().filter(|host| !host.is_empty());
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
        https_port: context.redirect_to,
    };
    let declared = match view.framing() {
        BodyLength::Length(length) => Some(length),
        BodyLength::None | BodyLength::Chunked | BodyLength::UntilClose => None,
    };
    let random = worker.random();
    let request = Request::read(&arrival, (view.method(), &target), &fields, declared);
    let id = RequestId::of(&request.fields, &random);
    let mut scratch = worker.take_scratch();
    let admitted = admit(&snapshot, &request, &id, &mut scratch);
    let next = match admitted {
        Ok(plan) => {
            outcome.route = Some(plan.route_id());
            worker.give_scratch(scratch);
            let exchange = HttpExchange {
                context,
                view,
                request: &request,
                id: &id,
                random: &random,
                plan: &plan,
            };
            exchange.forward(wire, &mut outcome).await
        }
        Err(own) => {
            outcome.own(&own);
            let manner = Manner::of(view, view.framing().is_empty(), worker);
            let next = send(worker, context.watch, wire, &own, &scratch, manner).await;
            worker.give_scratch(scratch);
            next
        }
    };
    outcome.end(&snapshot, wire.written_bytes, &request, &id);
    next
}

/// An admitted request and all that is known of it.
struct HttpExchange<'x> {
    context: &'x Context<'x>,
    view: RequestView<'x>,
    request: &'x HttpRequest<'x>,
    id: &'x RequestId<'x>,
    random: &'x Random,
    plan: &'x Plan<'x>,
}

impl HttpExchange<'_> {
    async fn forward(&self, wire: &mut Wire, outcome: &mut Outcome<'_>) -> Next {
        let chain = self.plan.chain();
        let limits = self.context.worker.settings.head_limits;
        let mut client = Client {
            body: IncomingBody::new(
                self.view.framing(),
                limits,
                BodyAllowance::up_to(chain.max_body_bytes()),
            ),
            wire,
        };
        match self.ask(&mut client, outcome).await {
            Ok(answer) => self.respond(&mut client, answer, outcome).await,
            Err(failure) => self.fail(&mut client, &failure, outcome).await,
        }
    }

    /// Asks backends until one answers.
    async fn ask(
        &self,
        client: &mut Client<'_>,
        outcome: &mut Outcome<'_>,
    ) -> Result<Answer, Failure> {
        let Context { worker, watch, .. } = *self.context;
        let view = self.view;
        let going = Going {
            worker,
            request: self.request,
            id: self.id,
            plan: self.plan,
            random: self.random,
            body: view.framing(),
            te_trailers: view.te_trailers(),
            // Behind a body, whoever changes protocols would do it in the middle of that.
            upgrade: view
                .upgrade()
                .filter(|it| view.framing().is_empty() && !names_http2(it))
                .and_then(|it| FieldValue::new(it).ok()),
            copies_host: true,
        };
        let write_head = |out: &mut Vec<u8>, backend: &Backend| {
            going.write(backend, |outgoing| write_request(out, view, outgoing))
        };
        let make_request =
            |backend: &Backend| going.make(backend, fields_of(view.end_to_end(), view.framing()));
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
        let outgoing = going.outgoing(&write_head, &make_request);
        let mut exchange = Exchange::new(worker, watch, self.plan, outgoing, &interim);
        let answered = exchange.answer(Requester::Wire(client)).await;
        outcome.answered(&exchange);
        answered.map(|(answer, _)| answer)
    }

    /// Passes an answer on.
    async fn respond(
        &self,
        client: &mut Client<'_>,
        mut answer: Answer,
        outcome: &mut Outcome<'_>,
    ) -> Next {
        let Context { worker, watch, .. } = *self.context;
        let response = answer.head();
        let status = response.status();
        let keeps_upstream = response.keeps_alive();
        let is_upload_over = answer.upload.is_none() && client.body.is_complete();
        let may_stay = is_upload_over && !worker.is_draining();
        let written = self.write_response(client.wire, response, may_stay);
        let Sent { body, keep_alive } = match written {
            Ok(sent) => sent,
            Err(fault) => {
                let failure = UpstreamError::BadResponse(fault.to_string()).into();
                return self.fail(client, &failure, outcome).await;
            }
        };
        outcome.status = status;
        worker.counters.response(status);
        let ends = answer.ends;
        let mut backend = match answer.came {
            Came::Wire(answer) if status == 101 => {
                let policy = self.plan.forwarding();
                let backend = answer.into_wire(worker);
                let tunnel = || tunnel(worker, watch, client.wire, backend, policy, ends);
                // Boxed, so that other exchanges need no room for it.
                return boxed(tunnel).await;
            }
            came @ (Came::Wire(_) | Came::Stream(_)) => came.into_body(worker),
        };
        let upload = answer.upload.take();
        let mut download = Download::new(self.plan.forwarding(), answer.ends, body, upload);
        let requester = Requester::Wire(client);
        if let Err(broken) = download.run(worker, watch, requester, &mut backend).await {
            outcome.broken(broken);
            // A client that knows where the body should have ended sees that a part is missing;
            // what came before that shall reach it.
            let is_framed = body != BodyLength::UntilClose;
            return match broken {
                Broken::Backend(_) if is_framed => Next::Close,
                Broken::Backend(_)
                | Broken::Request
                | Broken::ClientLeft
                | Broken::Timeout
                | Broken::Stopped => Next::Abort,
            };
        }
        if keeps_upstream && is_upload_over {
            backend.keep(&answer.lease, worker);
        }
        match client.body.is_complete() {
            true if keep_alive => Next::Request,
            true if !self.view.keeps_alive() => Next::Last,
            _ => Next::Close,
        }
    }

    fn write_response(
        &self,
        wire: &mut Wire,
        response: AnswerHead<'_>,
        may_stay: bool,
    ) -> Result<Sent, SendError> {
        let Context { worker, .. } = *self.context;
        let mut scratch = worker.take_scratch();
        answer_edits(self.request, self.plan, &response, worker, &mut scratch);
        let outgoing = OutgoingResponse {
            to: self.view.version(),
            is_head: self.request.method == "HEAD",
            body: response.length(),
            keep_alive: self.view.keeps_alive() && may_stay,
            edits: Some(&scratch.edits),
            upgrade: response.upgrade().and_then(|it| FieldValue::new(it).ok()),
        };
        let written = response.write(wire.output(&worker.buffers), &outgoing);
        worker.give_scratch(scratch);
        written
    }

    /// Says that there is no answer.
    async fn fail(
        &self,
        client: &mut Client<'_>,
        failure: &Failure,
        outcome: &mut Outcome<'_>,
    ) -> Next {
        let Context { worker, watch, .. } = *self.context;
        outcome.failed(failure);
        let Some(cause) = cause_of(failure, self.plan) else {
            outcome.client_left();
            return Next::Abort;
        };
        let mut scratch = worker.take_scratch();
        let own = problem_of(&cause, self.request, self.id, self.plan, &mut scratch);
        outcome.own(&own);
        let manner = Manner::of(self.view, client.body.is_complete(), worker);
        let next = send(worker, watch, client.wire, &own, &scratch, manner).await;
        worker.give_scratch(scratch);
        next
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

/// The snapshot of an exchange.
pub(super) type Snapshot = Rc<InForce>;
