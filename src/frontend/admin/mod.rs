//! The admin listener: liveness, readiness and the counters of all workers.

use std::cell::Cell;
use std::rc::Rc;

use tokio::net::TcpListener;

use crate::frontend::http::responder::{self, Responder};
use crate::http1::RequestView;
use crate::observe::Totals;
use crate::runtime::{Scratch, Worker};

/// What the admin listener reports.
pub struct AdminState {
    /// Whether the process is about to stop and should get no more traffic.
    pub is_draining: Cell<bool>,
    /// Sums up the counters of all workers.
    pub totals: Box<dyn Fn() -> Totals>,
}

/// Serves the admin endpoints until the process ends.
pub(crate) async fn serve(worker: Rc<Worker>, listener: TcpListener, state: Rc<AdminState>) {
    let responder: Rc<Responder> =
        Rc::new(move |view: RequestView<'_>, scratch: &mut Scratch| state.respond(view, scratch));
    responder::serve(worker, listener, responder).await;
}

impl AdminState {
    /// Writes the fields and the body of the response into `scratch`, and returns the status.
    fn respond(&self, view: RequestView<'_>, scratch: &mut Scratch) -> u16 {
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
            _ => (404, NOT_FOUND.to_owned()),
        };
        let is_read = matches!(view.method(), "GET" | "HEAD");
        let (status, body) = if status != 404 && !is_read {
            scratch.edits.set("allow", b"GET, HEAD");
            (405, METHOD_NOT_ALLOWED.to_owned())
        } else {
            (status, body)
        };
        scratch.edits.set("content-type", b"application/json");
        scratch.edits.set("cache-control", b"no-store");
        scratch.body.extend_from_slice(body.as_bytes());
        status
    }
}

impl std::fmt::Debug for AdminState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminState")
            .field("is_draining", &self.is_draining)
            .finish_non_exhaustive()
    }
}

const NOT_FOUND: &str = r#"{"status":404,"code":"admin.not_found","detail":"unknown path; use /health/live, /health/ready or /stats"}"#;
const METHOD_NOT_ALLOWED: &str = r#"{"status":405,"code":"method.not_allowed"}"#;
