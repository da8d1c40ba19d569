//! What one worker has to itself: nothing of it is shared with another, so nothing is locked.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::engine::policy::Retry;
use crate::engine::routing::table::RouteId;
use crate::engine::semantics::budget::RetryBudget;
use crate::engine::semantics::edit::Edits;
use crate::engine::semantics::identity::Random;
use crate::engine::semantics::retry::{Attempt, admit_retry};
use crate::engine::snapshot::Snapshot;
use crate::http1::request::RequestHead;
use crate::http1::response::ResponseHead;
use crate::observe::access_log::LogWriter;
use crate::observe::counters::Counters;
use crate::runtime::buffer::Buffers;
use crate::runtime::clock;
use crate::runtime::deadline::Deadlines;
use crate::runtime::free_list::FreeList;
use crate::runtime::gateway::Gateway;
use crate::runtime::settings::Settings;
use crate::runtime::upstream::Upstreams;

/// One worker: a thread with a runtime, listeners and connections of its own.
#[derive(Debug)]
pub(crate) struct Worker {
    /// The table in force.
    pub(crate) gateway: Arc<Gateway>,
    /// What holds for all.
    pub(crate) settings: Arc<Settings>,
    /// Buffers that nobody uses just now.
    pub(crate) buffers: Buffers,
    /// Deadlines.
    pub(crate) deadlines: Rc<Deadlines>,
    /// Connections to backends.
    pub(crate) upstreams: Upstreams,
    /// What it has done.
    pub(crate) counters: Arc<Counters>,
    snapshot: RefCell<Rc<InForce>>,
    date: RefCell<(u64, Rc<str>)>,
    /// Where exchanges are told of, if they are.
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

/// A connection of a client, counted as open until this is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    worker: Rc<Worker>,
}

/// The snapshot in force, counted by this worker alone.
#[derive(Debug)]
pub(crate) struct InForce(Arc<Snapshot>);

impl Deref for InForce {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.0
    }
}

/// The names of the routes that were told of, of one snapshot.
#[derive(Debug, Default)]
struct RouteNames {
    of: Weak<InForce>,
    known: HashMap<RouteId, Rc<str>>,
}

/// What one exchange changes: emptied and used again by the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Changes of a header.
    pub(crate) edits: Edits,
    /// The body of an answer of the gateway's own.
    pub(crate) body: Vec<u8>,
}

impl Worker {
    /// A worker that has done nothing yet.
    #[must_use]
    pub(crate) fn new(
        gateway: Arc<Gateway>,
        settings: Arc<Settings>,
        counters: Arc<Counters>,
        log: Option<LogWriter>,
    ) -> Self {
        let upstreams = Upstreams::new(settings.folder.as_path().into());
        let budget = RetryBudget::new(settings.retries, settings.workers);
        Self {
            snapshot: RefCell::new(Rc::new(InForce(gateway.snapshot_owned()))),
            date: RefCell::new((u64::MAX, "".into())),
            gateway,
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

    /// The snapshot in force, to keep for the length of an exchange. Workers do not write to each
    /// other's cache lines for it, as they would if each exchange counted itself in.
    pub(crate) fn snapshot(&self) -> Rc<InForce> {
        let in_force = self.gateway.snapshot();
        let mut known = self.snapshot.borrow_mut();
        if !Arc::ptr_eq(&in_force, &known.0) {
            *known = Rc::new(InForce(Arc::clone(&in_force)));
        }
        Rc::clone(&known)
    }

    /// The value of `Date` for an answer of the gateway's own (RFC 9110, section 5.6.7).
    pub(crate) fn date(&self) -> Rc<str> {
        let now = clock::unix_seconds();
        let mut known = self.date.borrow_mut();
        if known.0 != now {
            *known = (now, clock::http_date(now).into());
        }
        Rc::clone(&known.1)
    }

    /// Bytes by chance, for the names of requests: none that a secret could be made of.
    pub(crate) fn random(&self) -> Random {
        let mut random = self.random.borrow_mut();
        let mut bytes = Random::default();
        random.fill(&mut bytes);
        bytes
    }

    /// Lists to put an exchange's changes into.
    pub(crate) fn take_scratch(&self) -> Box<Scratch> {
        self.scratches.take()
    }

    /// Takes them back.
    pub(crate) fn give_scratch(&self, scratch: Box<Scratch>) {
        self.scratches.give(scratch);
    }

    /// The name of a route of this snapshot, put together once.
    pub(crate) fn route_name(&self, snapshot: &Rc<InForce>, id: RouteId) -> Rc<str> {
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

    /// A head to parse a request into.
    pub(crate) fn take_request_head(&self) -> Box<RequestHead> {
        self.request_heads.take()
    }

    /// A head to parse a response into.
    pub(crate) fn take_response_head(&self) -> Box<ResponseHead> {
        self.response_heads.take()
    }

    /// Takes a head back.
    pub(crate) fn give_request_head(&self, mut head: Box<RequestHead>) {
        head.clear();
        self.request_heads.give(head);
    }

    /// Takes a head back.
    pub(crate) fn give_response_head(&self, mut head: Box<ResponseHead>) {
        head.clear();
        self.response_heads.give(head);
    }

    /// Counts a request towards the retries that it allows.
    pub(crate) fn deposit(&self) {
        self.budget.borrow_mut().deposit();
    }

    /// Whether a request is tried once more; if so, the budget is charged.
    pub(crate) fn admits_retry(&self, policy: &Retry, attempt: &Attempt<'_>) -> bool {
        let now = Duration::from_millis(self.deadlines.now());
        admit_retry(policy, attempt, &mut self.budget.borrow_mut(), now).is_ok()
    }

    /// Counts a connection of a client, which has been accepted and so is served: none is accepted
    /// before there is [`Self::room`], but by several listeners at once there may be one too many.
    pub(crate) fn open(self: &Rc<Self>) -> Open {
        self.open.set(self.open.get() + 1);
        self.counters.connections.add(1);
        Open {
            worker: Rc::clone(self),
        }
    }

    /// Waits until one more connection may be open.
    pub(crate) async fn room(&self) {
        while self.open.get() >= self.settings.connections {
            self.closed.notified().await;
        }
    }

    /// Waits until no connection is open.
    pub(crate) async fn quiet(&self) {
        while self.open.get() > 0 {
            self.closed.notified().await;
        }
    }

    /// Whether the process is to stop, and connections shall close when they can.
    #[must_use]
    pub(crate) const fn is_draining(&self) -> bool {
        self.is_draining.get()
    }

    /// Has connections close when they can.
    pub(crate) fn drain(&self) {
        self.is_draining.set(true);
        self.deadlines.wake_all();
    }

    /// Looks after deadlines, and every second after all else: connections to backends that are
    /// over are closed, and the log goes out.
    pub(crate) async fn keep_house(self: Rc<Self>) {
        let mut last = 0;
        let sweep = Rc::clone(&self.deadlines);
        sweep
            .run(move |now| {
                if now.saturating_sub(last) >= EVERY_MS {
                    last = now;
                    self.every_second(now);
                }
            })
            .await;
    }

    fn every_second(&self, now: u64) {
        // A table that is no longer in force shall not live on because nobody asks.
        drop(self.snapshot());
        self.upstreams.reap(now, UPSTREAM_IDLE, &self.buffers);
        if let Some(log) = &self.log {
            log.flush(&self.counters);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let open = &self.worker.open;
        open.set(open.get() - 1);
        self.worker.closed.notify_waiters();
    }
}

/// How often the house is kept, in milliseconds.
const EVERY_MS: u64 = 1_000;
/// How long a connection to a backend is kept without a request.
const UPSTREAM_IDLE: Duration = Duration::from_secs(50);
