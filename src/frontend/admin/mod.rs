//! The operators' listener: whether the gateway lives, whether it takes requests, what it has done.

use std::cell::Cell;
use std::rc::Rc;

use tokio::net::TcpListener;

use crate::frontend::http::responder::{self, Responder};
use crate::http1::RequestView;
use crate::observe::counters::Totals;
use crate::runtime::{Scratch, Worker};

/// What operators are told.
pub struct Told {
    /// Whether it is about to stop, so that nobody should send it anything new.
    pub is_draining: Cell<bool>,
    /// What all workers have done so far.
    pub totals: Box<dyn Fn() -> Totals>,
}

/// Serves operators, for ever.
pub(crate) async fn serve(worker: Rc<Worker>, listener: TcpListener, told: Rc<Told>) {
    let responder: Rc<Responder> =
        Rc::new(move |view: RequestView<'_>, scratch: &mut Scratch| told.answer(view, scratch));
    responder::serve(worker, listener, responder).await;
}

impl Told {
    fn answer(&self, view: RequestView<'_>, scratch: &mut Scratch) -> u16 {
        let target = view.origin_target();
        let path = target.split('?').next().unwrap_or_default();
        let (status, body) = match path {
            "/health/live" => (200, r#"{"status":"live"}"#.to_owned()),
            "/health/ready" if self.is_draining.get() => {
                (503, r#"{"status":"draining"}"#.to_owned())
            }
            "/health/ready" => (200, r#"{"status":"ready"}"#.to_owned()),
            "/stats" => {
                let totals = (self.totals)();
                (200, serde_json::to_string(&totals).unwrap_or_default())
            }
            _ => (404, NOT_THERE.to_owned()),
        };
        let is_read = matches!(view.method(), "GET" | "HEAD");
        let (status, body) = if status != 404 && !is_read {
            scratch.edits.set("allow", b"GET, HEAD");
            (
                405,
                r#"{"status":405,"code":"method.not_allowed"}"#.to_owned(),
            )
        } else {
            (status, body)
        };
        scratch.edits.set("content-type", b"application/json");
        scratch.edits.set("cache-control", b"no-store");
        scratch.body.extend_from_slice(body.as_bytes());
        status
    }
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Told")
            .field("is_draining", &self.is_draining)
            .finish_non_exhaustive()
    }
}

const NOT_THERE: &str = r#"{"status":404,"code":"admin.not_found","detail":"there are /health/live, /health/ready and /stats"}"#;
