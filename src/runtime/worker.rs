//! The state of one worker. Nothing is shared with another worker, so nothing is locked.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::engine::Snapshot;
use crate::engine::routing::RouteId;
use crate::engine::semantics::retry::{Attempt, admit_retry};
use crate::engine::semantics::{Edits, Random, Retry, RetryBudget};
use crate::http1::{RequestHead, ResponseHead};
use crate::observe::{Counters, LogWriter};
use crate::runtime::buffer::Buffers;
use crate::runtime::cell::SnapshotReader;
use crate::runtime::clock;
use crate::runtime::deadline::Deadlines;
use crate::runtime::free_list::FreeList;
use crate::runtime::settings::Settings;
use crate::runtime::upstream::Upstreams;

/// One worker: a thread with its own runtime, listeners and connections.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Where the current snapshot is read.
    snapshots: SnapshotReader,
    /// Process-wide limits and timeouts.
    pub(crate) settings: Arc<Settings>,
    /// Unused buffers.
    pub(crate) buffers: Buffers,
    /// The deadlines of its tasks.
    pub(crate) deadlines: Rc<Deadlines>,
    /// Connections to backends.
    pub(crate) upstreams: Upstreams,
    /// Its metrics.
    pub(crate) counters: Arc<Counters>,
    snapshot: RefCell<Rc<HeldSnapshot>>,
    date: RefCell<(u64, Rc<str>)>,
    /// The access log, if there is one.
    pub(crate) log: Option<LogWriter>,
    random: RefCell<fastrand::Rng>,
    scratches: FreeList<Scratch>,
    route_names: RefCell<RouteNames>,
    request_heads: FreeList<RequestHead>,
    response_heads: FreeList<ResponseHead>,
    budget: RefCell<RetryBudget>,
    is_draining: Cell<bool>,
    open: Cell<usize>,
    closed: Notify,
}

/// Counts a client connection as open until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    worker: Rc<Worker>,
}

/// A snapshot with a reference count of this worker.
#[derive(Debug)]
pub(crate) struct HeldSnapshot(Arc<Snapshot>);

impl Deref for HeldSnapshot {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.0
    }
}

/// The names of the routes of one snapshot that were logged.
#[derive(Debug, Default)]
struct RouteNames {
    of: Weak<HeldSnapshot>,
    known: HashMap<RouteId, Rc<str>>,
}

/// Scratch space of an exchange, which the next one clears and reuses.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The edits of a head.
    pub(crate) edits: Edits,
    /// The body of a local response.
    pub(crate) body: Vec<u8>,
}

impl Worker {
    /// A worker without connections.
    #[must_use]
    pub(crate) fn new(
        snapshots: SnapshotReader,
        settings: Arc<Settings>,
        counters: Arc<Counters>,
        log: Option<LogWriter>,
    ) -> Self {
        let upstreams = Upstreams::new(settings.folder.as_path().into());
        let budget = RetryBudget::new(settings.retries, settings.workers);
        Self {
            snapshot: RefCell::new(Rc::new(HeldSnapshot(snapshots.load_full()))),
            date: RefCell::new((u64::MAX, "".into())),
            snapshots,
            settings,
            buffers: Buffers::default(),
            deadlines: Rc::new(Deadlines::new(Box::new(clock::milliseconds()))),
            upstreams,
            counters,
            log,
            random: RefCell::new(fastrand::Rng::new()),
            scratches: FreeList::default(),
            route_names: RefCell::default(),
            request_heads: FreeList::default(),
            response_heads: FreeList::default(),
            budget: RefCell::new(budget),
            is_draining: Cell::new(false),
            open: Cell::new(0),
            closed: Notify::new(),
        }
    }

    /// The current snapshot, held for an exchange. Its reference count belongs to the worker, so that
    /// workers do not write to each other's cache lines.
    pub(crate) fn snapshot(&self) -> Rc<HeldSnapshot> {
        self.hold(&self.snapshots.load())
    }

    /// Holds a snapshot for an exchange. It allocates only if the last call was for another one.
    pub(crate) fn hold(&self, snapshot: &Arc<Snapshot>) -> Rc<HeldSnapshot> {
        let mut last = self.snapshot.borrow_mut();
        if !Arc::ptr_eq(snapshot, &last.0) {
            *last = Rc::new(HeldSnapshot(Arc::clone(snapshot)));
        }
        Rc::clone(&last)
    }

    /// The current value of `Date` (RFC 9110, section 5.6.7).
    pub(crate) fn date(&self) -> Rc<str> {
        let now = clock::unix_seconds();
        let mut known = self.date.borrow_mut();
        if known.0 != now {
            *known = (now, clock::http_date(now).into());
        }
        Rc::clone(&known.1)
    }

    /// Random bytes for request ids. They are not cryptographically secure.
    pub(crate) fn random(&self) -> Random {
        let mut random = self.random.borrow_mut();
        let mut bytes = Random::default();
        random.fill(&mut bytes);
        bytes
    }

    /// Scratch space with the content of its last use.
    pub(crate) fn take_scratch(&self) -> Box<Scratch> {
        self.scratches.take()
    }

    /// Returns scratch space.
    pub(crate) fn give_scratch(&self, scratch: Box<Scratch>) {
        self.scratches.give(scratch);
    }

    /// The name of a route, formatted once per snapshot.
    pub(crate) fn route_name(&self, snapshot: &Rc<HeldSnapshot>, id: RouteId) -> Rc<str> {
        let mut names = self.route_names.borrow_mut();
        if !std::ptr::eq(names.of.as_ptr(), Rc::as_ptr(snapshot)) {
            *names = RouteNames {
                of: Rc::downgrade(snapshot),
                known: HashMap::new(),
            };
        }
        let name = names.known.entry(id);
        Rc::clone(name.or_insert_with(|| snapshot.table().route_at(id).name().into()))
    }

    /// An empty head for a request.
    pub(crate) fn take_request_head(&self) -> Box<RequestHead> {
        self.request_heads.take()
    }

    /// An empty head for a response.
    pub(crate) fn take_response_head(&self) -> Box<ResponseHead> {
        self.response_heads.take()
    }

    /// Returns a head.
    pub(crate) fn give_request_head(&self, mut head: Box<RequestHead>) {
        head.clear();
        self.request_heads.give(head);
    }

    /// Returns a head.
    pub(crate) fn give_response_head(&self, mut head: Box<ResponseHead>) {
        head.clear();
        self.response_heads.give(head);
    }

    /// Counts a request: in the metrics, and towards the retry budget.
    pub(crate) fn count_request(&self) {
        self.counters.requests.add(1);
        self.budget.borrow_mut().deposit();
    }

    /// Whether another attempt is admitted. If so, the retry budget is charged.
    pub(crate) fn admits_retry(&self, policy: &Retry, attempt: &Attempt<'_>) -> bool {
        let now = Duration::from_millis(self.deadlines.now());
        admit_retry(policy, attempt, &mut self.budget.borrow_mut(), now).is_ok()
    }

    /// Counts an accepted client connection. Listeners wait for [`Self::room`] before they accept, but
    /// several of them may exceed the limit by one each.
    pub(crate) fn open(self: &Rc<Self>) -> OpenConnection {
        self.open.set(self.open.get() + 1);
        self.counters.connections.add(1);
        OpenConnection {
            worker: Rc::clone(self),
        }
    }

    /// Waits until the limit admits another connection.
    pub(crate) async fn room(&self) {
        while self.open.get() >= self.settings.connections {
            self.closed.notified().await;
        }
    }

    /// Waits until every client connection has closed.
    pub(crate) async fn all_closed(&self) {
        while self.open.get() > 0 {
            self.closed.notified().await;
        }
    }

    /// Whether the worker drains: connections close after their current request.
    #[must_use]
    pub(crate) const fn is_draining(&self) -> bool {
        self.is_draining.get()
    }

    /// Starts to drain.
    pub(crate) fn drain(&self) {
        self.is_draining.set(true);
        self.deadlines.wake_all();
    }

    /// Checks deadlines, and every second closes idle backend connections and flushes the access log.
    pub(crate) async fn maintain(self: Rc<Self>) {
        let mut last = 0;
        let deadlines = Rc::clone(&self.deadlines);
        deadlines
            .run(move |now| {
                if now.saturating_sub(last) >= EVERY_MS {
                    last = now;
                    self.every_second(now);
                }
            })
            .await;
    }

    fn every_second(&self, now: u64) {
        // Without requests, an old snapshot must not stay in memory.
        drop(self.snapshot());
        self.upstreams.reap(now, UPSTREAM_IDLE, &self.buffers);
        if let Some(log) = &self.log {
            log.flush(&self.counters);
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let open = &self.worker.open;
        open.set(open.get() - 1);
        self.worker.closed.notify_waiters();
    }
}

/// The interval of [`Worker::every_second`] in milliseconds.
const EVERY_MS: u64 = 1_000;
/// How long an idle backend connection stays open.
const UPSTREAM_IDLE: Duration = Duration::from_secs(50);
