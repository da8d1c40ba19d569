//! The side of the reading thread: where requests are handed over, and where their picks are counted.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::UnboundedSender;

use crate::engine::Snapshot;
use crate::frontend::stdio::dispatch::Dispatch;
use crate::frontend::stdio::fields::ClientRequest;
use crate::frontend::stdio::forward::job::Job;
use crate::frontend::stdio::forward::limit::Limit;
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

impl Dispatch for Forwarder {
    fn send(&mut self, snapshot: &Arc<Snapshot>, request: &ClientRequest<'_>, to: Recipient<'_>) {
        let permit = Limit::acquire(&self.limit);
        let job = Job::new(
            Arc::clone(snapshot),
            &request.raw(),
            request.body.clone(),
            to,
            permit,
        );
        // Sending fails only after the output was closed.
        if self.jobs.send(job).is_ok() {
            self.unpicked += 1;
        }
    }

    fn has_capacity(&self) -> bool {
        self.limit.has_capacity()
    }

    fn wait_for_capacity(&self) {
        self.limit.wait_for_capacity();
    }

    fn count_picks(&mut self, tally: &mut Tally, snapshot: &Snapshot) {
        while let Ok(event) = self.picks.try_recv() {
            self.count(&event, tally, snapshot);
        }
    }

    fn count_all_picks(&mut self, tally: &mut Tally, snapshot: &Snapshot) {
        self.count_picks(tally, snapshot);
        // The first pick of a request waits for no backend.
        while self.unpicked > 0 {
            // Receiving fails only after the output was closed.
            let Ok(event) = self.picks.recv() else { return };
            self.count(&event, tally, snapshot);
        }
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
