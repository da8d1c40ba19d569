//! Messages that only read: `discover`, `explain`, `stats`.

use crate::engine::explain::explain;
use crate::frontend::explanation;
use crate::frontend::stdio::discover;
use crate::frontend::stdio::fields::{ClientRequest, Malformed, required, version};
use crate::frontend::stdio::message::Fields;
use crate::frontend::stdio::reply::{BackendStats, Recipient, Reply, RouteStats};
use crate::frontend::stdio::session::Session;
use crate::frontend::stdio::text::Text;

impl Session<'_> {
    pub(super) fn discover(
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
        let snapshot = self.snapshots.load();
        let unrouted = self.reconciler.unrouted();
        let services = discover::services(&snapshot, &unrouted, service, version);
        to.reply("discover_ok", &Reply::Services { services }, out);
        Ok(())
    }

    pub(super) fn explain(
        &self,
        fields: &Fields<'_>,
        to: Recipient<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let request = ClientRequest::of(fields)?;
        let snapshot = self.snapshots.load();
        let arrival = request.arrival();
        let explained = explain(&snapshot, &request.read(&arrival));
        let explanation = explanation::to_json(&explained, &snapshot);
        to.reply("explain_ok", &explanation, out);
        Ok(())
    }

    pub(super) fn stats(&mut self, to: Recipient<'_>, out: &mut Vec<u8>) {
        let snapshot = self.current();
        self.count_all_picks();
        let routes = snapshot.table().ids().map(|id| {
            let tally = self.tally.route(id);
            let backends = snapshot.cluster(id).backends().iter();
            let picks: Vec<BackendStats> = backends
                .map(|b| BackendStats {
                    backend: b.name.to_string(),
                    picks: tally.picks(b.id),
                })
                .collect();
            RouteStats {
                route: snapshot.table().route_at(id).name(),
                matched: tally.matched(),
                departed: tally.picked() - picks.iter().map(|b| b.picks).sum::<u64>(),
                picks,
            }
        });
        let routes = routes.collect();
        to.reply("stats_ok", &Reply::Stats { routes }, out);
    }
}
