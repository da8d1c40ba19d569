//! The seam between a session and `--forward`: the session reads messages and knows nothing of
//! how requests are sent; forwarding knows nothing of sessions.

use std::fmt;
use std::sync::Arc;

use crate::engine::Snapshot;
use crate::frontend::stdio::fields::ClientRequest;
use crate::frontend::stdio::reply::Recipient;
use crate::observe::Tally;

/// Admits requests and sends them to their backends; each reply is written when it arrives.
pub(super) trait Dispatch: fmt::Debug {
    /// Sends a request, to be admitted by this snapshot.
    fn send(&mut self, snapshot: &Arc<Snapshot>, request: &ClientRequest<'_>, to: Recipient<'_>);

    /// Whether another request may be in flight; if not, the session stops reading.
    fn has_capacity(&self) -> bool;

    /// Blocks until another request may be in flight.
    fn wait_for_capacity(&self);

    /// Counts the matches and picks reported so far towards the routes of this snapshot.
    fn count_picks(&mut self, tally: &mut Tally, snapshot: &Snapshot);

    /// Waits until every request sent has its first pick, and counts all matches and
    /// picks. It does not wait for backends.
    fn count_all_picks(&mut self, tally: &mut Tally, snapshot: &Snapshot);
}
