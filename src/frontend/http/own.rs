//! The gateway's own answers over HTTP/1.1.

use std::future::poll_fn;
use std::task::Poll;

use crate::frontend::http::connection::Next;
use crate::http1::edit::{FieldName, FieldValue};
use crate::http1::own_response::{OwnResponse, write_own_response};
use crate::http1::request_fault::RequestFault;
use crate::http1::version::Version;
use crate::runtime::sweep::Watch;
use crate::runtime::wire::Wire;
use crate::runtime::worker::Worker;

/// An answer that no backend gave.
#[derive(Debug)]
pub(super) struct OwnAnswer {
    pub(super) status: u16,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) to: Version,
    pub(super) is_head: bool,
    pub(super) keep_alive: bool,
}

impl OwnAnswer {
    pub(super) const TOO_SLOW: Self = Self::of(408);

    const fn of(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
            body: Vec::new(),
            to: Version::Http11,
            is_head: false,
            keep_alive: false,
        }
    }

    pub(super) fn of_fault(fault: &RequestFault) -> Self {
        Self::problem(fault.status(), fault.code(), &fault.to_string())
    }

    pub(super) fn problem(status: u16, code: &str, detail: &str) -> Self {
        let body = serde_json::json!({"status": status, "code": code, "detail": detail});
        Self {
            fields: vec![("content-type", "application/problem+json".into())],
            body: body.to_string().into_bytes(),
            ..Self::of(status)
        }
    }

    /// Sends it.
    pub(super) async fn send(&self, worker: &Worker, watch: &Watch, wire: &mut Wire) -> Next {
        worker.counters.own_answers.add(1);
        worker.counters.response(self.status);
        let date = worker.date();
        let fields: Vec<_> = self
            .fields
            .iter()
            .filter_map(|(name, value)| {
                let name = FieldName::new(name.as_bytes()).ok()?;
                Some((name, FieldValue::new(value.as_bytes()).ok()?))
            })
            .collect();
        let response = OwnResponse {
            status: self.status,
            date: FieldValue::new(date.as_bytes())
                .unwrap_or_else(|_| FieldValue::new(b"").expect("nothing has no controls")),
            fields: &fields,
            body: &self.body,
            to: self.to,
            is_head: self.is_head,
            keep_alive: self.keep_alive,
        };
        write_own_response(wire.output(&worker.buffers), &response);
        watch.set(watch.after(Some(worker.settings.header_timeout)));
        let sent = poll_fn(|cx| match wire.poll_flush(cx) {
            Poll::Pending if watch.is_over(cx) => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
            Poll::Ready(sent) => Poll::Ready(sent.is_ok()),
        })
        .await;
        match (sent, self.keep_alive) {
            (true, true) => Next::Request,
            (true, false) => Next::Close,
            (false, _) => Next::Abort,
        }
    }
}
