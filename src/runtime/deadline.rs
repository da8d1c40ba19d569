//! Deadlines of tasks, checked by one coarse timer per worker.
//!
//! A timer per request costs more than the rest of its bookkeeping. Here a deadline is a number in a
//! cell: every [`TICK`] the worker compares all of them with the clock and wakes the tasks whose
//! deadline has passed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;

/// The interval between two checks. A deadline is noticed up to two ticks late, never early.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// The interval between two ticks while no deadline is registered.
const IDLE_TICK: Duration = Duration::from_secs(1);

/// All deadlines of one worker.
pub(crate) struct Deadlines {
    /// Milliseconds since the worker started.
    clock: Box<dyn Fn() -> u64>,
    registered: RefCell<Vec<Weak<Deadline>>>,
    /// Milliseconds since the worker started, as of the last tick.
    now: Cell<u64>,
    /// Whether every deadline has expired at once: the worker stops.
    is_shut_down: Cell<bool>,
    first_registered: Notify,
}

/// The deadline of one task. It starts unset.
#[derive(Debug)]
pub(crate) struct Deadline {
    /// In milliseconds of the worker; [`NEVER`] if unset.
    due: Cell<u64>,
    waker: RefCell<Option<Waker>>,
    deadlines: Weak<Deadlines>,
}

const NEVER: u64 = u64::MAX;

impl Deadlines {
    /// No deadlines yet; `clock` returns milliseconds.
    #[must_use]
    pub(crate) fn new(clock: Box<dyn Fn() -> u64>) -> Self {
        Self {
            now: Cell::new(clock()),
            clock,
            registered: RefCell::default(),
            is_shut_down: Cell::new(false),
            first_registered: Notify::new(),
        }
    }

    /// Registers the deadline of a task. Dropping it unregisters it.
    pub(crate) fn register(self: &Rc<Self>) -> Rc<Deadline> {
        let deadline = Rc::new(Deadline {
            due: Cell::new(NEVER),
            waker: RefCell::default(),
            deadlines: Rc::downgrade(self),
        });
        let mut registered = self.registered.borrow_mut();
        registered.push(Rc::downgrade(&deadline));
        if registered.len() == 1 {
            // The last tick may be a second old.
            self.now.set((self.clock)());
            self.first_registered.notify_one();
        }
        deadline
    }

    /// Milliseconds since the worker started, as of the last tick. After [`Self::shut_down`] it is
    /// later than any deadline.
    #[must_use]
    pub(crate) const fn now(&self) -> u64 {
        if self.is_shut_down.get() {
            NEVER
        } else {
            self.now.get()
        }
    }

    /// Whether [`Self::shut_down`] was called.
    #[must_use]
    pub(crate) const fn is_shut_down(&self) -> bool {
        self.is_shut_down.get()
    }

    /// Expires every deadline, set or not, for good.
    pub(crate) fn shut_down(&self) {
        self.is_shut_down.set(true);
        self.wake_all();
    }

    /// Sets the time and wakes the tasks whose deadline has passed.
    pub(crate) fn tick(&self, now: u64) {
        self.now.set(now);
        self.wake(|deadline| deadline.due.get() <= now);
    }

    /// Reads the clock, for a thread that another operation may have blocked since the last tick.
    pub(crate) fn refresh(&self) {
        self.tick((self.clock)());
    }

    /// Wakes every task, for an event that concerns all of them.
    pub(crate) fn wake_all(&self) {
        self.wake(|_| true);
    }

    /// Ticks every [`TICK`] while deadlines are registered, otherwise every second. Calls `also`
    /// after each tick with the time.
    pub(crate) async fn run(self: Rc<Self>, mut also: impl FnMut(u64)) {
        loop {
            let now = (self.clock)();
            self.tick(now);
            also(now);
            if self.registered.borrow().is_empty() {
                let _ = tokio::time::timeout(IDLE_TICK, self.first_registered.notified()).await;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    fn wake(&self, is_due: impl Fn(&Deadline) -> bool) {
        let mut due = Vec::new();
        self.registered.borrow_mut().retain(|deadline| {
            let Some(deadline) = deadline.upgrade() else {
                return false;
            };
            if is_due(&deadline) {
                due.extend(deadline.waker.borrow_mut().take());
            }
            true
        });
        due.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Deadlines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadlines")
            .field("now", &self.now)
            .field("registered", &self.registered.borrow().len())
            .finish_non_exhaustive()
    }
}

impl Deadline {
    /// Milliseconds of the worker, as of its last tick.
    #[must_use]
    pub(crate) fn now(&self) -> u64 {
        self.deadlines.upgrade().map_or(0, |all| all.now())
    }

    /// The time `time` from now in milliseconds of the worker; `None` is never. It includes one tick,
    /// because the last tick may be that old: no deadline expires early, and it expires at most two
    /// ticks late.
    #[must_use]
    pub(crate) fn after(&self, time: Option<Duration>) -> u64 {
        time.map_or(NEVER, |time| {
            let ms = u64::try_from((time + TICK).as_millis()).unwrap_or(NEVER);
            self.now().saturating_add(ms)
        })
    }

    /// Sets the deadline, in milliseconds of the worker.
    pub(crate) fn set(&self, due: u64) {
        self.due.set(due);
    }

    /// Unsets the deadline.
    pub(crate) fn clear(&self) {
        self.due.set(NEVER);
    }

    /// The output of a future, or `None` if the deadline passes first.
    pub(crate) async fn within<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.has_passed(cx) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Whether the deadline has passed. If not, the task is woken when it does.
    #[must_use]
    pub(crate) fn has_passed(&self, cx: &Context<'_>) -> bool {
        let mut waker = self.waker.borrow_mut();
        if !waker
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        self.due.get() <= self.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_when_its_time_has_come() {
        let time = Rc::new(Cell::new(1_000));
        let clock = Rc::clone(&time);
        let deadlines = Rc::new(Deadlines::new(Box::new(move || clock.get())));
        time.set(0);
        let deadline = deadlines.register();
        let cx = Context::from_waker(Waker::noop());
        assert!(!deadline.has_passed(&cx), "it is not set");
        deadline.set(deadline.after(Some(Duration::from_millis(120))));
        deadlines.tick(169);
        assert!(
            !deadline.has_passed(&cx),
            "the clock may have shown 50 when it was set"
        );
        deadlines.tick(170);
        assert!(deadline.has_passed(&cx));
        deadline.clear();
        assert!(!deadline.has_passed(&cx));
        deadlines.shut_down();
        assert!(deadline.has_passed(&cx), "all expire");
        deadlines.is_shut_down.set(false);
        drop(deadline);
        deadlines.tick(121);
        assert!(deadlines.registered.borrow().is_empty());
        // The first deadline after an idle period counts from the present, not from the last tick.
        time.set(9_000);
        let deadline = deadlines.register();
        deadline.set(deadline.after(Some(Duration::from_millis(50))));
        deadlines.tick(9_099);
        assert!(!deadline.has_passed(&cx));
    }
}
