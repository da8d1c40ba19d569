//! A server for responses that are made at once from memory: the admin listener and the sample
//! services.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::engine::semantics::RequestError;
use crate::frontend::http::http1::reject_unreadable;
use crate::frontend::http::read_head::{NoHead, read_head};
use crate::http1::RequestView;
use crate::runtime::proxy::{
    Downstream, ExchangeContext, Http1Downstream, Persistence, RenderedResponse,
};
use crate::runtime::{Http1Connection, Scratch, Socket, Worker};

/// Makes the response to a request: returns its status, and puts its fields and its body into the
/// scratch, which is empty.
pub(crate) type Responder = dyn Fn(RequestView<'_>, &mut Scratch) -> u16;

/// Serves the connections of a listener, for as long as the process runs.
pub(crate) async fn serve(worker: Rc<Worker>, listener: TcpListener, responder: Rc<Responder>) {
    loop {
        worker.room().await;
        let Ok((tcp, peer)) = listener.accept().await else {
            tokio::time::sleep(crate::runtime::TICK).await;
            continue;
        };
        let (worker, responder) = (Rc::clone(&worker), Rc::clone(&responder));
        spawn_local(serve_connection(worker, tcp, peer, responder));
    }
}

async fn serve_connection(
    worker: Rc<Worker>,
    tcp: TcpStream,
    peer: SocketAddr,
    responder: Rc<Responder>,
) {
    let _open = worker.open();
    let deadline = worker.deadlines.register();
    let context = ExchangeContext {
        worker: &worker,
        deadline: &deadline,
        peer: peer.ip(),
        is_tls: false,
        https_port: None,
    };
    let mut connection = Http1Connection::new(Socket::Plain(tcp));
    let mut persistence = Persistence::KeepAlive;
    while persistence == Persistence::KeepAlive {
        persistence = match read_head(&worker, &deadline, &mut connection, false).await {
            Ok((head, length)) => {
                let bytes = connection.take_head(length, &worker.buffers);
                let view = head.view(&bytes);
                let persistence = respond(&context, &mut connection, view, &*responder).await;
                worker.buffers.give_output(bytes);
                worker.give_request_head(head);
                persistence
            }
            Err(NoHead::Invalid(cause)) => {
                reject_unreadable(&context, &mut connection, cause).await
            }
            Err(NoHead::Timeout) => {
                reject_unreadable(&context, &mut connection, RequestError::Timeout.into()).await
            }
            Err(NoHead::Closed | NoHead::Http2) => return,
        };
        connection.release_buffers(&worker.buffers);
    }
}

/// Reads the body of a request, discards it, and responds.
async fn respond(
    context: &ExchangeContext<'_>,
    connection: &mut Http1Connection,
    view: RequestView<'_>,
    responder: &Responder,
) -> Persistence {
    let ExchangeContext {
        worker, deadline, ..
    } = *context;
    let mut client = Http1Downstream::new(worker, connection, view);
    deadline.set(deadline.after(Some(worker.settings.header_timeout)));
    poll_fn(|cx| {
        loop {
            match client
                .body
                .poll_ready(cx, client.connection, &worker.buffers)
            {
                Poll::Ready(Ok(length)) if length > 0 => {
                    client.body.consume(client.connection, length);
                }
                Poll::Pending if !deadline.has_passed(cx) => return Poll::Pending,
                Poll::Ready(_) | Poll::Pending => return Poll::Ready(()),
            }
        }
    })
    .await;
    deadline.clear();
    let mut scratch = worker.take_scratch();
    scratch.edits.clear();
    scratch.body.clear();
    let response =
        RenderedResponse::of_status(responder(view, &mut scratch), view.method() == "HEAD");
    let mut downstream = Downstream::Http1(&mut client);
    downstream.send_local(context, &response, &scratch).await;
    worker.give_scratch(scratch);
    client.persistence
}
