//! The life of a request, on one screen.

use std::rc::Rc;

use crate::engine::admit::response_context;
use crate::engine::policy::BodyAllowance;
use crate::engine::semantics::{Cause, Protocol, Request, RequestId};
use crate::engine::{Admission, admit};
use crate::http1::BodyLength;
use crate::runtime::boxed::boxed;
use crate::runtime::proxy::admitted::AdmittedRequest;
use crate::runtime::proxy::attempts::attempt_until_response;
use crate::runtime::proxy::download::Download;
use crate::runtime::proxy::downstream::{Downstream, HeadError};
use crate::runtime::proxy::exchange_log::{ExchangeLog, log_unreadable};
use crate::runtime::proxy::failure::Failure;
use crate::runtime::proxy::inbound::{ExchangeContext, RequestHead};
use crate::runtime::proxy::pending::PendingRequest;
use crate::runtime::proxy::rendered::RenderedResponse;
use crate::runtime::proxy::response::{ResponseHead, ResponseSource, UpstreamResponse};
use crate::runtime::proxy::tunnel::tunnel;
use crate::runtime::upstream::UpstreamError;
use crate::runtime::worker::{HeldSnapshot, Scratch};

/// Serves a request: with a local response or with that of a backend.
pub(crate) async fn exchange(
    context: &ExchangeContext<'_>,
    snapshot: &Rc<HeldSnapshot>,
    head: RequestHead<'_>,
    mut downstream: Downstream<'_, '_>,
) {
    let worker = context.worker;
    worker.count_request();
    let mut log = ExchangeLog::start(worker, downstream.sent_bytes());
    let target = head.target();
    let arrival = context.arrival(head);
    let random = worker.random();
    let start_line = (head.method(), &*target);
    let request = Request::read(&arrival, start_line, &head, head.content_length());
    let id = RequestId::of(&request.fields, &random);
    match admit(snapshot, &request) {
        Admission::Forward(plan) => {
            log.admitted(plan.route_id());
            downstream.record_plan(&plan);
            downstream.limit_body(BodyAllowance::up_to(plan.chain().max_body_bytes()));
            let admitted = AdmittedRequest::new(context, &request, &id, &plan, &random);
            forward(&admitted, &mut downstream, &mut log).await;
        }
        Admission::Respond(response) => {
            downstream.record_route(response.route_id());
            let mut scratch = worker.take_scratch();
            let local = RenderedResponse::of_admission(&response, &request, &id, &mut scratch);
            log.responded_locally(&local);
            downstream.send_local(context, &local, &scratch).await;
            worker.give_scratch(scratch);
        }
    }
    log.finish(snapshot, downstream.sent_bytes(), &request, &id);
}

/// Forwards an admitted request and passes the response on, or reports why no backend responded.
async fn forward<'s>(
    admitted: &AdmittedRequest<'_, 's>,
    downstream: &mut Downstream<'_, '_>,
    log: &mut ExchangeLog<'s>,
) {
    let result = match response(admitted, downstream, log).await {
        Ok(response) => pass_response(admitted, downstream, response, log).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = result {
        report_failure(admitted, downstream, &failure, log).await;
    }
}

/// Gets the head of a response from a backend.
async fn response<'s>(
    admitted: &AdmittedRequest<'_, 's>,
    downstream: &mut Downstream<'_, '_>,
    log: &mut ExchangeLog<'s>,
) -> Result<UpstreamResponse, Failure> {
    let mut pending = PendingRequest::new(admitted);
    let response = attempt_until_response(&mut pending, downstream).await;
    log.attempted(&pending);
    response
}

/// Passes a response on: its head with the edits of the route, then its body.
///
/// # Errors
/// If the head is not valid; then nothing was sent.
async fn pass_response(
    admitted: &AdmittedRequest<'_, '_>,
    downstream: &mut Downstream<'_, '_>,
    mut response: UpstreamResponse,
    log: &mut ExchangeLog<'_>,
) -> Result<(), Failure> {
    let (context, policy) = (admitted.context, admitted.plan.forwarding());
    let worker = context.worker;
    let (status, keeps_alive) = (response.head().status(), response.head().keeps_alive());
    let is_upload_done = response.upload.is_none() && downstream.is_body_complete();
    let sent = send_head(admitted, downstream, &mut response, is_upload_done);
    if let Err(HeadError::Invalid(error)) = sent {
        return Err(UpstreamError::BadResponse(error.to_string()).into());
    }
    log.responded(status);
    let Ok(length) = sent else {
        log.disconnected();
        return Ok(());
    };
    let UpstreamResponse {
        source,
        lease,
        upload,
        ends_at,
    } = response;
    let mut body = match (source, &mut *downstream) {
        (ResponseSource::Http1(response), Downstream::Http1(client)) if status == 101 => {
            let backend = response.into_connection(worker);
            let run = || tunnel(context, client.connection, backend, policy, ends_at);
            // Boxed, so that other exchanges need no space for it.
            client.persistence = boxed(run).await;
            return Ok(());
        }
        (source, _) => source.into_body(worker),
    };
    if let Some(length) = length {
        let mut download = Download::new(policy, ends_at, length, upload);
        if let Err(interruption) = download.run(context, downstream, &mut body).await {
            log.interrupted(interruption);
            downstream.interrupt(interruption);
            return Ok(());
        }
    }
    if keeps_alive && is_upload_done {
        body.release(&lease, worker);
    }
    downstream.finish();
    Ok(())
}

/// Sends the head of a response with the edits of the route.
fn send_head(
    admitted: &AdmittedRequest<'_, '_>,
    downstream: &mut Downstream<'_, '_>,
    response: &mut UpstreamResponse,
    is_upload_done: bool,
) -> Result<Option<BodyLength>, HeadError> {
    let worker = admitted.context.worker;
    let mut scratch = worker.take_scratch();
    edit_response(admitted, response.head(), &mut scratch);
    let may_keep_alive = is_upload_done && !worker.is_draining();
    let sent = downstream.send_head(
        response,
        &scratch.edits,
        (admitted.is_head(), may_keep_alive),
        &worker.buffers,
    );
    worker.give_scratch(scratch);
    sent
}

/// Puts the edits of the head of a response into the scratch.
fn edit_response(
    admitted: &AdmittedRequest<'_, '_>,
    response: ResponseHead<'_>,
    scratch: &mut Scratch,
) {
    let (plan, request) = (admitted.plan, admitted.request);
    scratch.edits.clear();
    let context = response_context(request);
    plan.chain().on_response(&context, &mut scratch.edits);
    if !response.has_date() {
        // RFC 9110, section 6.6.1: a recipient that forwards a response without Date adds it.
        let date = admitted.context.worker.date();
        scratch.edits.set("date", date.as_bytes());
    }
}

/// Reports to the client that there is no response.
async fn report_failure(
    admitted: &AdmittedRequest<'_, '_>,
    downstream: &mut Downstream<'_, '_>,
    failure: &Failure,
    log: &mut ExchangeLog<'_>,
) {
    let (context, plan) = (admitted.context, admitted.plan);
    log.failed(failure);
    let Some(cause) = failure.cause(plan) else {
        log.disconnected();
        return downstream.abandon();
    };
    let mut scratch = context.worker.take_scratch();
    let (request, id) = (admitted.request, admitted.id);
    let response = RenderedResponse::of_failure(&cause, plan, request, id, &mut scratch);
    log.responded_locally(&response);
    downstream.send_local(context, &response, &scratch).await;
    context.worker.give_scratch(scratch);
}

/// Reports an error in what could not be read as a request, and logs it. `is_head` is set if the
/// method is HEAD; `grpc` is the content type of the response to a gRPC call.
pub(crate) async fn reject(
    context: &ExchangeContext<'_>,
    protocol: Protocol,
    cause: &Cause<'_>,
    (is_head, grpc): (bool, Option<&'static str>),
    mut downstream: Downstream<'_, '_>,
) {
    let worker = context.worker;
    let sent_before = downstream.sent_bytes();
    let mut scratch = worker.take_scratch();
    let response = RenderedResponse::of_unreadable(cause, worker, (is_head, grpc), &mut scratch);
    downstream.send_local(context, &response, &scratch).await;
    worker.give_scratch(scratch);
    let sent = downstream.sent_bytes() - sent_before;
    log_unreadable(context, protocol, &response, sent);
}
