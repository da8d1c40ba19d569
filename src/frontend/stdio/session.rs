//! A session: every message in turn, and its answer.
//!
//! Requests are answered here; `changes` has the messages that change the gateway, and
//! `questions` those that only ask.

mod changes;
mod questions;

use std::sync::Arc;
use std::time::Instant;

use crate::config::diagnostic::did_you_mean;
use crate::engine::routing::Rejection;
use crate::engine::routing::version::ApiVersion;
use crate::engine::snapshot::Snapshot;
use crate::engine::upstream::Pick;
use crate::engine::{Admission, Plan, admit};
use crate::frontend::stdio::faces::Faces;
use crate::frontend::stdio::fields::{ClientRequest, Malformed};
use crate::frontend::stdio::forward::Forwarder;
use crate::frontend::stdio::message::{Fields, Message};
use crate::frontend::stdio::reply::{Extras, MALFORMED, NOT_SUPPORTED, Recipient, append_fields};
use crate::frontend::stdio::sample::{SampleRequest, SampleUpstream};
use crate::frontend::stdio::text::Text;
use crate::frontend::stdio::values::{Attempt, BrokenText, attempt_ignored};
use crate::observe::tally::Tally;
use crate::runtime::cell::Held;
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
    /// Where requests go; without it the sample upstream answers them.
    forwarder: Option<Forwarder>,
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
            forwarder: None,
        }
    }

    /// The same, with requests that are really sent.
    pub(super) fn forwarding(self, forwarder: Forwarder) -> Self {
        Self {
            forwarder: Some(forwarder),
            ..self
        }
    }

    /// Whether one more request may be read.
    pub(super) fn has_room(&self) -> bool {
        self.forwarder.as_ref().is_none_or(Forwarder::has_room)
    }

    /// Waits until one more may.
    pub(super) fn wait_for_room(&self) {
        if let Some(forwarder) = &self.forwarder {
            forwarder.wait_for_room();
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
                self.answer(&message, valid, out);
                Attempt::Done(length)
            }
            Err(_) => self.take_apart(text, out),
        }
    }

    /// Appends the answer to text that is no JSON.
    pub fn refuse(&self, broken: &BrokenText, out: &mut Vec<u8>) {
        Recipient::default().error(MALFORMED, &broken.to_string(), &[], out);
    }

    /// Takes a value that could not be read at once: it is no object, or one with a text or a
    /// number somewhere that cannot be read, which matters only where it is asked for.
    #[cold]
    fn take_apart(&mut self, text: &[u8], out: &mut Vec<u8>) -> Attempt {
        let attempt = attempt_ignored(text);
        if let Attempt::Done(length) = attempt {
            let value = text.get(..length).unwrap_or(text);
            let value = str::from_utf8(value).unwrap_or_default();
            match Message::read_apart(value) {
                Some(message) => self.answer(&message, value, out),
                None => {
                    let words = "this is no message: a message is an object with a `type`";
                    Recipient::default().error(MALFORMED, words, &[], out);
                }
            }
        }
        attempt
    }

    /// Answers the message that `text` begins with.
    #[inline]
    fn answer(&mut self, message: &Message<'_>, text: &str, out: &mut Vec<u8>) {
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
        }
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
                    self.init(fields, text, to, out);
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
        let snapshot = self.current();
        let arrival = request.arrival();
        let admitted = request.read(&arrival);
        match admit(&snapshot, &admitted) {
            Admission::Respond(response) => {
                if let Some(route) = response.route_id() {
                    self.tally.matched(route);
                }
                to.local(&response, &admitted, out);
            }
            Admission::Forward(plan) if self.forwarder.is_some() => {
                return self.forward(&snapshot, &plan, &request, (fields, to));
            }
            Admission::Forward(plan) => self.play(&plan, &request, to, out),
        }
        Ok(())
    }

    /// Hands a request to the thread that forwards.
    fn forward(
        &mut self,
        snapshot: &Arc<Snapshot>,
        plan: &Plan<'_>,
        request: &ClientRequest<'_>,
        (fields, to): (&Fields<'_>, Recipient<'_>),
    ) -> Result<(), Malformed> {
        let body = Forwarder::body_of(fields)?;
        self.tally.matched(plan.route_id());
        self.count_picks();
        if let Some(forwarder) = &mut self.forwarder {
            forwarder.forward(snapshot, request, body, to);
        }
        Ok(())
    }

    /// Counts what was picked elsewhere.
    fn count_picks(&mut self) {
        if let Some(forwarder) = &mut self.forwarder {
            forwarder.count_picks(&mut self.tally, self.faces.snapshot());
        }
    }

    /// Counts as well what is still to be picked for requests that were read.
    fn count_all_picks(&mut self) {
        if let Some(forwarder) = &mut self.forwarder {
            forwarder.count_all_picks(&mut self.tally, self.faces.snapshot());
        }
    }

    /// Has the sample upstream answer.
    #[inline]
    fn play(
        &mut self,
        plan: &Plan<'_>,
        request: &ClientRequest<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) {
        self.tally.matched(plan.route_id());
        let route = plan.route();
        let Some(Pick { backend }) = plan.pick() else {
            let service = route.service().into();
            return to.rejected(&Rejection::NoBackend { service }.into(), out);
        };
        self.tally.picked(plan.route_id(), backend.id);
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
        if self.is_verbose || plan.chain().deprecation().is_some() {
            append_fields(&Extras::of(plan, backend, self.is_verbose), out);
        }
        to.close(out);
    }

    /// The snapshot in force, which tally and faces are then those of.
    #[inline]
    fn current(&mut self) -> Held {
        let snapshot = self.gateway.snapshot();
        if !Arc::ptr_eq(&snapshot, self.faces.snapshot()) {
            self.follow(Arc::clone(&snapshot));
        }
        snapshot
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
