//! One stream: a request, the decision, the backend's answer, and what the client gets.

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderValue, Response, header};
use tokio::task::spawn_local;

use crate::engine::plan::Plan;
use crate::engine::policy::BodyAllowance;
use crate::engine::semantics::Protocol;
use crate::engine::semantics::grpc::response_type;
use crate::engine::semantics::{Arrival, Request};
use crate::engine::semantics::{Random, RequestId};
use crate::engine::upstream::backend::Backend;
use crate::frontend::http::admission::{admit, answer_fields, problem_of};
use crate::frontend::http::going::{Going, cause_of};
use crate::frontend::http::http2::connection::Serving;
use crate::frontend::http::http2::own;
use crate::frontend::http::http2::request::{MapFields, RequestHead};
use crate::frontend::http::outcome::{Outcome, log_unread};
use crate::http1::length::BodyLength;
use crate::http1::send_request::write_request_of_fields;
use crate::runtime::boxed::boxed;
use crate::runtime::forward::answer::Answer;
use crate::runtime::forward::download::Download;
use crate::runtime::forward::exchange::{Exchange, Failure};
use crate::runtime::forward::requester::{Requester, StreamClient};
use crate::runtime::http2::fields::{pairs, retain_end_to_end};
use crate::runtime::http2::stream::IncomingStream;
use crate::runtime::worker::Worker;

/// A stream that is served.
struct Stream {
    serving: Serving,
    client: StreamClient,
    head: RequestHead,
}

/// Serves a stream to its end, in a task of its own.
pub(super) fn serve(
    serving: Serving,
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let worker = &serving.connection.worker;
    worker.counters.requests.add(1);
    worker.deposit();
    let (parts, recv) = request.into_parts();
    let mut client = StreamClient {
        respond,
        body: IncomingStream::new(recv, BodyAllowance::up_to(None)),
        answer: None,
    };
    let is_head = parts.method == http::Method::HEAD;
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let grpc = response_type(kind.map(HeaderValue::as_bytes));
    let limits = &worker.settings.head_limits;
    match RequestHead::new(parts, client.body.is_complete(), limits) {
        Ok(head) => {
            let mut stream = Stream {
                serving,
                client,
                head,
            };
            // Boxed, for a task is moved about before it is run and when it is over.
            drop(spawn_local(boxed(|| async move {
                answer(&mut stream).await;
            })));
        }
        Err(cause) => {
            let own = own::send_cause(worker, &mut client, &cause, is_head, grpc);
            let (peer, sent) = (serving.connection.peer.ip(), client.sent_bytes());
            log_unread(worker, peer, Protocol::Http2, &own, sent);
        }
    }
}

/// Answers a request.
async fn answer(stream: &mut Stream) {
    let Stream {
        serving,
        client,
        head,
    } = stream;
    let (serving, head) = (&*serving, &*head);
    let connection = &serving.connection;
    let worker = &*connection.worker;
    let mut outcome = Outcome::begin(worker, 0);
    let snapshot = worker.snapshot();
    let fields = MapFields(head.fields());
    let peer = connection.peer.ip();
    let arrival = Arrival {
        peer,
        is_trusted: worker.settings.is_trusted(peer),
        is_tls: connection.is_tls,
        protocol: Protocol::Http2,
        host: Some(head.host()),
        pseudonym: &worker.settings.via,
        https_port: None,
    };
    let random = worker.random();
    let declared = match head.body() {
        BodyLength::Length(length) => Some(length),
        BodyLength::None | BodyLength::Chunked | BodyLength::UntilClose => None,
    };
    let target = (head.method(), head.target());
    let request = Request::read(&arrival, target, &fields, declared);
    let id = RequestId::of(&request.fields, &random);
    let mut scratch = worker.take_scratch();
    match admit(&snapshot, &request, &id, &mut scratch) {
        Ok(plan) => {
            outcome.route = Some(plan.route_id());
            let limit = plan.chain().max_body_bytes();
            client.body.limit(BodyAllowance::up_to(limit));
            let exchange = StreamExchange {
                serving,
                worker,
                head,
                request: &request,
                id: &id,
                random: &random,
                plan: &plan,
            };
            worker.give_scratch(scratch);
            exchange.forward(client, &mut outcome).await;
        }
        Err(own) => {
            outcome.own(&own);
            own::send(worker, client, &own, &scratch, request.method == "HEAD");
            worker.give_scratch(scratch);
        }
    }
    outcome.end(&snapshot, client.sent_bytes(), &request, &id);
}

/// An admitted request and all that is known of it.
struct StreamExchange<'x> {
    serving: &'x Serving,
    worker: &'x Worker,
    head: &'x RequestHead,
    request: &'x Request<'x, MapFields<'x>>,
    id: &'x RequestId<'x>,
    random: &'x Random,
    plan: &'x Plan<'x>,
}

impl StreamExchange<'_> {
    async fn forward(&self, client: &mut StreamClient, outcome: &mut Outcome<'_>) {
        match self.ask(client, outcome).await {
            Ok(answer) => self.respond(client, answer, outcome).await,
            Err(failure) => self.fail(client, &failure, outcome),
        }
    }

    /// Asks backends until one answers.
    async fn ask(
        &self,
        client: &mut StreamClient,
        outcome: &mut Outcome<'_>,
    ) -> Result<Answer, Failure> {
        let head = self.head;
        let going = Going {
            worker: self.worker,
            request: self.request,
            id: self.id,
            plan: self.plan,
            random: self.random,
            body: head.body(),
            te_trailers: head.te_trailers(),
            upgrade: None,
            copies_host: false,
        };
        let write_head = |out: &mut Vec<u8>, backend: &Backend| {
            let fields = pairs(head.fields());
            going.write(backend, |outgoing| {
                write_request_of_fields(out, fields.iter().copied(), outgoing)
            })
        };
        let make_request = |backend: &Backend| {
            let mut fields = head.fields().clone();
            retain_end_to_end(&mut fields);
            going.make(backend, fields)
        };
        let outgoing = going.outgoing(&write_head, &make_request);
        let watch = &self.serving.watch;
        let mut exchange = Exchange::new(self.worker, watch, self.plan, outgoing, &|_, _| {});
        let answered = exchange.answer(Requester::Stream(client)).await;
        outcome.answered(&exchange);
        answered.map(|(answer, _)| answer)
    }

    /// Passes an answer on.
    async fn respond(
        &self,
        client: &mut StreamClient,
        mut answer: Answer,
        outcome: &mut Outcome<'_>,
    ) {
        let worker = self.worker;
        let response = answer.head();
        outcome.status = response.status();
        worker.counters.response(response.status());
        let (keeps_upstream, is_whole) = (response.keeps_alive(), !response.has_body());
        let is_upload_over = answer.upload.is_none() && client.body.is_complete();
        let head = self.response_head(&mut answer);
        if client.send_head(head, is_whole).is_err() {
            return outcome.client_left();
        }
        let mut backend = answer.came.into_body(worker);
        if !is_whole {
            let (policy, length) = (self.plan.forwarding(), BodyLength::Chunked);
            let mut download = Download::new(policy, answer.ends, length, answer.upload);
            let requester = Requester::Stream(client);
            let watch = &self.serving.watch;
            if let Err(broken) = download.run(worker, watch, requester, &mut backend).await {
                outcome.broken(broken);
                return client.reset(broken.reason());
            }
        }
        if keeps_upstream && is_upload_over {
            backend.keep(&answer.lease, worker);
        }
    }

    fn response_head(&self, answer: &mut Answer) -> Response<()> {
        let mut head = Response::new(());
        if let Ok(status) = answer.head().status().try_into() {
            *head.status_mut() = status;
        }
        *head.headers_mut() = answer_fields(self.request, self.plan, answer, self.worker);
        head
    }

    /// Says that there is no answer.
    fn fail(&self, client: &mut StreamClient, failure: &Failure, outcome: &mut Outcome<'_>) {
        outcome.failed(failure);
        let Some(cause) = cause_of(failure, self.plan) else {
            outcome.client_left();
            return client.reset(h2::Reason::CANCEL);
        };
        let (worker, is_head) = (self.worker, self.head.method() == "HEAD");
        let mut scratch = worker.take_scratch();
        let own = problem_of(&cause, self.request, self.id, self.plan, &mut scratch);
        outcome.own(&own);
        own::send(worker, client, &own, &scratch, is_head);
        worker.give_scratch(scratch);
    }
}
