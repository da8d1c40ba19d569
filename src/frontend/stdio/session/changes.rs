//! Messages that change the gateway: `init`, `register`, `deregister`; and time, which ends
//! registrations.

use crate::config::compile::{LoadOptions, load_json};
use crate::config::diagnostic::{Diagnostic, Severity, did_you_mean, excerpt};
use crate::config::json::Entries;
use crate::control::Update;
use crate::frontend::stdio::fields::{Malformed, expiry, membership, table_json};
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
        self.follow(self.snapshots.load_full());
        let mut warnings = misspelt(text, to.envelope.is_some());
        let given = fields.routes.filter(|routes| routes.get() != "null");
        let update = match given {
            None => Ok((Update::Reset, Vec::new())),
            Some(_) => load_json(&table_json(fields), LoadOptions::INIT).map(|mut loaded| {
                let warnings = std::mem::take(&mut loaded.remarks);
                (Update::Init(Box::new(loaded)), warnings)
            }),
        };
        match update {
            Ok((update, more)) => {
                // A configuration that has loaded is never rejected.
                let _ = self.reconciler.apply(update);
                self.reconciler.publish();
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
        let (service, address) = membership(fields)?;
        let expires = expiry(fields, self.clock)?;
        self.apply(Update::Register {
            service,
            address,
            expires,
        })?;
        to.answer("register_ok", &Answer::Registered {}, out);
        Ok(())
    }

    pub(super) fn deregister(
        &mut self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let (service, address) = membership(fields)?;
        self.apply(Update::Deregister { service, address })?;
        to.answer("deregister_ok", &Answer::Registered {}, out);
        Ok(())
    }

    #[cold]
    pub(super) fn expire(&mut self) {
        let now = (self.clock)();
        if self.next_expiry.is_some_and(|expiry| expiry <= now) {
            // Expiry is never rejected.
            let _ = self.reconciler.apply(Update::Expire { now });
            self.next_expiry = self.reconciler.next_expiry();
        }
    }

    /// Puts changed backends in force before any message that could tell; a run of changes costs
    /// no more than one.
    #[cold]
    pub(super) fn publish(&mut self, next: &Text<'_>) {
        if !matches!(next, Text::Is(kind) if kind == "register" || kind == "deregister") {
            self.reconciler.publish();
        }
    }

    /// Applies a change of registrations.
    fn apply(&mut self, update: Update) -> Result<(), Malformed> {
        let applied = self.reconciler.apply(update);
        applied.map_err(|error| Malformed(error.to_string()))?;
        self.next_expiry = self.reconciler.next_expiry();
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
