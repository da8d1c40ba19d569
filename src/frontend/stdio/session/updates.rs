//! Messages that change the snapshot: `init`, `register`, `deregister`; and time, which ends
//! registrations. Each becomes an `Update` for the reconciler.

use crate::config::{Diagnostic, Entries, LoadOptions, Severity, did_you_mean, excerpt, load_json};
use crate::control::Update;
use crate::frontend::stdio::fields::{Malformed, expiry, membership, table_json};
use crate::frontend::stdio::message::Fields;
use crate::frontend::stdio::reply::{MALFORMED, Recipient, Reply};
use crate::frontend::stdio::session::Session;
use crate::frontend::stdio::text::{Text, string};

impl Session<'_> {
    /// `text` starts with the message; it is searched for misspelt keys.
    pub(super) fn init(
        &mut self,
        fields: &Fields<'_>,
        text: &str,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) {
        // Counts carry over from table to table, so the session must follow every table.
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
                to.reply("init_ok", &Reply::Init { warnings }, out);
            }
            Err(diagnostics) => {
                let message = summary(&diagnostics);
                warnings.extend(diagnostics);
                to.error(MALFORMED, &message, &warnings, out);
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
        to.reply("register_ok", &Reply::Done {}, out);
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
        to.reply("deregister_ok", &Reply::Done {}, out);
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

    /// Publishes changed backends before any message that depends on them, so that a run of
    /// registrations costs one swap.
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

/// Warnings about unknown keys in an `init`, which it ignores, that are probably misspelt parts of
/// the table.
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
            let excerpt = excerpt(&name);
            let message = format!("unknown key `{excerpt}` in an `init`");
            let warning = Diagnostic::error("config.unknown_key", message)
                .with_help(format!("did you mean `{meant}`?"))
                .with_severity(Severity::Warning);
            warnings.push(Diagnostic {
                at: excerpt,
                ..warning
            });
        }
    }
    warnings
}

/// The entries of the object that `text` starts with.
fn entries_at_start(text: &str) -> Option<Entries<'_>> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Entries<'_>>();
    values.next()?.ok()
}

/// The first error of a table, and the number of further errors.
fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = || {
        diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
    };
    let first = errors().next().map(ToString::to_string).unwrap_or_default();
    match errors().count() {
        0 | 1 => format!("invalid table: {first}"),
        count => format!("invalid table: {first} (and {} more)", count - 1),
    }
}
