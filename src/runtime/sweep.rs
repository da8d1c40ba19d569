//! Deadlines, looked after by one coarse sweep a worker.
//!
//! A timer for each request costs more than the rest of its bookkeeping. Here a deadline is a
//! number in a cell; every [`TICK`] all cells of the worker are looked through, and the tasks whose
//! time is over are woken.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::sync::Notify;

/// How often deadlines are looked at: so much later than asked for may one be noticed.
pub const TICK: Duration = Duration::from_millis(50);

/// How often it goes round if there are none.
const REST: Duration = Duration::from_secs(1);

/// The deadlines of one worker.
pub struct Sweep {
    /// Milliseconds since the worker began.
    clock: Box<dyn Fn() -> u64>,
    watches: RefCell<Vec<Weak<Watch>>>,
    /// Milliseconds since the worker began, as of the last tick.
    now: Cell<u64>,
    /// Whether the time of all is over.
    is_ended: Cell<bool>,
    begun: Notify,
}

/// The deadline of one task.
#[derive(Debug)]
pub struct Watch {
    /// In milliseconds of the worker; [`NEVER`] if there is none.
    due: Cell<u64>,
    waker: RefCell<Option<Waker>>,
    sweep: Weak<Sweep>,
}

const NEVER: u64 = u64::MAX;

impl Sweep {
    /// A sweep by a clock that gives milliseconds.
    #[must_use]
    pub fn new(clock: Box<dyn Fn() -> u64>) -> Self {
        Self {
            now: Cell::new(clock()),
            clock,
            watches: RefCell::default(),
            is_ended: Cell::new(false),
            begun: Notify::new(),
        }
    }

    /// A deadline for a task, not set.
    pub fn watch(self: &Rc<Self>) -> Rc<Watch> {
        let watch = Rc::new(Watch {
            due: Cell::new(NEVER),
            waker: RefCell::default(),
            sweep: Rc::downgrade(self),
        });
        let mut watches = self.watches.borrow_mut();
        watches.push(Rc::downgrade(&watch));
        if watches.len() == 1 {
            // It has rested, and does not know what time it is.
            self.now.set((self.clock)());
            self.begun.notify_one();
        }
        watch
    }

    /// Milliseconds since the worker began, as of the last tick; once all is over, no deadline is
    /// later.
    #[must_use]
    pub const fn now(&self) -> u64 {
        if self.is_ended.get() {
            NEVER
        } else {
            self.now.get()
        }
    }

    /// Whether the time of all is over.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        self.is_ended.get()
    }

    /// Ends the time of all, also of those who have no deadline.
    pub fn end(&self) {
        self.is_ended.set(true);
        self.wake_all();
    }

    /// Says what time it is, and wakes the tasks whose time is over.
    pub fn tick(&self, now: u64) {
        self.now.set(now);
        self.wake(|watch| watch.due.get() <= now);
    }

    /// Looks what time it is, for a thread that may have been held up by something else.
    pub fn refresh(&self) {
        self.tick((self.clock)());
    }

    /// Wakes every task, as when something has happened that concerns all.
    pub fn wake_all(&self) {
        self.wake(|_| true);
    }

    /// Ticks as long as there is something to watch, and else every second, for what `also` looks
    /// after.
    pub async fn run(self: Rc<Self>, mut also: impl FnMut(u64)) {
        loop {
            let now = (self.clock)();
            self.tick(now);
            also(now);
            if self.watches.borrow().is_empty() {
                let _ = tokio::time::timeout(REST, self.begun.notified()).await;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    fn wake(&self, is_due: impl Fn(&Watch) -> bool) {
        let mut due = Vec::new();
        self.watches.borrow_mut().retain(|watch| {
            let Some(watch) = watch.upgrade() else {
                return false;
            };
            if is_due(&watch) {
                due.extend(watch.waker.borrow_mut().take());
            }
            true
        });
        due.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("now", &self.now)
            .field("watches", &self.watches.borrow().len())
            .finish_non_exhaustive()
    }
}

impl Watch {
    /// Milliseconds of the worker, as of its last tick.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.sweep.upgrade().map_or(0, |sweep| sweep.now())
    }

    /// When it will surely be so much later; never for none. What the last tick said is up to a tick
    /// ago, so that one is put to it: no deadline is over too early, and up to two ticks late.
    #[must_use]
    pub fn after(&self, time: Option<Duration>) -> u64 {
        time.map_or(NEVER, |time| {
            let ms = u64::try_from((time + TICK).as_millis()).unwrap_or(NEVER);
            self.now().saturating_add(ms)
        })
    }

    /// Sets the deadline, in milliseconds of the worker.
    pub fn set(&self, due: u64) {
        self.due.set(due);
    }

    /// Takes the deadline back.
    pub fn clear(&self) {
        self.due.set(NEVER);
    }

    /// Whether the time is over; if not, the task is woken when it is.
    #[must_use]
    pub fn is_over(&self, cx: &Context<'_>) -> bool {
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
    fn a_deadline_is_over_when_its_time_has_come() {
        let time = Rc::new(Cell::new(1_000));
        let clock = Rc::clone(&time);
        let sweep = Rc::new(Sweep::new(Box::new(move || clock.get())));
        time.set(0);
        let watch = sweep.watch();
        let cx = Context::from_waker(Waker::noop());
        assert!(!watch.is_over(&cx), "none is set");
        watch.set(watch.after(Some(Duration::from_millis(120))));
        sweep.tick(169);
        assert!(!watch.is_over(&cx), "it may have been 50 when it was set");
        sweep.tick(170);
        assert!(watch.is_over(&cx));
        watch.clear();
        assert!(!watch.is_over(&cx));
        sweep.end();
        assert!(watch.is_over(&cx), "for all");
        sweep.is_ended.set(false);
        drop(watch);
        sweep.tick(121);
        assert!(sweep.watches.borrow().is_empty());
        // After a rest a deadline begins at the time that it is, and not when the rest began.
        time.set(9_000);
        let watch = sweep.watch();
        watch.set(watch.after(Some(Duration::from_millis(50))));
        sweep.tick(9_099);
        assert!(!watch.is_over(&cx));
    }
}
