//! The reconciler as a task: sources send updates from any thread, one thread applies them.

use std::io;
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use crate::control::reconciler::Reconciler;
use crate::control::update::{Update, UpdateError};
use crate::runtime::clock;

/// Sends updates to the reconciler. Each source has a clone; the reconciler stops with the last.
#[derive(Clone, Debug)]
pub struct Handle {
    updates: mpsc::Sender<Sent>,
}

/// An update in the queue, and where its result goes.
#[derive(Debug)]
struct Sent {
    update: Update,
    reply: oneshot::Sender<Result<(), UpdateError>>,
}

impl Handle {
    /// Starts the reconciler on a thread of its own, so that no worker ever builds a snapshot.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub fn start(reconciler: Reconciler) -> io::Result<Self> {
        let (updates, queue) = mpsc::channel(QUEUE_LENGTH);
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("control".into());
        thread.spawn(move || runtime.block_on(run(reconciler, queue)))?;
        Ok(Self { updates })
    }

    /// Sends an update and waits until it is published or rejected.
    ///
    /// # Errors
    /// If the update is rejected, or the reconciler has stopped.
    pub async fn send(&self, update: Update) -> Result<(), UpdateError> {
        let (reply, result) = oneshot::channel();
        let sent = self.updates.send(Sent { update, reply }).await;
        sent.map_err(|_| UpdateError::Stopped)?;
        result.await.unwrap_or(Err(UpdateError::Stopped))
    }
}

/// Applies updates until the last handle is dropped. Updates that wait in the queue together are
/// published together.
async fn run(mut reconciler: Reconciler, mut queue: mpsc::Receiver<Sent>) {
    let mut batch = Vec::with_capacity(QUEUE_LENGTH);
    loop {
        let next_expiry = reconciler.next_expiry();
        tokio::select! {
            received = queue.recv_many(&mut batch, QUEUE_LENGTH) => if received == 0 {
                return;
            },
            () = until(next_expiry) => {}
        }
        if next_expiry.is_some() {
            // Expiry is never rejected.
            let _ = reconciler.apply(Update::Expire { now: clock::now() });
        }
        let replies = batch.drain(..).map(|Sent { update, reply }| {
            let result = reconciler.apply(update);
            (reply, result)
        });
        let replies: Vec<_> = replies.collect();
        reconciler.publish();
        for (reply, result) in replies {
            // A source that no longer waits needs no result.
            let _ = reply.send(result);
        }
    }
}

/// Waits until this time; forever without one.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

/// How many updates may wait before senders do.
const QUEUE_LENGTH: usize = 1_024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{LoadOptions, load_json};
    use crate::engine::upstream::{Address, ServiceKey};
    use crate::runtime::cell::SnapshotReader;

    const TABLE: &str = r#"{"routes":[{"path_pattern":"/a/*","service":"s","backends":["a"]}]}"#;

    fn start() -> (Handle, SnapshotReader) {
        let loaded = load_json(TABLE, LoadOptions::INIT).unwrap();
        let reconciler = Reconciler::new(loaded, 2);
        let reader = reconciler.reader();
        (Handle::start(reconciler).unwrap(), reader)
    }

    fn register(address: &str, lifetime: Option<Duration>) -> Update {
        Update::Register {
            service: ServiceKey::of("s", None),
            address: Address::parse(address).unwrap(),
            expires: lifetime.map(|lifetime| clock::now() + lifetime),
        }
    }

    fn backends(reader: &SnapshotReader) -> usize {
        let snapshot = reader.load();
        let route = snapshot.table().ids().next().unwrap();
        snapshot.cluster(route).backends().len()
    }

    #[tokio::test]
    async fn an_update_is_published_when_send_returns() {
        let (control, reader) = start();
        control.send(register("b", None)).await.unwrap();
        assert_eq!(backends(&reader), 2);
        control.send(register("c", None)).await.unwrap();
        assert_eq!(backends(&reader), 3);
        let rejected = control.send(register("d", None)).await;
        assert_eq!(
            rejected,
            Err(UpdateError::TooManyRegistrations { limit: 2 })
        );
        assert_eq!(backends(&reader), 3);
    }

    #[tokio::test]
    async fn a_registration_ends_without_further_updates() {
        let (control, reader) = start();
        let lifetime = Some(Duration::from_millis(1));
        control.send(register("b", lifetime)).await.unwrap();
        while backends(&reader) > 1 {
            tokio::task::yield_now().await;
        }
    }
}
