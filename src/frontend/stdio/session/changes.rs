//! Messages that change the gateway: `init`, `register`, `deregister`; and time, which ends
//! registrations.

use std::fmt;

use crate::config::fault::{Fault, Severity};
use crate::frontend::stdio::fields::{Malformed, membership, table_json, ttl};
use crate::frontend::stdio::message::Fields;
use crate::frontend::stdio::reply::{Answer, MALFORMED, Recipient};
use crate::frontend::stdio::session::Session;

impl Session<'_> {
    pub(super) fn init(&mut self, fields: &Fields<'_>, to: Recipient<'_>, out: &mut Vec<u8>) {
        let given = fields.routes.filter(|routes| routes.get() != "null");
        let warnings = match given {
            None => {
                self.gateway.init_from_start();
                Vec::new()
            }
            Some(_) => match self.gateway.init(&table_json(fields)) {
                Ok(warnings) => warnings,
                Err(faults) => return to.error(MALFORMED, &not_taken(&faults), &faults, out),
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

    pub(super) fn register(
        &mut self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let (service, version, address) = membership(fields)?;
        let ttl = ttl(fields)?.map(|ttl| (ttl, (self.clock)()));
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
        }
    }

    /// What comes of a change to the registrations; when the next of them ends may have changed.
    fn changed(&mut self, done: Result<(), impl fmt::Display>) -> Result<(), Malformed> {
        self.next_expiry = self.gateway.next_expiry();
        done.map_err(|fault| Malformed(fault.to_string()))
    }
}

/// The first error of a table, and how many there are beside it.
fn not_taken(faults: &[Fault]) -> String {
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
