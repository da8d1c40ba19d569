//! `--forward`: requests go to their backends side by side, and are answered as they finish.
//!
//! One thread reads, decides what is refused at once, and answers all other messages in order. An
//! admitted request becomes a `Job` with the snapshot of its time; the thread that called forwards
//! it as `tollgate serve` would, and writes its answer as one line of its own. Nothing here decides,
//! and nothing here knows how a request is sent.

mod exchange;
mod job;

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinSet, spawn_local};

use crate::engine::routing::table::RouteId;
use crate::engine::snapshot::Snapshot;
use crate::frontend::stdio::fields::{ClientRequest, Malformed};
use crate::frontend::stdio::forward::job::{Job, RequestBody};
use crate::frontend::stdio::message::Fields;
use crate::frontend::stdio::reply::Recipient;
use crate::frontend::stdio::session::Session;
use crate::frontend::stdio::{Options, converse};
use crate::observe::tally::Tally;
use crate::runtime::gateway::Gateway;
use crate::runtime::settings::Settings;
use crate::runtime::worker::Worker;

/// How requests are forwarded.
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// What holds for all.
    pub settings: Arc<Settings>,
    /// How many requests may be in flight; while there are as many, nothing is read.
    pub concurrency: NonZeroUsize,
    /// How many bytes the body of an answer may have.
    pub max_body_bytes: usize,
}

/// Answers every value of `input` on `output` until the input ends and every request that was
/// forwarded is answered.
///
/// It returns as soon as the output is closed; the thread that reads then ends with its next read.
///
/// # Errors
/// If reading or writing fails; a closed output is such a failure, of the kind `BrokenPipe`. Or if
/// the system gives no thread.
pub fn serve(
    gateway: &Arc<Gateway>,
    options: Options,
    forwarding: Forwarding,
    clock: fn() -> Instant,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> io::Result<()> {
    let output = Shared(Arc::new(Mutex::new(output)));
    let room = Arc::new(Room::new(forwarding.concurrency));
    let (jobs, queue) = unbounded_channel();
    let (told, picks) = channel();
    let forwarder = Forwarder {
        jobs,
        room,
        picks,
        unpicked: 0,
    };
    let reader = {
        let (gateway, output) = (Arc::clone(gateway), output.clone());
        thread::Builder::new()
            .name("reader".into())
            .spawn(move || {
                let session =
                    Session::new(&gateway, options.is_verbose, clock).forwarding(forwarder);
                converse(session, options.limits, input, output)
            })?
    };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    let counters = Arc::default();
    let worker = Worker::new(Arc::clone(gateway), forwarding.settings, counters, None);
    let hub = Hub {
        worker: Rc::new(worker),
        is_verbose: options.is_verbose,
        max_body_bytes: forwarding.max_body_bytes,
        picks: told,
        output,
    };
    let written = runtime.block_on(Rc::new(hub).run(queue));
    // A name that is still looked up holds nobody up.
    runtime.shutdown_background();
    written?;
    let read = reader.join();
    read.unwrap_or_else(|_| Err(io::Error::other("the reading thread failed")))
}

/// The reader's side: where admitted requests go.
#[derive(Debug)]
pub(super) struct Forwarder {
    jobs: UnboundedSender<Job>,
    room: Arc<Room>,
    picks: Receiver<Told>,
    /// How many requests were sent on their way of which no pick is known.
    unpicked: usize,
}

impl Forwarder {
    /// Sends a request on its way; its answer comes by itself.
    pub(super) fn forward(
        &mut self,
        snapshot: &Arc<Snapshot>,
        request: &ClientRequest<'_>,
        body: RequestBody,
        to: Recipient<'_>,
    ) {
        let permit = Room::enter(&self.room);
        let job = Job::new(Arc::clone(snapshot), &request.raw(), body, to, permit);
        // Nobody forwards any more where nobody reads the answers.
        if self.jobs.send(job).is_ok() {
            self.unpicked += 1;
        }
    }

    /// The body that goes along with a request.
    pub(super) fn body_of(fields: &Fields<'_>) -> Result<RequestBody, Malformed> {
        RequestBody::of(fields.body)
    }

    /// Whether one more request may be read.
    pub(super) fn has_room(&self) -> bool {
        *self.room.in_flight() < self.room.most
    }

    /// Waits until one more may.
    pub(super) fn wait_for_room(&self) {
        let full = |in_flight: &mut usize| *in_flight >= self.room.most;
        let waited = self.room.freed.wait_while(self.room.in_flight(), full);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts the picks that have been made, as those of this snapshot.
    pub(super) fn count_picks(&mut self, tally: &mut Tally, snapshot: &Snapshot) {
        while let Ok(told) = self.picks.try_recv() {
            self.count(told, tally, snapshot);
        }
    }

    /// The same once every request has had its first pick: that is the first thing to happen to it,
    /// and no backend is waited for.
    pub(super) fn count_all_picks(&mut self, tally: &mut Tally, snapshot: &Snapshot) {
        self.count_picks(tally, snapshot);
        while self.unpicked > 0 {
            // Nobody picks any more where nobody reads the answers.
            let Ok(told) = self.picks.recv() else { return };
            self.count(told, tally, snapshot);
        }
    }

    fn count(&mut self, told: Told, tally: &mut Tally, snapshot: &Snapshot) {
        self.unpicked -= usize::from(told.is_first);
        let Some((route, slot)) = told.pick else {
            return;
        };
        if std::ptr::eq(told.snapshot.table(), snapshot.table()) {
            return tally.picked(route, slot);
        }
        // The table has changed since: its routes and backends are others now.
        let mut then = Tally::new(&told.snapshot);
        then.picked(route, slot);
        tally.add(&then.carried(&told.snapshot, snapshot));
    }
}

/// What the reader is told of a request.
#[derive(Debug)]
struct Told {
    snapshot: Arc<Snapshot>,
    /// The route and the slot of the backend; none if none was picked at all.
    pick: Option<(RouteId, u32)>,
    /// Whether it is the first that is told of this request.
    is_first: bool,
}

/// Tells the reader which backends are picked for one request: at least once, if only that there
/// is none.
struct Picks {
    snapshot: Arc<Snapshot>,
    to: Sender<Told>,
    is_first: Cell<bool>,
}

impl Picks {
    fn picked(&self, route: RouteId, slot: u32) {
        self.tell(Some((route, slot)));
    }

    fn tell(&self, pick: Option<(RouteId, u32)>) {
        let told = Told {
            snapshot: Arc::clone(&self.snapshot),
            pick,
            is_first: self.is_first.replace(false),
        };
        // Nobody asks once the input has ended.
        let _ = self.to.send(told);
    }
}

impl Drop for Picks {
    fn drop(&mut self) {
        if self.is_first.get() {
            self.tell(None);
        }
    }
}

/// The side that forwards.
struct Hub<W> {
    worker: Rc<Worker>,
    is_verbose: bool,
    max_body_bytes: usize,
    picks: Sender<Told>,
    output: Shared<W>,
}

impl<W: Write + 'static> Hub<W> {
    /// Forwards until no more requests can come and all are answered.
    async fn run(self: Rc<Self>, mut queue: UnboundedReceiver<Job>) -> io::Result<()> {
        spawn_local(Rc::clone(&self.worker).keep_house());
        let mut is_over = false;
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                job = queue.recv(), if !is_over => match job {
                    Some(job) => drop(tasks.spawn_local(Rc::clone(&self).answer(job))),
                    None => is_over = true,
                },
                Some(done) = tasks.join_next() => match done {
                    Ok(written) => written?,
                    Err(failed) => return Err(io::Error::other(failed)),
                },
                else => return Ok(()),
            }
        }
    }

    /// Forwards one request and writes its answer.
    async fn answer(self: Rc<Self>, job: Job) -> io::Result<()> {
        // A write may have taken long.
        self.worker.deadlines.refresh();
        let mut line = Vec::new();
        let picks = Picks {
            snapshot: Arc::clone(&job.snapshot),
            to: self.picks.clone(),
            is_first: Cell::new(true),
        };
        self.forward(&job, &picks, &mut line).await;
        self.output.write_line(&line)
    }
}

/// How many requests are in flight, and how many may be.
#[derive(Debug)]
struct Room {
    in_flight: Mutex<usize>,
    freed: Condvar,
    most: usize,
}

/// The place of one request, free again when this is dropped.
#[derive(Debug)]
struct Permit(Arc<Room>);

impl Room {
    const fn new(most: NonZeroUsize) -> Self {
        Self {
            in_flight: Mutex::new(0),
            freed: Condvar::new(),
            most: most.get(),
        }
    }

    fn enter(room: &Arc<Self>) -> Permit {
        *room.in_flight() += 1;
        Permit(Arc::clone(room))
    }

    fn in_flight(&self) -> MutexGuard<'_, usize> {
        // A number is whole at any time.
        self.in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.0.in_flight() -= 1;
        self.0.freed.notify_one();
    }
}

/// An output that two threads write whole lines to.
struct Shared<W>(Arc<Mutex<W>>);

impl<W> Clone for Shared<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Write> Shared<W> {
    fn lock(&self) -> MutexGuard<'_, W> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        let mut output = self.lock();
        output.write_all(line)?;
        output.flush()
    }
}

/// Lines that are written at once are not torn apart.
impl<W: Write> Write for Shared<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.lock().write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}
