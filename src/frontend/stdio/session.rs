//! A session: every message in turn, and its answer.

use std::sync::Arc;
use std::time::Instant;

use crate::config::fault::{Fault, Severity, did_you_mean};
use crate::engine::backend::Backend;
use crate::engine::balance::Pick;
use crate::engine::decide::{Plan, decide};
use crate::engine::explain::explain;
use crate::engine::lifecycle::Lifecycle;
use crate::engine::snapshot::Snapshot;
use crate::engine::version::ApiVersion;
use crate::frontend::explanation;
use crate::frontend::stdio::discover;
use crate::frontend::stdio::faces::Faces;
use crate::frontend::stdio::fields::{
    ClientRequest, Malformed, membership, required, table_json, ttl, version,
};
use crate::frontend::stdio::message::{Fields, Message};
use crate::frontend::stdio::reply::{
    Answer, BackendStats, Details, Extras, MALFORMED, NOT_SUPPORTED, Recipient, RouteStats,
    append_fields,
};
use crate::frontend::stdio::salvage::Salvaged;
use crate::frontend::stdio::sample::{SampleRequest, SampleUpstream};
use crate::frontend::stdio::text::Text;
use crate::frontend::stdio::values::{Attempt, BrokenText, attempt_ignored};
use crate::observe::tally::Tally;
use crate::runtime::gateway::Gateway;

/// One client's conversation with the gateway.
#[derive(Debug)]
pub struct Session<'g> {
    gateway: &'g Gateway,
    sample: SampleUpstream,
    tally: Tally,
    faces: Faces,
    is_verbose: bool,
    clock: fn() -> Instant,
    next_expiry: Option<Instant>,
    /// Whether backends have changed that the snapshot does not show yet.
    is_staged: bool,
}

impl<'g> Session<'g> {
    /// A session with a gateway; `clock` is read where a registration has a time to live.
    #[must_use]
    pub fn new(gateway: &'g Gateway, is_verbose: bool, clock: fn() -> Instant) -> Self {
        Self {
            gateway,
            sample: SampleUpstream::compiled_in(),
            tally: Tally::new(&gateway.snapshot()),
            faces: Faces::new(gateway.snapshot_owned()),
            is_verbose,
            clock,
            next_expiry: gateway.next_expiry(),
            is_staged: false,
        }
    }

    /// Reads the value at the beginning of `text` and appends its answer to `out`.
    #[inline]
    pub fn take(&mut self, text: &[u8], out: &mut Vec<u8>) -> Attempt {
        // All of it is looked at, also what is passed over unread; and JSON in a `str` parses faster.
        let valid = str::from_utf8(text).unwrap_or_else(|fault| {
            let valid = text.get(..fault.valid_up_to()).unwrap_or_default();
            str::from_utf8(valid).unwrap_or_default()
        });
        let mut message = Message::default();
        match message.read(valid) {
            Ok(length) => {
                self.answer(&message, out);
                Attempt::Done(length)
            }
            Err(error) => Self::take_no_message(text, &error, out),
        }
    }

    /// Appends the answer to text that is no JSON.
    pub fn refuse(&self, broken: &BrokenText, out: &mut Vec<u8>) {
        Recipient::default().error(MALFORMED, &broken.to_string(), &[], out);
    }

    #[cold]
    fn take_no_message(text: &[u8], problem: &serde_json::Error, out: &mut Vec<u8>) -> Attempt {
        let attempt = attempt_ignored(text);
        if let Attempt::Done(length) = attempt {
            let value = text.get(..length).unwrap_or(text);
            let salvaged = Salvaged::read(value);
            let words = match value.first() {
                Some(b'{') => format!("this is no message: {}", without_place(problem)),
                _ => "this is no message: a message is an object with a `type`".into(),
            };
            salvaged.recipient().error(MALFORMED, &words, &[], out);
        }
        attempt
    }

    #[inline]
    fn answer(&mut self, message: &Message<'_>, out: &mut Vec<u8>) {
        let fields = &message.fields;
        if !message.has_fields {
            let to = Recipient {
                envelope: message.envelope,
                msg_id: None,
            };
            return to.error(
                MALFORMED,
                "`body` should be an object with a `type`",
                &[],
                out,
            );
        };
        let to = Recipient {
            envelope: message.envelope,
            msg_id: fields.msg_id,
        };
        if self.next_expiry.is_some() {
            self.expire();
        }
        if self.is_staged {
            self.publish(&fields.kind);
        }
        let done = match &fields.kind {
            Text::Is(kind) => match &**kind {
                "api_request" => self.api_request(fields, to, out),
                "init" => {
                    self.init(fields, to, out);
                    Ok(())
                }
                "register" => self.register(fields, to, out),
                "deregister" => self.deregister(fields, to, out),
                "discover" => self.discover(fields, to, out),
                "explain" => self.explain(fields, to, out),
                "stats" => {
                    self.stats(to, out);
                    Ok(())
                }
                other => {
                    let words = unsupported(other);
                    return to.error(NOT_SUPPORTED, &words, &[], out);
                }
            },
            Text::Absent => Err(Malformed(
                "`type` is missing; it says what the message is".into(),
            )),
            Text::Not(found) => Err(Malformed(format!(
                "`type` should be a text, but is {found}"
            ))),
        };
        if let Err(Malformed(words)) = done {
            to.error(MALFORMED, &words, &[], out);
        }
    }

    #[inline]
    fn api_request(
        &mut self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let request = ClientRequest::of(fields)?;
        let snapshot = self.gateway.snapshot();
        if !Arc::ptr_eq(&snapshot, self.faces.snapshot()) {
            self.follow(Arc::clone(&snapshot));
        }
        match decide(&snapshot, &request.raw()) {
            Err(reject) => to.refused(&reject, out),
            Ok(plan) => self.forward(&plan, &request, to, out),
        }
        Ok(())
    }

    #[inline]
    fn forward(
        &mut self,
        plan: &Plan<'_>,
        request: &ClientRequest<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) {
        self.tally.matched(plan.route_id());
        let route = plan.route();
        let Some(Pick { backend }) = plan.pick() else {
            return to.without_backend(plan, out);
        };
        self.tally.picked(plan.route_id(), backend.slot);
        to.open("api_response", out);
        out.extend_from_slice(b",\"status\":200,");
        let mut played = None;
        if let Some(face) = self.faces.of(plan, &self.sample) {
            out.extend_from_slice(face.head(plan, backend).as_bytes());
            played = face.played;
        }
        out.extend_from_slice(b",\"body\":");
        let version = plan.version().map(ApiVersion::text);
        let request = SampleRequest {
            service: route.service(),
            version: version.as_ref().map(|text| text.as_str()),
            backend: &backend.name,
            method: request.method,
            path: plan.normal_path(),
        };
        self.sample.answer(played, &request, out);
        if self.is_verbose || route.lifecycle().is_some() {
            append_fields(&self.extras(plan, backend), out);
        }
        to.close(out);
    }

    #[cold]
    fn extras(&self, plan: &Plan<'_>, backend: &Backend) -> Extras {
        let announced = plan
            .route()
            .lifecycle()
            .into_iter()
            .flat_map(Lifecycle::headers);
        Extras {
            headers: announced
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
            details: self.is_verbose.then(|| Details {
                address: backend.address.to_string(),
                upstream_path: plan.upstream_path().to_string(),
                route: plan.route().name(),
            }),
        }
    }

    fn init(&mut self, fields: &Fields<'_>, to: Recipient<'_>, out: &mut Vec<u8>) {
        // The counts go from table to table, and none may be passed over.
        self.follow(self.gateway.snapshot_owned());
        let given = fields.routes.filter(|routes| routes.get() != "null");
        let warnings = match given {
            None => {
                self.gateway.init_from_start();
                Vec::new()
            }
            Some(_) => match self.gateway.init(&table_json(fields)) {
                Ok(warnings) => warnings,
                Err(faults) => {
                    let is_error = |fault: &&Fault| fault.severity == Severity::Error;
                    let errors = faults.iter().filter(is_error).count();
                    let first = faults.iter().find(is_error);
                    let first = first.map(ToString::to_string).unwrap_or_default();
                    let more = if errors > 1 {
                        format!(" (and {} more)", errors - 1)
                    } else {
                        String::new()
                    };
                    let words = format!("the table is not taken: {first}{more}");
                    return to.error(MALFORMED, &words, &faults, out);
                }
            },
        };
        to.answer(
            "init_ok",
            &Answer::Init {
                warnings: &warnings,
            },
            out,
        );
    }

    fn register(
        &mut self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let (service, version, address) = membership(fields)?;
        let ttl = ttl(fields)?.map(|ttl| (ttl, (self.clock)()));
        let registered = self.gateway.register(service, version, address, ttl);
        registered.map_err(|fault| Malformed(fault.to_string()))?;
        self.next_expiry = self.gateway.next_expiry();
        self.is_staged = true;
        to.answer("register_ok", &Answer::Registered {}, out);
        Ok(())
    }

    fn deregister(
        &mut self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let (service, version, address) = membership(fields)?;
        let deregistered = self.gateway.deregister(service, version, &address);
        deregistered.map_err(|fault| Malformed(fault.to_string()))?;
        self.next_expiry = self.gateway.next_expiry();
        self.is_staged = true;
        to.answer("deregister_ok", &Answer::Registered {}, out);
        Ok(())
    }

    fn discover(
        &self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let service = match &fields.service {
            Text::Absent => None,
            given @ (Text::Is(_) | Text::Not(_)) => Some(required("service", given)?),
        };
        let version = version(fields)?;
        let snapshot = self.gateway.snapshot();
        let waiting = self.gateway.waiting();
        let services = discover::services(&snapshot, &waiting, service, version);
        to.answer("discover_ok", &Answer::Services { services }, out);
        Ok(())
    }

    fn explain(
        &self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let request = ClientRequest::of(fields)?;
        let snapshot = self.gateway.snapshot();
        let raw = request.raw();
        let explained = explain(&snapshot, &raw);
        to.answer(
            "explain_ok",
            &explanation::to_json(&explained, &snapshot),
            out,
        );
        Ok(())
    }

    fn stats(&mut self, to: Recipient<'_>, out: &mut Vec<u8>) {
        let snapshot = self.gateway.snapshot();
        if !Arc::ptr_eq(&snapshot, self.faces.snapshot()) {
            self.follow(Arc::clone(&snapshot));
        }
        let routes = snapshot.table().ids().map(|id| {
            let tally = self.tally.route(id);
            let backends = snapshot.pool(id).backends().iter();
            let picks: Vec<BackendStats> = backends
                .map(|b| BackendStats {
                    backend: b.name.to_string(),
                    picks: tally.picks(b.slot),
                })
                .collect();
            RouteStats {
                route: snapshot.table().route_at(id).name(),
                matched: tally.matched(),
                departed: tally.picked() - picks.iter().map(|b| b.picks).sum::<u64>(),
                picks,
            }
        });
        to.answer(
            "stats_ok",
            &Answer::Stats {
                routes: routes.collect(),
            },
            out,
        );
    }

    /// Goes on with another snapshot: counts of routes that stay are kept.
    #[cold]
    fn follow(&mut self, snapshot: Arc<Snapshot>) {
        let before = self.faces.snapshot();
        if std::ptr::eq(before.table(), snapshot.table()) {
            // Only backends have changed, and those that stay keep their slots.
            self.faces.follow(snapshot);
        } else {
            self.tally = self.tally.carried(before, &snapshot);
            self.faces = Faces::new(snapshot);
        }
    }

    #[cold]
    fn expire(&mut self) {
        let now = (self.clock)();
        if self.next_expiry.is_some_and(|expiry| expiry <= now) {
            self.gateway.expire(now);
            self.next_expiry = self.gateway.next_expiry();
            self.is_staged = true;
        }
    }

    /// Puts changed backends in force before any message that could tell; a run of changes costs
    /// no more than one.
    #[cold]
    fn publish(&mut self, next: &Text<'_>) {
        if !matches!(next, Text::Is(kind) if kind == "register" || kind == "deregister") {
            self.gateway.publish();
            self.is_staged = false;
        }
    }
}

fn unsupported(kind: &str) -> String {
    const KNOWN: [&str; 7] = [
        "init",
        "api_request",
        "register",
        "deregister",
        "discover",
        "explain",
        "stats",
    ];
    let shown: String = kind.chars().take(40).collect();
    match did_you_mean(kind, KNOWN) {
        Some(known) => format!("the type {shown:?} is not supported; did you mean {known:?}?"),
        None => format!(
            "the type {shown:?} is not supported; write one of {}",
            KNOWN.join(", ")
        ),
    }
}

/// The words of a parse error without its line and column, which mean nothing to the client.
fn without_place(problem: &serde_json::Error) -> String {
    let words = problem.to_string();
    words
        .rsplit_once(" at line ")
        .map_or(words.clone(), |(words, _)| words.to_owned())
}
