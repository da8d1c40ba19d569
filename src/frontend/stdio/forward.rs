//! `--forward`: requests go to their backends side by side, and are answered as they finish.
//!
//! One thread reads, decides what is refused at once, and answers all other messages in order. An
//! admitted request becomes a [`Job`] with the snapshot of its time; the thread that called forwards
//! it as `tollgate serve` would, and writes its answer as one line of its own. Nothing here decides,
//! and nothing here knows how a request is sent.

mod exchange;
mod job;

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

use crate::engine::decide::Plan;
use crate::engine::snapshot::Snapshot;
use crate::engine::table::RouteId;
use crate::frontend::stdio::fields::{ClientRequest, Malformed};
use crate::frontend::stdio::forward::job::{Job, RequestBody};
use crate::frontend::stdio::message::Fields;
use crate::frontend::stdio::reply::Recipient;
use crate::frontend::stdio::session::Session;
use crate::frontend::stdio::{Options, converse};
use crate::observe::tally::Tally;
use crate::runtime::clock;
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
    let forwarder = Forwarder { jobs, room, picks };
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
        worker,
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
    picks: Receiver<Picks>,
}

impl Forwarder {
    /// Sends a request on its way; its answer comes by itself.
    pub(super) fn forward(
        &self,
        snapshot: &Arc<Snapshot>,
        request: &ClientRequest<'_>,
        body: RequestBody,
        to: Recipient<'_>,
    ) {
        let permit = Room::enter(&self.room);
        let job = Job::new(Arc::clone(snapshot), &request.raw(), body, to, permit);
        // Nobody forwards any more where nobody reads the answers.
        let _ = self.jobs.send(job);
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

    /// Counts the picks of which nothing was told before, as those of this snapshot.
    pub(super) fn count_picks(&self, tally: &mut Tally, snapshot: &Snapshot) {
        for picks in self.picks.try_iter() {
            if std::ptr::eq(picks.snapshot.table(), snapshot.table()) {
                for slot in picks.slots {
                    tally.picked(picks.route, slot);
                }
            } else {
                // The table has changed since: its routes and backends are others now.
                let mut then = Tally::new(&picks.snapshot);
                for slot in picks.slots {
                    then.picked(picks.route, slot);
                }
                tally.add(&then.carried(&picks.snapshot, snapshot));
            }
        }
    }
}

/// The backends that were picked for one request.
#[derive(Debug)]
struct Picks {
    snapshot: Arc<Snapshot>,
    route: RouteId,
    slots: Vec<u32>,
}

/// The side that forwards.
struct Hub<W> {
    worker: Worker,
    is_verbose: bool,
    max_body_bytes: usize,
    picks: Sender<Picks>,
    output: Shared<W>,
}

impl<W: Write + 'static> Hub<W> {
    /// Forwards until no more requests can come and all are answered.
    async fn run(self: Rc<Self>, mut queue: UnboundedReceiver<Job>) -> io::Result<()> {
        self.keep_house();
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

    /// Looks after deadlines and connections.
    fn keep_house(self: &Rc<Self>) {
        let hub = Rc::clone(self);
        let mut last = 0;
        let sweep = Rc::clone(&self.worker.sweep);
        spawn_local(sweep.run(clock::milliseconds(), move |now| {
            if now.saturating_sub(last) >= 1_000 {
                last = now;
                hub.worker.every_second(now);
            }
        }));
    }

    /// Forwards one request and writes its answer.
    async fn answer(self: Rc<Self>, job: Job) -> io::Result<()> {
        let mut line = Vec::new();
        self.forward(&job, &mut line).await;
        self.output.write_line(&line)
    }

    /// Tells which backends were picked; the reader counts them.
    fn tell_picks(&self, job: &Job, plan: &Plan<'_>, slots: Vec<u32>) {
        let picks = Picks {
            snapshot: Arc::clone(&job.snapshot),
            route: plan.route_id(),
            slots,
        };
        // Nobody asks once the input has ended.
        let _ = self.picks.send(picks);
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
