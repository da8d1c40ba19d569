//! A session: one client's messages, each with its reply.
//!
//! This file has the requests; `updates` has the messages that change the snapshot, and `queries`
//! those that only read it.

mod queries;
mod updates;

use std::sync::Arc;
use std::time::Instant;

use crate::config::did_you_mean;
use crate::control::Reconciler;
use crate::engine::routing::{ApiVersion, Rejection};
use crate::engine::upstream::Pick;
use crate::engine::{Admission, Plan, Snapshot, admit};
use crate::frontend::stdio::dispatch::Dispatch;
use crate::frontend::stdio::fields::{ClientRequest, Malformed};
use crate::frontend::stdio::message::{Fields, Message};
use crate::frontend::stdio::prefixes::ReplyPrefixes;
use crate::frontend::stdio::reply::{Extras, MALFORMED, NOT_SUPPORTED, Recipient, append_fields};
use crate::frontend::stdio::sample::{SampleRequest, SampleUpstream};
use crate::frontend::stdio::text::Text;
use crate::frontend::stdio::values::{InvalidText, Parsed, parse_ignored};
use crate::http1::HeadLimits;
use crate::observe::Tally;
use crate::runtime::cell::{SnapshotGuard, SnapshotReader};

/// One client's session.
#[derive(Debug)]
pub(super) struct Session<'r> {
    reconciler: &'r mut Reconciler,
    snapshots: SnapshotReader,
    sample: SampleUpstream,
    tally: Tally,
    prefixes: ReplyPrefixes,
    is_verbose: bool,
    head_limits: HeadLimits,
    clock: fn() -> Instant,
    /// When the next registration ends.
    next_expiry: Option<Instant>,
    /// Sends requests to their backends; without it, the sample upstream responds.
    dispatch: Option<Box<dyn Dispatch>>,
}

impl<'r> Session<'r> {
    /// Creates a session, the only source of updates of this reconciler. It reads `clock` only
    /// where a registration has a time to live.
    pub(super) fn new(
        reconciler: &'r mut Reconciler,
        is_verbose: bool,
        clock: fn() -> Instant,
    ) -> Self {
        let snapshots = reconciler.reader();
        Self {
            sample: SampleUpstream::compiled_in(),
            tally: Tally::new(&snapshots.load()),
            prefixes: ReplyPrefixes::new(snapshots.load_full()),
            is_verbose,
            head_limits: HeadLimits::default(),
            clock,
            next_expiry: reconciler.next_expiry(),
            dispatch: None,
            snapshots,
            reconciler,
        }
    }

    /// Sets the limits on the head of a request.
    pub(super) fn with_head_limits(self, head_limits: HeadLimits) -> Self {
        Self {
            head_limits,
            ..self
        }
    }

    /// Has requests sent to their backends.
    pub(super) fn with_dispatch(self, dispatch: Box<dyn Dispatch>) -> Self {
        Self {
            dispatch: Some(dispatch),
            ..self
        }
    }

    /// Whether another message may be read.
    pub(super) fn has_capacity(&self) -> bool {
        let dispatch = self.dispatch.as_ref();
        dispatch.is_none_or(|dispatch| dispatch.has_capacity())
    }

    /// Blocks until another message may be read.
    pub(super) fn wait_for_capacity(&self) {
        if let Some(dispatch) = &self.dispatch {
            dispatch.wait_for_capacity();
        }
    }

    /// Processes the value at the start of `text` and appends the reply to `out`.
    #[inline]
    pub(super) fn take(&mut self, text: &[u8], out: &mut Vec<u8>) -> Parsed {
        // Validates the skipped parts too, and `serde_json` parses a `str` faster than bytes.
        let valid = str::from_utf8(text).unwrap_or_else(|error| {
            let valid = text.get(..error.valid_up_to()).unwrap_or_default();
            str::from_utf8(valid).unwrap_or_default()
        });
        let mut message = Message::default();
        match message.read(valid) {
            Ok(length) => {
                self.reply_to(&message, valid, out);
                Parsed::Complete(length)
            }
            Err(_) => self.take_leniently(text, out),
        }
    }

    /// Appends the reply to text that is not JSON.
    pub(super) fn reject(&self, text: &InvalidText, out: &mut Vec<u8>) {
        Recipient::default().error(MALFORMED, &text.to_string(), &[], out);
    }

    /// Processes a value that the first parse has rejected: it is not an object, or it has a string
    /// or number that `serde_json` cannot represent, which matters only if its field is used.
    #[cold]
    fn take_leniently(&mut self, text: &[u8], out: &mut Vec<u8>) -> Parsed {
        let parsed = parse_ignored(text);
        if let Parsed::Complete(length) = parsed {
            let value = text.get(..length).unwrap_or(text);
            let value = str::from_utf8(value).unwrap_or_default();
            match Message::read_leniently(value) {
                Some(message) => self.reply_to(&message, value, out),
                None => Recipient::default().error(MALFORMED, NOT_A_MESSAGE, &[], out),
            }
        }
        parsed
    }

    /// Appends the reply to the message that `text` starts with.
    #[inline]
    fn reply_to(&mut self, message: &Message<'_>, text: &str, out: &mut Vec<u8>) {
        let fields = &message.fields;
        if !message.has_fields {
            let to = Recipient {
                envelope: message.envelope,
                msg_id: None,
            };
            return to.error(MALFORMED, BODY_NOT_AN_OBJECT, &[], out);
        }
        let to = Recipient {
            envelope: message.envelope,
            msg_id: fields.msg_id,
        };
        if self.next_expiry.is_some() {
            self.expire();
        }
        if self.reconciler.has_unpublished() {
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
                    let message = unsupported(other);
                    return to.error(NOT_SUPPORTED, &message, &[], out);
                }
            },
            Text::Absent => Err(Malformed(
                "`type` is missing; it names the type of the message".into(),
            )),
            Text::Not(found) => Err(Malformed::not_string("type", found)),
        };
        if let Err(Malformed(message)) = done {
            to.error(MALFORMED, &message, &[], out);
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
        if let Some(dispatch) = &mut self.dispatch {
            // The thread that forwards admits it.
            dispatch.count_picks(&mut self.tally, self.prefixes.snapshot());
            dispatch.send(&snapshot, &request, to);
            return Ok(());
        }
        if let Err(cause) = request.check_head(&self.head_limits) {
            to.rejected(&cause, out);
            return Ok(());
        }
        let arrival = request.arrival();
        let read = request.read(&arrival);
        match admit(&snapshot, &read) {
            Admission::Respond(response) => {
                if let Some(route) = response.route_id() {
                    self.tally.matched(route);
                }
                to.local(&response, &read, out);
            }
            Admission::Forward(plan) => self.sample_response(&plan, &request, to, out),
        }
        Ok(())
    }

    /// Waits for the picks of all requests that were read, and counts them.
    fn count_all_picks(&mut self) {
        if let Some(dispatch) = &mut self.dispatch {
            dispatch.count_all_picks(&mut self.tally, self.prefixes.snapshot());
        }
    }

    /// Appends the response of the sample upstream.
    #[inline]
    fn sample_response(
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
        let mut sample = None;
        if let Some(prefixes) = self.prefixes.of(plan, &self.sample) {
            out.extend_from_slice(prefixes.prefix(plan, backend).as_bytes());
            sample = prefixes.sample;
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
        self.sample.respond(sample, &request, out);
        if self.is_verbose || plan.chain().deprecation().is_some() {
            append_fields(&Extras::of(plan, backend, self.is_verbose), out);
        }
        to.close(out);
    }

    /// The published snapshot; afterwards the tally and the prefixes belong to it.
    #[inline]
    fn current(&mut self) -> SnapshotGuard {
        let snapshot = self.snapshots.load();
        if !Arc::ptr_eq(&snapshot, self.prefixes.snapshot()) {
            self.follow(Arc::clone(&snapshot));
        }
        snapshot
    }

    /// Continues with another snapshot; routes that stay keep their counts.
    #[cold]
    fn follow(&mut self, snapshot: Arc<Snapshot>) {
        let previous = self.prefixes.snapshot();
        if std::ptr::eq(previous.table(), snapshot.table()) {
            // Only backends have changed, and those that stay keep their ids.
            self.prefixes.follow(snapshot);
        } else {
            self.tally = self.tally.carried(previous, &snapshot);
            self.prefixes = ReplyPrefixes::new(snapshot);
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
    let excerpt: String = kind.chars().take(40).collect();
    match did_you_mean(kind, KNOWN) {
        Some(known) => {
            format!("message type {excerpt:?} is not supported; did you mean {known:?}?")
        }
        None => format!(
            "message type {excerpt:?} is not supported; use one of {}",
            KNOWN.join(", ")
        ),
    }
}

const NOT_A_MESSAGE: &str = "not a message; a message is an object with a `type`";
const BODY_NOT_AN_OBJECT: &str = "`body` must be an object with a `type`";
