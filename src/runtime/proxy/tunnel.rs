//! A connection that switched protocols (RFC 9110, section 7.8): bytes both ways, uninterpreted.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::engine::semantics::Forwarding;
use crate::runtime::buffer::Buffers;
use crate::runtime::connection::Http1Connection;
use crate::runtime::proxy::http1_downstream::Persistence;
use crate::runtime::proxy::inbound::ExchangeContext;

/// Passes bytes both ways until both sides have closed, neither has sent anything for the idle
/// timeout, or the time is `ends_at`, in milliseconds of the worker.
///
/// If one side breaks, the bytes that it sent before still go to the other (RFC 9110, section
/// 9.3.6), as long as the other takes them without a pause.
pub(super) async fn tunnel(
    context: &ExchangeContext<'_>,
    client: &mut Http1Connection,
    mut backend: Box<Http1Connection>,
    policy: &Forwarding,
    ends_at: u64,
) -> Persistence {
    let ExchangeContext {
        worker, deadline, ..
    } = *context;
    let buffers = &worker.buffers;
    let idle = Some(policy.timeouts.idle);
    deadline.set(ends_at.min(deadline.after(idle)));
    let [mut up, mut down] = [Direction::default(), Direction::default()];
    poll_fn(|cx| {
        let is_up_done = up.poll(cx, client, &mut backend, buffers).is_ready();
        let is_down_done = down.poll(cx, &mut backend, client, buffers).is_ready();
        if std::mem::take(&mut up.has_moved) | std::mem::take(&mut down.has_moved) {
            let is_broken = up.is_broken || down.is_broken;
            let time = if is_broken { Some(FLUSH_TIMEOUT) } else { idle };
            deadline.set(ends_at.min(deadline.after(time)));
        }
        if is_up_done && is_down_done || deadline.has_passed(cx) {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
    deadline.clear();
    match down.state {
        DirectionState::Closed => Persistence::Close,
        // The client must not take a cut for the end of the data.
        DirectionState::Open | DirectionState::Closing => Persistence::Reset,
    }
}

/// The idle timeout of a tunnel of which one side has broken.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// One of the two directions.
#[derive(Debug, Default)]
struct Direction {
    state: DirectionState,
    /// Whether the sender or the receiver broke.
    is_broken: bool,
    /// Whether bytes have moved, or it has broken, since the last poll.
    has_moved: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum DirectionState {
    /// Bytes move.
    #[default]
    Open,
    /// No more bytes arrive; those that did are being flushed.
    Closing,
    /// The receiver's side is closed.
    Closed,
}

impl Direction {
    /// Moves as much as possible. Ready once the direction is closed.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Http1Connection,
        to: &mut Http1Connection,
        buffers: &Buffers,
    ) -> Poll<()> {
        if matches!(self.state, DirectionState::Open) {
            if ready!(self.poll_move(cx, from, to, buffers)).is_err() {
                self.is_broken = true;
                self.has_moved = true;
            }
            self.state = DirectionState::Closing;
        }
        if matches!(self.state, DirectionState::Closing) {
            // A receiver that broke is closed.
            if ready!(to.poll_flush(cx)).is_ok() {
                let _ = ready!(to.poll_shutdown(cx));
            }
            self.state = DirectionState::Closed;
        }
        Poll::Ready(())
    }

    /// Passes bytes on until no more arrive.
    fn poll_move(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Http1Connection,
        to: &mut Http1Connection,
        buffers: &Buffers,
    ) -> Poll<io::Result<()>> {
        loop {
            if from.data().is_empty() {
                match from.poll_fill(cx, buffers)? {
                    Poll::Ready(0) => return Poll::Ready(Ok(())),
                    Poll::Ready(_) => {}
                    Poll::Pending => {
                        if to.poll_flush(cx)?.is_ready() {
                            to.release_buffers(buffers);
                        }
                        return Poll::Pending;
                    }
                }
            } else {
                let sent = ready!(to.poll_send(cx, from.data()))?;
                from.consume(sent);
                self.has_moved = true;
            }
        }
    }
}
