//! A listener that serves nothing but says that the same is served over https.

use crate::engine::semantics::fault::{Cause, RequestFault};
use crate::engine::semantics::redirect::https_answer;
use crate::frontend::http::admission::Own;
use crate::frontend::http::connection::Next;
use crate::frontend::http::exchange::Context;
use crate::frontend::http::own::{Manner, send, send_cause};
use crate::http1::request::RequestHead;
use crate::runtime::wire::Wire;

/// Answers a request, the first `length` bytes on the wire, with a redirect to this port.
pub(super) async fn redirect(
    context: Context<'_>,
    wire: &mut Wire,
    head: &RequestHead,
    length: usize,
    port: u16,
) -> Next {
    let Context { worker, watch, .. } = context;
    worker.counters.requests.add(1);
    let buffer = wire.detach(length, &worker.buffers);
    let view = head.view(buffer.data());
    let mut scratch = worker.take_scratch();
    scratch.body.clear();
    let target = view.origin_target();
    let next = match https_answer(&mut scratch.edits, view.host(), &target, port) {
        Some(status) => {
            let own = Own {
                status,
                code: None,
                ends_connection: false,
            };
            let manner = Manner::of(view, view.framing().is_empty(), worker);
            send(worker, watch, wire, &own, &scratch, manner).await
        }
        None => {
            let why = "this port only redirects to https, and the request names no host to go to";
            let cause = Cause::from(RequestFault::Malformed(why));
            send_cause(worker, watch, wire, &cause).await
        }
    };
    worker.give_scratch(scratch);
    worker.buffers.give(buffer);
    next
}
