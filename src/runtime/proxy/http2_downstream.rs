//! A client that speaks HTTP/2.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderValue, Response, header};

use crate::engine::policy::BodyAllowance;
use crate::engine::semantics::Edits;
use crate::http1::has_no_body;
use crate::runtime::body::{Http2BodyReader, Http2BodyWriter};
use crate::runtime::edits::added_fields;
use crate::runtime::proxy::rendered::RenderedResponse;
use crate::runtime::proxy::response::ResponseHead;
use crate::runtime::worker::{Scratch, Worker};

/// One stream of a client that speaks HTTP/2.
pub(crate) struct Http2Downstream {
    /// The request body.
    pub(crate) body: Http2BodyReader,
    /// Where the response goes.
    respond: SendResponse<Bytes>,
    /// The response body, once the head was sent.
    pub(super) response: Option<Http2BodyWriter>,
}

impl Http2Downstream {
    /// The sender of a request.
    pub(crate) fn new(recv: RecvStream, respond: SendResponse<Bytes>) -> Self {
        Self {
            body: Http2BodyReader::new(recv, BodyAllowance::up_to(None)),
            respond,
            response: None,
        }
    }

    /// How many bytes of the response body were sent.
    #[must_use]
    pub(super) fn sent_bytes(&self) -> u64 {
        self.response.as_ref().map_or(0, |body| body.sent_bytes)
    }

    /// Waits until the client resets the stream.
    pub(super) fn poll_disconnect(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.response {
            None => self.respond.poll_reset(cx).map(|_| ()),
            Some(body) => body.poll_reset(cx),
        }
    }

    /// Sends an interim response (RFC 9110, section 15.2).
    pub(super) fn send_interim(&mut self, response: ResponseHead<'_>) {
        let mut interim = Response::new(());
        *interim.headers_mut() = response.fields(&Edits::default());
        if let Ok(status) = response.status().try_into() {
            *interim.status_mut() = status;
            // The client can do without it.
            let _ = self.respond.send_informational(interim);
        }
    }

    /// Sends the head of a response; `is_complete` if no body follows.
    ///
    /// # Errors
    /// If the client has disconnected.
    pub(super) fn send_head(
        &mut self,
        status: u16,
        fields: HeaderMap,
        is_complete: bool,
    ) -> Result<(), h2::Error> {
        let mut head = Response::new(());
        if let Ok(status) = status.try_into() {
            *head.status_mut() = status;
        }
        *head.headers_mut() = fields;
        let body = self.respond.send_response(head, is_complete)?;
        self.response = Some(Http2BodyWriter::new(body));
        Ok(())
    }

    /// Sends a local response. What the client still sends is ignored.
    pub(super) fn send_local(
        &mut self,
        worker: &Worker,
        response: &RenderedResponse<'_>,
        scratch: &Scratch,
    ) {
        let mut fields = added_fields(&scratch.edits);
        if let Ok(date) = HeaderValue::from_str(&worker.date()) {
            fields.insert(header::DATE, date);
        }
        let has_body = !has_no_body(response.status);
        // A gRPC error is a head without a body.
        if has_body && !fields.contains_key("grpc-status") {
            fields.insert(header::CONTENT_LENGTH, scratch.body.len().into());
        }
        let sends_body = has_body && !response.is_head && !scratch.body.is_empty();
        // It fails only if the client has disconnected.
        if self.send_head(response.status, fields, !sends_body).is_ok()
            && sends_body
            && let Some(body) = &mut self.response
        {
            let _ = body.send(Bytes::copy_from_slice(&scratch.body), true);
        }
    }

    /// Resets the stream.
    pub(super) fn reset(&mut self, reason: Reason) {
        match &mut self.response {
            Some(body) => body.reset(reason),
            None => self.respond.send_reset(reason),
        }
    }
}

impl fmt::Debug for Http2Downstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Downstream")
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
