//! One stream: a request, the decision, the backend's answer, and what the client gets.

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{Request, Response};

use crate::engine::backend::Backend;
use crate::engine::decide::{Plan, decide};
use crate::engine::policy::HostRule;
use crate::engine::request::RawRequest;
use crate::frontend::http::exchange::{
    authority, is_idempotent, pieces, request_edits, status_of, too_large,
};
use crate::frontend::http::http2::connection::Serving;
use crate::frontend::http::http2::own;
use crate::frontend::http::http2::request::{MapFields, RequestHead};
use crate::frontend::http::own::OwnAnswer;
use crate::frontend::http::stream_head::StreamHead;
use crate::http1::edit::FieldValue;
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

/// Serves a stream to its end.
pub(super) async fn serve(
    serving: Serving,
    request: Request<RecvStream>,
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
    let is_head = parts.method == http::Method::HEAD;
    let is_grpc = own::is_grpc(&parts.headers);
    let limits = &worker.settings.head_limits;
    let answered = match RequestHead::new(parts, client.body.is_complete(), limits) {
        Ok(head) => answer(&serving, &mut client, &head).await,
        Err(answer) => Err(answer),
    };
    if let Err(mut answer) = answered {
        answer.is_head = is_head;
        if is_grpc {
            own::send_to_grpc(worker, &mut client, &answer);
        } else {
            own::send(worker, &mut client, &answer);
        }
    }
}

/// Answers a request; if no backend does, that is what the gateway says.
async fn answer(
    serving: &Serving,
    client: &mut StreamClient,
    head: &RequestHead,
) -> Result<(), OwnAnswer> {
    let snapshot = serving.connection.worker.snapshot();
    let request = RawRequest {
        method: head.method(),
        target: head.target(),
        host: Some(head.host()),
        headers: &MapFields(head.fields()),
    };
    match decide(&snapshot, &request) {
        Ok(plan) => forward(serving, client, head, &plan).await,
        Err(reject) => {
            let mut answer =
                OwnAnswer::problem(reject.status(), reject.code(), &reject.to_string());
            if let Some(allow) = reject.allow() {
                answer.fields.push(("allow", allow.join(", ")));
            }
            Err(answer)
        }
    }
}

async fn forward(
    serving: &Serving,
    client: &mut StreamClient,
    head: &RequestHead,
    plan: &Plan<'_>,
) -> Result<(), OwnAnswer> {
    let Serving { connection, watch } = serving;
    let worker = &connection.worker;
    let policy = plan.policy();
    if let Some(answer) = too_large(head.body(), policy) {
        return Err(answer);
    }
    client.body.limit(policy.max_body_bytes);
    let upstream_path = plan.upstream_path();
    let pieces = pieces(&upstream_path);
    let peer = connection.arrival.peer.ip().to_string();
    let edits = request_edits(worker, head.host(), &connection.arrival, &peer);
    let write_head = |out: &mut Vec<u8>, backend: &Backend| {
        let authority = (policy.host == HostRule::Rewrite).then(|| authority(&backend.address));
        let host = authority.as_deref().unwrap_or(head.host());
        let outgoing = OutgoingRequest {
            method: head.method(),
            target: &pieces,
            host: FieldValue::new(host.as_bytes()).ok(),
            body: head.body(),
            edits: &edits,
            te_trailers: head.te_trailers(),
            upgrade: None,
            close: false,
        };
        let fields = pairs(head.fields());
        write_request_of_fields(out, fields.iter().copied(), &outgoing)
            .map_err(|fault| UpstreamFault::BadResponse(fault.to_string()))
    };
    let make_request = |backend: &Backend| {
        let stream_head = StreamHead {
            method: head.method(),
            target: &pieces,
            host: head.host(),
            te_trailers: head.te_trailers(),
            edits: &edits,
        };
        let mut fields = head.fields().clone();
        retain_end_to_end(&mut fields);
        stream_head.request(policy, backend, fields)
    };
    let outgoing = Outgoing {
        protocol: worker.settings.upstream_protocol,
        write_head: &write_head,
        make_request: &make_request,
        length: head.body(),
        to: ResponseTo {
            is_head: head.method() == "HEAD",
            asks_upgrade: false,
        },
        is_idempotent: is_idempotent(head.method()),
        patience: None,
    };
    let mut exchange = Exchange::new(worker, watch, plan, outgoing, &|_, _| {});
    match exchange.answer(Requester::Stream(client)).await {
        Ok((answer, _)) => {
            respond(serving, client, plan, answer).await;
            Ok(())
        }
        Err(failure) => fail(serving, client, plan, &failure),
    }
}

/// Passes an answer on.
async fn respond(
    serving: &Serving,
    client: &mut StreamClient,
    plan: &Plan<'_>,
    mut answer: Answer,
) {
    let worker = &serving.connection.worker;
    let response = answer.head();
    worker.counters.response(response.status());
    let (keeps_upstream, is_whole) = (response.keeps_alive(), !response.has_body());
    let is_upload_over = answer.upload.is_none() && client.body.is_complete();
    let mut head = Response::new(());
    if let Ok(status) = response.status().try_into() {
        *head.status_mut() = status;
    }
    *head.headers_mut() = answer.take_fields(&[]);
    if client.send_head(head, is_whole).is_err() {
        worker.counters.clients_left.add(1);
        return;
    }
    let mut backend = match answer.came {
        Came::Wire(answer) => {
            let (body, head) = answer.into_body(worker.settings.head_limits);
            worker.give_response_head(head);
            body
        }
        Came::Stream(answer) => answer.into_body(),
    };
    if !is_whole {
        let mut download = Download::new(
            plan.policy(),
            answer.ends,
            BodyLength::Chunked,
            answer.upload,
        );
        let requester = Requester::Stream(client);
        let done = download
            .run(worker, &serving.watch, requester, &mut backend)
            .await;
        if let Err(broken) = done {
            client.reset(broken.reason());
            return;
        }
    }
    if keeps_upstream
        && is_upload_over
        && let Some(wire) = backend.into_clean_wire()
    {
        let now = worker.sweep.now();
        answer.lease.keep(wire, now, &worker.buffers);
    }
}

/// Says that there is no answer.
fn fail(
    serving: &Serving,
    client: &mut StreamClient,
    plan: &Plan<'_>,
    failure: &Failure,
) -> Result<(), OwnAnswer> {
    let Some((status, code)) = status_of(failure) else {
        serving.connection.worker.counters.clients_left.add(1);
        client.reset(h2::Reason::CANCEL);
        return Ok(());
    };
    let service = plan.route().service();
    Err(OwnAnswer::problem(
        status,
        code,
        &format!("{service}: {failure}"),
    ))
}
