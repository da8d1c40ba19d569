//! A client that speaks HTTP/1.1.

use std::future::poll_fn;
use std::task::{Context, Poll};

use crate::engine::policy::BodyAllowance;
use crate::engine::semantics::Edits;
use crate::http1::{
    BodyLength, EncodeError, FieldValue, OutgoingLocalResponse, OutgoingResponse, RequestView,
    SentFraming, Version, write_local_response,
};
use crate::runtime::body::Http1BodyReader;
use crate::runtime::buffer::Buffers;
use crate::runtime::connection::Http1Connection;
use crate::runtime::proxy::inbound::ExchangeContext;
use crate::runtime::proxy::rendered::RenderedResponse;
use crate::runtime::proxy::response::ResponseHead;
use crate::runtime::worker::{Scratch, Worker};

/// A client that speaks HTTP/1.1, for one request.
#[derive(Debug)]
pub(crate) struct Http1Downstream<'d> {
    /// The connection.
    pub(crate) connection: &'d mut Http1Connection,
    /// The request body.
    pub(crate) body: Http1BodyReader,
    /// What happens to the connection after the exchange.
    pub(crate) persistence: Persistence,
    /// The version of the request.
    version: Version,
    /// Whether the client lets another request follow.
    keeps_alive: bool,
    /// Whether the client waits for `100 Continue`.
    expects_continue: bool,
    /// What the head of the response promised.
    sent: Option<SentFraming>,
}

/// What happens to a connection after an exchange (RFC 9112, section 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// It waits for another request.
    KeepAlive,
    /// It closes, and the client announced that it sends nothing more.
    ClientCloses,
    /// It closes; what the client still sends is discarded.
    Close,
    /// It is reset, so that the client sees that the response is incomplete.
    Reset,
}

impl<'d> Http1Downstream<'d> {
    /// The sender of a request.
    pub(crate) fn new(
        worker: &Worker,
        connection: &'d mut Http1Connection,
        request: RequestView<'_>,
    ) -> Self {
        Self {
            version: request.version(),
            keeps_alive: request.keeps_alive(),
            expects_continue: request.expects_continue(),
            ..Self::with_body(worker, connection, request.framing())
        }
    }

    /// The sender of something that is not a valid request: nothing can follow it.
    pub(crate) fn of_unreadable(worker: &Worker, connection: &'d mut Http1Connection) -> Self {
        Self::with_body(worker, connection, BodyLength::None)
    }

    fn with_body(worker: &Worker, connection: &'d mut Http1Connection, length: BodyLength) -> Self {
        let limits = worker.settings.head_limits;
        Self {
            connection,
            body: Http1BodyReader::new(length, limits, BodyAllowance::up_to(None)),
            persistence: Persistence::Reset,
            version: Version::Http11,
            keeps_alive: false,
            expects_continue: false,
            sent: None,
        }
    }

    /// Waits until the client disconnects. Only reading shows that, so it must not be called while
    /// something else still reads the body.
    pub(super) fn poll_disconnect(&mut self, cx: &mut Context<'_>, buffers: &Buffers) -> Poll<()> {
        if !self.connection.is_full()
            && let Poll::Ready(read) = self.connection.poll_fill(cx, buffers)
        {
            match read {
                // The next request may have arrived.
                Ok(length) if length > 0 => cx.waker().wake_by_ref(),
                Ok(_) | Err(_) => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Sends an interim response (RFC 9110, section 15.2), if the client understands it.
    pub(super) fn send_interim(
        &mut self,
        cx: &mut Context<'_>,
        response: ResponseHead<'_>,
        buffers: &Buffers,
    ) {
        let is_wanted = response.status() != 100 || self.expects_continue;
        if self.version == Version::Http11 && is_wanted {
            let outgoing = OutgoingResponse {
                keep_alive: true,
                ..OutgoingResponse::default()
            };
            // The client can do without one that cannot be written.
            let _ = response.write(self.connection.output(buffers), &outgoing);
        }
        let _ = self.connection.poll_flush(cx);
    }

    /// Writes the head of a response and returns how its body is framed.
    ///
    /// # Errors
    /// If it cannot be written as a valid head.
    pub(super) fn send_head(
        &mut self,
        response: ResponseHead<'_>,
        edits: &Edits,
        (is_head, may_keep_alive): (bool, bool),
        buffers: &Buffers,
    ) -> Result<BodyLength, EncodeError> {
        let outgoing = OutgoingResponse {
            to: self.version,
            is_head,
            body: response.length(),
            keep_alive: self.keeps_alive && may_keep_alive,
            edits: Some(edits),
            upgrade: response.upgrade().and_then(|it| FieldValue::new(it).ok()),
        };
        let sent = response.write(self.connection.output(buffers), &outgoing)?;
        self.sent = Some(sent);
        Ok(sent.body)
    }

    /// Sends a local response.
    pub(super) async fn send_local(
        &mut self,
        context: &ExchangeContext<'_>,
        response: &RenderedResponse<'_>,
        scratch: &Scratch,
    ) {
        let ExchangeContext {
            worker, deadline, ..
        } = *context;
        let is_read = self.body.is_complete();
        let may_keep_alive = is_read && self.keeps_alive && !worker.is_draining();
        let keep_alive = may_keep_alive && !response.ends_connection();
        let date = worker.date();
        let outgoing = OutgoingLocalResponse {
            status: response.status,
            date: FieldValue::new(date.as_bytes()).unwrap_or_default(),
            fields: Some(&scratch.edits),
            body: &scratch.body,
            to: self.version,
            is_head: response.is_head,
            keep_alive,
        };
        write_local_response(self.connection.output(&worker.buffers), &outgoing);
        deadline.set(deadline.after(Some(worker.settings.header_timeout)));
        let is_sent = poll_fn(|cx| match self.connection.poll_flush(cx) {
            Poll::Pending if deadline.has_passed(cx) => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
            Poll::Ready(sent) => Poll::Ready(sent.is_ok()),
        })
        .await;
        deadline.clear();
        self.persistence = match (is_sent, keep_alive) {
            (true, true) => Persistence::KeepAlive,
            (true, false) => Persistence::Close,
            (false, _) => Persistence::Reset,
        };
    }

    /// Ends an exchange whose response was sent to its end.
    pub(super) fn finish(&mut self) {
        let keep_alive = self.sent.is_some_and(|sent| sent.keep_alive);
        self.persistence = match self.body.is_complete() {
            true if keep_alive => Persistence::KeepAlive,
            true if !self.keeps_alive => Persistence::ClientCloses,
            _ => Persistence::Close,
        };
    }

    /// Ends an exchange whose response is incomplete because the backend failed. If the framing shows
    /// the client that something is missing, it gets what was sent.
    pub(super) fn cut_off(&mut self) {
        let is_framed = self
            .sent
            .is_some_and(|sent| sent.body != BodyLength::UntilClose);
        self.persistence = if is_framed {
            Persistence::Close
        } else {
            Persistence::Reset
        };
    }
}
