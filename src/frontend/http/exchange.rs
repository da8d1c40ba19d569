//! One exchange: a request, the decision, the backend's answer, and what the client gets.

use std::net::SocketAddr;

use crate::engine::backend::{Address, Backend, Scheme};
use crate::engine::balance::Pick;
use crate::engine::decide::{Plan, decide};
use crate::engine::policy::{HostRule, Policy};
use crate::engine::request::RawRequest;
use crate::engine::upstream_path::UpstreamPath;
use crate::frontend::http::connection::Next;
use crate::frontend::http::own::OwnAnswer;
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
use crate::runtime::forward::body::{IncomingBody, ReadFault};
use crate::runtime::forward::download::Download;
use crate::runtime::forward::exchange::{Exchange, Failure, Outgoing};
use crate::runtime::forward::requester::{Client, Requester};
use crate::runtime::http2::fields::fields_of;
use crate::runtime::sweep::Watch;
use crate::runtime::upstream::fault::UpstreamFault;
use crate::runtime::wire::Wire;
use crate::runtime::worker::Worker;

/// How a request came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// Who sent it.
    pub(super) peer: SocketAddr,
    /// Whether it came over TLS.
    pub(super) is_tls: bool,
}

/// Does one exchange; the head of the request is the first `length` bytes on the wire.
pub(super) async fn run(
    worker: &Worker,
    watch: &Watch,
    wire: &mut Wire,
    head: &RequestHead,
    length: usize,
    arrival: &Arrival,
) -> Next {
    worker.counters.requests.add(1);
    worker.deposit();
    let buffer = wire.detach(length, &worker.buffers);
    let view = head.view(buffer.data());
    let next = answer(worker, watch, wire, view, arrival).await;
    worker.buffers.give(buffer);
    next
}

async fn answer(
    worker: &Worker,
    watch: &Watch,
    wire: &mut Wire,
    view: RequestView<'_>,
    arrival: &Arrival,
) -> Next {
    let snapshot = worker.snapshot();
    let target = view.origin_target();
    let fields = HeadFields(view);
    let request = RawRequest {
        method: view.method(),
        target: &target,
        host: view.host().filter(|host| !host.is_empty()),
        headers: &fields,
    };
    match decide(&snapshot, &request) {
        Ok(plan) => forward(worker, watch, wire, view, &plan, arrival).await,
        Err(reject) => {
            let mut answer =
                OwnAnswer::problem(reject.status(), reject.code(), &reject.to_string());
            if let Some(allow) = reject.allow() {
                answer.fields.push(("allow", allow.join(", ")));
            }
            own(worker, watch, wire, view, answer).await
        }
    }
}

/// Sends an answer of the gateway's own to a request. The connection stays open if no body follows.
async fn own(
    worker: &Worker,
    watch: &Watch,
    wire: &mut Wire,
    view: RequestView<'_>,
    answer: OwnAnswer,
) -> Next {
    let answer = OwnAnswer {
        to: view.version(),
        is_head: view.method() == "HEAD",
        keep_alive: view.keeps_alive() && view.framing().is_empty() && !worker.is_draining(),
        ..answer
    };
    answer.send(worker, watch, wire).await
}

async fn forward(
    worker: &Worker,
    watch: &Watch,
    wire: &mut Wire,
    view: RequestView<'_>,
    plan: &Plan<'_>,
    arrival: &Arrival,
) -> Next {
    let policy = plan.policy();
    if let Some(answer) = too_large(view.framing(), policy) {
        return own(worker, watch, wire, view, answer).await;
    }
    let is_head = view.method() == "HEAD";
    let upstream_path = plan.upstream_path();
    let pieces = pieces(&upstream_path);
    let peer = arrival.peer.ip().to_string();
    let host = view.host().unwrap_or_default();
    let edits = request_edits(worker, host, arrival, &peer);
    let upgrade = view.upgrade().and_then(|it| FieldValue::new(it).ok());
    let write_head = |out: &mut Vec<u8>, backend: &Backend| {
        let authority = (policy.host == HostRule::Rewrite).then(|| authority(&backend.address));
        let host = authority
            .as_ref()
            .and_then(|it| FieldValue::new(it.as_bytes()).ok());
        let outgoing = OutgoingRequest {
            method: view.method(),
            target: &pieces,
            host,
            body: view.framing(),
            edits: &edits,
            te_trailers: view.te_trailers(),
            upgrade,
            close: false,
        };
        write_request(out, view, &outgoing)
            .map_err(|fault| UpstreamFault::BadResponse(fault.to_string()))
    };
    let make_request = |backend: &Backend| {
        let head = StreamHead {
            method: view.method(),
            target: &pieces,
            host,
            te_trailers: view.te_trailers(),
            edits: &edits,
        };
        head.request(
            policy,
            backend,
            fields_of(view.end_to_end(), view.framing()),
        )
    };
    let outgoing = Outgoing {
        protocol: worker.settings.upstream_protocol,
        write_head: &write_head,
        make_request: &make_request,
        length: view.framing(),
        to: ResponseTo {
            is_head,
            asks_upgrade: upgrade.is_some(),
        },
        is_idempotent: is_idempotent(view.method()),
        patience: None,
    };
    let interim =
        |wire: &mut Wire, response: AnswerHead<'_>| pass_interim(worker, wire, view, response);
    let limits = worker.settings.head_limits;
    let mut client = Client {
        body: IncomingBody::new(view.framing(), limits, policy.max_body_bytes),
        wire,
    };
    let mut exchange = Exchange::new(worker, watch, plan, outgoing, &interim);
    match exchange.answer(Requester::Wire(&mut client)).await {
        Ok((answer, pick)) => respond(worker, watch, client, view, plan, pick, answer).await,
        Err(failure) => fail(worker, watch, client, view, plan, &failure).await,
    }
}

/// Passes an interim response on, if the client can make something of it.
fn pass_interim(worker: &Worker, wire: &mut Wire, view: RequestView<'_>, response: AnswerHead<'_>) {
    let is_wanted = response.status() != 100 || view.expects_continue();
    if view.version() == Version::Http11 && is_wanted {
        let outgoing = OutgoingResponse {
            keep_alive: true,
            ..OutgoingResponse::default()
        };
        // It may do without one that cannot be written.
        let _ = response.write(wire.output(&worker.buffers), &outgoing);
    }
}

/// The answer to a body that says itself that it is larger than it may be.
pub(super) fn too_large(body: BodyLength, policy: &Policy) -> Option<OwnAnswer> {
    match (body, policy.max_body_bytes) {
        (BodyLength::Length(length), Some(most)) if length > most => {
            let detail = format!("the body has {length} bytes; {most} are allowed here");
            Some(OwnAnswer::problem(413, "request.body_too_large", &detail))
        }
        _ => None,
    }
}

/// The path that goes upstream, as it is written.
pub(super) fn pieces<'p>(upstream_path: &'p UpstreamPath<'_>) -> [&'p str; 7] {
    let mut pieces = [""; 7];
    for (place, piece) in pieces.iter_mut().zip(upstream_path.pieces()) {
        *place = piece;
    }
    pieces
}

/// Passes an answer on.
async fn respond(
    worker: &Worker,
    watch: &Watch,
    mut client: Client<'_>,
    view: RequestView<'_>,
    plan: &Plan<'_>,
    _pick: Pick<'_>,
    mut answer: Answer,
) -> Next {
    let response = answer.head();
    let status = response.status();
    worker.counters.response(status);
    let is_head = view.method() == "HEAD";
    let keeps_upstream = response.keeps_alive();
    let is_upload_over = answer.upload.is_none() && client.body.is_complete();
    let outgoing = OutgoingResponse {
        to: view.version(),
        is_head,
        body: response.length(),
        keep_alive: view.keeps_alive() && is_upload_over && !worker.is_draining(),
        edits: &[],
        upgrade: response.upgrade().and_then(|it| FieldValue::new(it).ok()),
    };
    let written = response.write(client.wire.output(&worker.buffers), &outgoing);
    let Sent { body, keep_alive } = match written {
        Ok(sent) => sent,
        Err(fault) => {
            let failure = UpstreamFault::BadResponse(fault.to_string()).into();
            return fail(worker, watch, client, view, plan, &failure).await;
        }
    };
    let mut backend = match answer.came {
        Came::Wire(mut answer) if status == 101 => {
            answer.wire.consume(answer.head_bytes);
            return tunnel(worker, watch, client.wire, answer.wire, plan.policy()).await;
        }
        Came::Wire(answer) => {
            let (body, head) = answer.into_body(worker.settings.head_limits);
            worker.give_response_head(head);
            body
        }
        Came::Stream(answer) => answer.into_body(),
    };
    let mut download = Download::new(plan.policy(), answer.ends, body, answer.upload.take());
    let requester = Requester::Wire(&mut client);
    let done = download.run(worker, watch, requester, &mut backend).await;
    if done.is_err() {
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
    worker: &Worker,
    watch: &Watch,
    client: Client<'_>,
    view: RequestView<'_>,
    plan: &Plan<'_>,
    failure: &Failure,
) -> Next {
    let Some((status, code)) = status_of(failure) else {
        worker.counters.clients_left.add(1);
        return Next::Abort;
    };
    let service = plan.route().service();
    let mut answer = OwnAnswer::problem(status, code, &format!("{service}: {failure}"));
    answer.to = view.version();
    answer.is_head = view.method() == "HEAD";
    answer.keep_alive = view.keeps_alive() && client.body.is_complete() && !worker.is_draining();
    answer.send(worker, watch, client.wire).await
}

/// What is said of a failure: a status, and a stable code; nothing if nobody listens.
pub(super) const fn status_of(failure: &Failure) -> Option<(u16, &'static str)> {
    Some(match failure {
        Failure::NoBackend => (503, "upstream.no_backend"),
        Failure::Upstream(fault) => match fault {
            UpstreamFault::NameUnresolved(_) => (502, "upstream.name_unresolved"),
            UpstreamFault::ConnectFailed(_) => (502, "upstream.connect_failed"),
            UpstreamFault::ConnectTimeout => (504, "upstream.connect_timeout"),
            UpstreamFault::TlsFailed(_) => (502, "upstream.tls_failed"),
            UpstreamFault::Overloaded => (503, "upstream.overloaded"),
            UpstreamFault::Reset => (502, "upstream.reset"),
            UpstreamFault::Refused => (503, "upstream.refused"),
            UpstreamFault::Timeout => (504, "upstream.timeout"),
            UpstreamFault::BadResponse(_) => (502, "upstream.bad_response"),
        },
        Failure::Body(ReadFault::TooLarge { .. }) => (413, "request.body_too_large"),
        Failure::Body(_) => (400, "request.body"),
        Failure::BodyTimeout => (408, "request.timeout"),
        Failure::ClientLeft => return None,
    })
}

/// What the gateway says of the client.
pub(super) fn request_edits<'e>(
    worker: &'e Worker,
    host: &'e str,
    arrival: &Arrival,
    peer: &'e str,
) -> [Edit<'e>; 4] {
    let name = |text: &'static str| FieldName::new(text.as_bytes()).expect("a token");
    let value = |text: &'e str| {
        FieldValue::new(text.as_bytes()).unwrap_or(FieldValue::new(b"").expect("nothing"))
    };
    let scheme = if arrival.is_tls { "https" } else { "http" };
    [
        Edit::Add {
            name: name("via"),
            value: value(&worker.settings.via),
        },
        Edit::Set {
            name: name("x-forwarded-for"),
            value: value(peer),
        },
        Edit::Set {
            name: name("x-forwarded-proto"),
            value: value(scheme),
        },
        Edit::Set {
            name: name("x-forwarded-host"),
            value: value(host),
        },
    ]
}

pub(super) fn is_idempotent(method: &str) -> bool {
    matches!(
        method,
        "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE"
    )
}

pub(super) fn authority(address: &Address) -> String {
    match (address.scheme(), address.port()) {
        (Scheme::Http, 80) | (Scheme::Https, 443) => address.host().to_owned(),
        (_, port) => format!("{}:{port}", address.host()),
    }
}
