//! One exchange over HTTP/1.1: a request, the decision, the backend's answer, and what the client
//! gets.

use std::net::SocketAddr;
use std::rc::Rc;

use crate::engine::policy::body_limit::BodyAllowance;
use crate::engine::request::RawRequest;
use crate::engine::routing::decide::Plan;
use crate::engine::semantics::hops::Protocol;
use crate::engine::semantics::identity::Random;
use crate::engine::semantics::{Arrival, Request};
use crate::engine::upstream::backend::Backend;
use crate::frontend::http::admission::{admit, answer_edits, problem_of};
use crate::frontend::http::connection::Next;
use crate::frontend::http::going::{Going, cause_of};
use crate::frontend::http::outcome::Outcome;
use crate::frontend::http::own::{Manner, send};
use crate::frontend::http::redirect::redirect;
use crate::frontend::http::tunnel::tunnel;
use crate::frontend::http::view::HeadFields;
use crate::http1::edit::FieldValue;
use crate::http1::length::BodyLength;
use crate::http1::request::{RequestHead, RequestView};
use crate::http1::send_error::SendError;
use crate::http1::send_request::write_request;
use crate::http1::send_response::{OutgoingResponse, Sent};
use crate::http1::version::Version;
use crate::runtime::body::Http1BodyReader;
use crate::runtime::boxed::boxed;
use crate::runtime::connection::Http1Connection;
use crate::runtime::deadline::Deadline;
use crate::runtime::http2::fields_of;
use crate::runtime::proxy::answer::{Answer, AnswerHead, Came};
use crate::runtime::proxy::download::{Broken, Download};
use crate::runtime::proxy::exchange::{Exchange, Failure};
use crate::runtime::proxy::requester::{Client, Requester};
use crate::runtime::upstream::UpstreamError;
use crate::runtime::worker::{InForce, Worker};

/// What one exchange works with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    pub(super) worker: &'c Worker,
    /// The deadline of its task.
    pub(super) deadline: &'c Deadline,
    /// Who is at the other end of the connection.
    pub(super) peer: SocketAddr,
    pub(super) is_tls: bool,
    /// The port to which every request is redirected; none: they are served.
    pub(super) redirect_to: Option<u16>,
}

type HttpRequest<'r> = Request<'r, HeadFields<'r>>;

/// Does one exchange; the head of the request is the first `length` bytes on the connection.
pub(super) async fn run(
    context: &Context<'_>,
    connection: &mut Http1Connection,
    head: &RequestHead,
    length: usize,
) -> Next {
    let worker = context.worker;
    worker.counters.requests.add(1);
    worker.deposit();
    let bytes = connection.take_head(length, &worker.buffers);
    let next = answer(context, connection, head.view(&bytes)).await;
    worker.buffers.give_output(bytes);
    next
}

async fn answer(
    context: &Context<'_>,
    connection: &mut Http1Connection,
    view: RequestView<'_>,
) -> Next {
    let worker = context.worker;
    let mut outcome = Outcome::begin(worker, connection.written_bytes);
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
    };
    let random = worker.random();
    let request = Request::read(&arrival, view.method(), &fields, &random);
    let mut scratch = worker.take_scratch();
    let admitted = {
        let raw = RawRequest {
            method: request.method,
            target: &target,
            host,
            headers: &fields,
        };
        let stated = match view.framing() {
            BodyLength::Length(length) => Some(length),
            BodyLength::None | BodyLength::Chunked | BodyLength::UntilClose => None,
        };
        match context.redirect_to {
            None => admit(&snapshot, &raw, &request, stated, &mut scratch),
            Some(port) => Err(redirect(&raw, &request, port, &mut scratch)),
        }
    };
    let next = match admitted {
        Ok(plan) => {
            outcome.route = Some(plan.route_id());
            worker.give_scratch(scratch);
            let exchange = HttpExchange {
                context,
                view,
                request: &request,
                random: &random,
                plan: &plan,
            };
            exchange.forward(connection, &mut outcome).await
        }
        Err(own) => {
            outcome.own(&own);
            let manner = Manner::of(view, view.framing().is_empty(), worker);
            let next = send(worker, context.deadline, connection, &own, &scratch, manner).await;
            worker.give_scratch(scratch);
            next
        }
    };
    outcome.end(&snapshot, connection.written_bytes, &target, &request);
    next
}

/// An admitted request and all that is known of it.
struct HttpExchange<'x> {
    context: &'x Context<'x>,
    view: RequestView<'x>,
    request: &'x HttpRequest<'x>,
    random: &'x Random,
    plan: &'x Plan<'x>,
}

impl HttpExchange<'_> {
    async fn forward(&self, connection: &mut Http1Connection, outcome: &mut Outcome<'_>) -> Next {
        let policy = self.plan.policy();
        let limits = self.context.worker.settings.head_limits;
        let mut client = Client {
            body: Http1BodyReader::new(
                self.view.framing(),
                limits,
                BodyAllowance::up_to(policy.max_body_bytes),
            ),
            connection,
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
        let Context {
            worker, deadline, ..
        } = *self.context;
        let view = self.view;
        let going = Going {
            worker,
            request: self.request,
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
        let interim = |connection: &mut Http1Connection, response: AnswerHead<'_>| {
            let is_wanted = response.status() != 100 || view.expects_continue();
            if view.version() == Version::Http11 && is_wanted {
                let outgoing = OutgoingResponse {
                    keep_alive: true,
                    ..OutgoingResponse::default()
                };
                // It may do without one that cannot be written.
                let _ = response.write(connection.output(&worker.buffers), &outgoing);
            }
        };
        let outgoing = going.outgoing(&write_head, &make_request);
        let mut exchange = Exchange::new(worker, deadline, self.plan, outgoing, &interim);
        let answered = exchange.answer(Requester::Http1(client)).await;
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
        let Context {
            worker, deadline, ..
        } = *self.context;
        let response = answer.head();
        let status = response.status();
        let keeps_upstream = response.keeps_alive();
        let is_upload_over = answer.upload.is_none() && client.body.is_complete();
        let may_stay = is_upload_over && !worker.is_draining();
        let written = self.write_response(client.connection, response, may_stay);
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
            Came::Http1(answer) if status == 101 => {
                let policy = self.plan.policy();
                let backend = answer.into_connection(worker);
                let tunnel = || tunnel(worker, deadline, client.connection, backend, policy, ends);
                // Boxed, so that other exchanges need no room for it.
                return boxed(tunnel).await;
            }
            came @ (Came::Http1(_) | Came::Http2(_)) => came.into_body(worker),
        };
        let upload = answer.upload.take();
        let mut download = Download::new(self.plan.policy(), answer.ends, body, upload);
        let requester = Requester::Http1(client);
        if let Err(broken) = download
            .run(worker, deadline, requester, &mut backend)
            .await
        {
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
        connection: &mut Http1Connection,
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
        let written = response.write(connection.output(&worker.buffers), &outgoing);
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
        let Context {
            worker, deadline, ..
        } = *self.context;
        outcome.failed(failure);
        let Some(cause) = cause_of(failure, self.plan) else {
            outcome.client_left();
            return Next::Abort;
        };
        let mut scratch = worker.take_scratch();
        let own = problem_of(&cause, self.request, Some(self.plan), &mut scratch);
        outcome.own(&own);
        let manner = Manner::of(self.view, client.body.is_complete(), worker);
        let next = send(worker, deadline, client.connection, &own, &scratch, manner).await;
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
