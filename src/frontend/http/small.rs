//! A small server for what answers at once from memory: the operators' listener, the sample
//! services.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::engine::policy::body_limit::BodyAllowance;
use crate::frontend::http::admission::Own;
use crate::frontend::http::connection::Next;
use crate::frontend::http::own::{Manner, send, send_fault, send_too_slow};
use crate::frontend::http::read_head::{NoHead, read_head};
use crate::http1::request::RequestView;
use crate::runtime::body::Http1BodyReader;
use crate::runtime::connection::Http1Connection;
use crate::runtime::connection::Socket;
use crate::runtime::deadline::Deadline;
use crate::runtime::worker::{Scratch, Worker};

/// Answers a request: the status, and the fields and the body in the scratch, which is empty.
pub(in crate::frontend) type Answerer = dyn Fn(RequestView<'_>, &mut Scratch) -> u16;

/// Serves every connection of a listener, for ever.
pub(in crate::frontend) async fn serve(
    worker: Rc<Worker>,
    listener: TcpListener,
    answerer: Rc<Answerer>,
) {
    loop {
        worker.room().await;
        let Ok((tcp, _)) = listener.accept().await else {
            tokio::time::sleep(crate::runtime::deadline::TICK).await;
            continue;
        };
        spawn_local(converse(Rc::clone(&worker), tcp, Rc::clone(&answerer)));
    }
}

async fn converse(worker: Rc<Worker>, tcp: TcpStream, answerer: Rc<Answerer>) {
    let _open = worker.open();
    let deadline = worker.deadlines.register();
    let mut connection = Http1Connection::new(Socket::Plain(tcp));
    let mut next = Next::Request;
    while next == Next::Request {
        next = match read_head(&worker, &deadline, &mut connection, false).await {
            Ok((head, length)) => {
                let bytes = connection.take_head(length, &worker.buffers);
                let view = head.view(&bytes);
                let next = answer(&worker, &deadline, &mut connection, view, &*answerer).await;
                worker.buffers.give_output(bytes);
                worker.give_request_head(head);
                next
            }
            Err(NoHead::Diagnostic(fault)) => {
                send_fault(&worker, &deadline, &mut connection, &fault).await
            }
            Err(NoHead::TooSlow) => send_too_slow(&worker, &deadline, &mut connection).await,
            Err(NoHead::Over | NoHead::Http2) => return,
        };
        connection.release_buffers(&worker.buffers);
    }
}

async fn answer(
    worker: &Worker,
    deadline: &Deadline,
    connection: &mut Http1Connection,
    view: RequestView<'_>,
    answerer: &Answerer,
) -> Next {
    let limits = worker.settings.head_limits;
    let mut body = Http1BodyReader::new(view.framing(), limits, BodyAllowance::up_to(None));
    deadline.set(deadline.after(Some(worker.settings.header_timeout)));
    let is_read = poll_fn(|cx| {
        loop {
            match body.poll_ready(cx, connection, &worker.buffers) {
                Poll::Ready(Ok(0)) => return Poll::Ready(true),
                Poll::Ready(Ok(length)) => body.consume(connection, length),
                Poll::Pending if !deadline.has_passed(cx) => return Poll::Pending,
                Poll::Ready(Err(_)) | Poll::Pending => return Poll::Ready(false),
            }
        }
    })
    .await;
    deadline.clear();
    let mut scratch = worker.take_scratch();
    scratch.edits.clear();
    scratch.body.clear();
    let own = Own {
        status: answerer(view, &mut scratch),
        code: None,
        ends_connection: false,
    };
    let manner = Manner::of(view, is_read, worker);
    let next = send(worker, deadline, connection, &own, &scratch, manner).await;
    worker.give_scratch(scratch);
    next
}
