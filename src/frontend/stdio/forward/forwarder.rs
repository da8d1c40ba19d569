//! The side of the reading thread: where requests are handed over, and where their picks are counted.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::UnboundedSender;

use crate::engine::Snapshot;
use crate::frontend::stdio::fields::{ClientRequest, Malformed};
use crate::frontend::stdio::forward::job::{Job, RequestBody};
use crate::frontend::stdio::forward::limit::Limit;
use crate::frontend::stdio::message::Fields;
use crate::frontend::stdio::reply::Recipient;
use crate::observe::Tally;
use crate::runtime::proxy::PickEvent;

/// Hands requests to the forwarding thread.
#[derive(Debug)]
pub(crate) struct Forwarder {
    jobs: UnboundedSender<Job>,
    limit: Arc<Limit>,
    picks: Receiver<PickEvent>,
    /// How many requests were handed over of which no event has arrived.
    unpicked: usize,
}

impl Forwarder {
    pub(super) const fn new(
        jobs: UnboundedSender<Job>,
        limit: Arc<Limit>,
        picks: Receiver<PickEvent>,
    ) -> Self {
        Self {
            jobs,
            limit,
            picks,
            unpicked: 0,
        }
    }

    /// Hands a request over. The forwarding thread answers it.
    pub(crate) fn forward(
        &mut self,
        snapshot: &Arc<Snapshot>,
        request: &ClientRequest<'_>,
        fields: &Fields<'_>,
        to: Recipient<'_>,
    ) -> Result<(), Malformed> {
        let body = RequestBody::of(fields.body)?;
        let permit = Limit::acquire(&self.limit);
        let job = Job::new(Arc::clone(snapshot), &request.raw(), body, to, permit);
        // Sending fails only after the output was closed.
        if self.jobs.send(job).is_ok() {
            self.unpicked += 1;
        }
        Ok(())
    }

    /// Whether another request may be read.
    pub(crate) fn has_room(&self) -> bool {
        self.limit.has_room()
    }

    /// Waits until another request may be read.
    pub(crate) fn wait_for_room(&self) {
        self.limit.wait_for_room();
    }

    /// Adds the matches and picks so far to the counts of this snapshot.
    pub(crate) fn count_picks(&mut self, tally: &mut Tally, snapshot: &Snapshot) {
        while let Ok(event) = self.picks.try_recv() {
            self.count(&event, tally, snapshot);
        }
    }

    /// Does the same once each request that was read has its first pick. That is the first thing that
    /// happens to a request, and waits for no backend.
    pub(crate) fn count_all_picks(&mut self, tally: &mut Tally, snapshot: &Snapshot) {
        self.count_picks(tally, snapshot);
        while self.unpicked > 0 {
            // Receiving fails only after the output was closed.
            let Ok(event) = self.picks.recv() else { return };
            self.count(&event, tally, snapshot);
        }
    }

    fn count(&mut self, event: &PickEvent, tally: &mut Tally, snapshot: &Snapshot) {
        self.unpicked -= usize::from(event.is_first);
        if std::ptr::eq(event.snapshot.table(), snapshot.table()) {
            return add(event, tally);
        }
        // The table has changed since, and its routes and backends have other numbers.
        let mut then = Tally::new(&event.snapshot);
        add(event, &mut then);
        tally.add(&then.carried(&event.snapshot, snapshot));
    }
}

/// Adds an event to the counts of its snapshot.
fn add(event: &PickEvent, tally: &mut Tally) {
    let Some(route) = event.route else { return };
    if event.is_first {
        tally.matched(route);
    }
    if let Some(backend) = event.backend {
        tally.picked(route, backend);
    }
}
