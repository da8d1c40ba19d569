//! Messages that change the gateway: `init`, `register`, `deregister`; and time, which ends
//! registrations.

use std::fmt;

use crate::config::{Diagnostic, Entries, Severity, did_you_mean, excerpt};
use crate::frontend::stdio::fields::{Malformed, membership, table_json, ttl};
use crate::frontend::stdio::message::Fields;
use crate::frontend::stdio::reply::{Answer, MALFORMED, Recipient};
use crate::frontend::stdio::session::Session;
use crate::frontend::stdio::text::{Text, string};

impl Session<'_> {
    /// `text` begins with the message, which is looked at once more for keys that are none.
    pub(super) fn init(
        &mut self,
        fields: &Fields<'_>,
        text: &str,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) {
        // The counts go from table to table, and none may be passed over.
        self.follow(self.gateway.snapshot_owned());
        let mut warnings = misspelt(text, to.envelope.is_some());
        let given = fields.routes.filter(|routes| routes.get() != "null");
        let done = match given {
            None => {
                self.gateway.init_from_start();
                Ok(Vec::new())
            }
            Some(_) => self.gateway.init(&table_json(fields)),
        };
        match done {
            Ok(more) => {
                warnings.extend(more);
                let warnings = &warnings;
                to.answer("init_ok", &Answer::Init { warnings }, out);
            }
            Err(faults) => {
                let words = not_taken(&faults);
                warnings.extend(faults);
                to.error(MALFORMED, &words, &warnings, out);
            }
        }
    }

    pub(super) fn register(
        &mut self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let (service, version, address) = membership(fields)?;
        let ttl = ttl(fields, self.clock)?;
        let registered = self.gateway.register(service, version, address, ttl);
        self.changed(registered)?;
        to.answer("register_ok", &Answer::Registered {}, out);
        Ok(())
    }

    pub(super) fn deregister(
        &mut self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let (service, version, address) = membership(fields)?;
        let deregistered = self.gateway.deregister(service, version, &address);
        self.changed(deregistered)?;
        to.answer("deregister_ok", &Answer::Registered {}, out);
        Ok(())
    }

    #[cold]
    pub(super) fn expire(&mut self) {
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
    pub(super) fn publish(&mut self, next: &Text<'_>) {
        if !matches!(next, Text::Is(kind) if kind == "register" || kind == "deregister") {
            self.gateway.publish();
            self.is_staged = false;
        }
    }

    /// What comes of a change to the registrations; when the next of them ends may have changed.
    fn changed(&mut self, done: Result<(), impl fmt::Display>) -> Result<(), Malformed> {
        done.map_err(|fault| Malformed(fault.to_string()))?;
        self.next_expiry = self.gateway.next_expiry();
        self.is_staged = true;
        Ok(())
    }
}

/// Warnings of keys in an `init` that are ignored, as unknown ones are, but were probably meant to
/// be a part of the table.
fn misspelt(text: &str, is_enveloped: bool) -> Vec<Diagnostic> {
    const PARTS: [&str; 3] = ["routes", "services", "versioning"];
    let Some(Entries(mut entries)) = entries_at_start(text) else {
        return Vec::new();
    };
    if is_enveloped {
        let mut bodies = entries
            .iter()
            .filter(|(name, _)| string(name).as_deref() == Some("body"));
        let body = bodies
            .next_back()
            .and_then(|(_, body)| entries_at_start(body.get()));
        entries = body.unwrap_or_default().0;
    }
    let mut warnings = Vec::new();
    for (name, _) in entries {
        let Some(name) = string(name).filter(|name| !PARTS.contains(&&**name)) else {
            continue;
        };
        if let Some(meant) = did_you_mean(&name, PARTS) {
            let shown = excerpt(&name);
            let message = format!("unknown key `{shown}` in an `init`");
            let fault = Diagnostic::error("config.unknown_key", message)
                .with_help(format!("did you mean `{meant}`?"))
                .with_severity(Severity::Warning);
            warnings.push(Diagnostic { at: shown, ..fault });
        }
    }
    warnings
}

/// The entries of the object that `text` begins with.
fn entries_at_start(text: &str) -> Option<Entries<'_>> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Entries<'_>>();
    values.next()?.ok()
}

/// The first error of a table, and how many there are beside it.
fn not_taken(faults: &[Diagnostic]) -> String {
    let errors = || {
        faults
            .iter()
            .filter(|fault| fault.severity == Severity::Error)
    };
    let first = errors().next().map(ToString::to_string).unwrap_or_default();
    match errors().count() {
        0 | 1 => format!("the table is not taken: {first}"),
        count => format!("the table is not taken: {first} (and {} more)", count - 1),
    }
}
