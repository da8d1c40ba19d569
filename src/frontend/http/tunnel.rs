//! A connection that changed protocols (RFC 9110, section 7.8): bytes both ways, unread.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::engine::policy::Policy;
use crate::frontend::http::connection::Next;
use crate::runtime::buffer::Buffers;
use crate::runtime::connection::Http1Connection;
use crate::runtime::deadline::Deadline;
use crate::runtime::worker::Worker;

/// Passes bytes both ways until both sides have closed, neither has sent anything for too long, or
/// it must end, in milliseconds of the worker.
///
/// Where one side breaks off, what it had sent before still goes to the other (RFC 9110, section
/// 9.3.6), as long as that takes it without a pause.
pub(super) async fn tunnel(
    worker: &Worker,
    deadline: &Deadline,
    client: &mut Http1Connection,
    mut backend: Box<Http1Connection>,
    policy: &Policy,
    ends: u64,
) -> Next {
    let buffers = &worker.buffers;
    let idle = Some(policy.timeouts.idle);
    deadline.set(ends.min(deadline.after(idle)));
    let [mut up, mut down] = [Direction::default(), Direction::default()];
    poll_fn(|cx| {
        let is_up = up.poll(cx, client, &mut backend, buffers).is_ready();
        let is_down = down.poll(cx, &mut backend, client, buffers).is_ready();
        if std::mem::take(&mut up.has_moved) | std::mem::take(&mut down.has_moved) {
            let is_broken = up.is_broken || down.is_broken;
            let time = if is_broken { Some(LAST_WORDS) } else { idle };
            deadline.set(ends.min(deadline.after(time)));
        }
        if is_up && is_down || deadline.has_passed(cx) {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
    deadline.clear();
    // Cut off before all of it was on its way, the client shall not take it for the end.
    if down.is_shut {
        Next::Close
    } else {
        Next::Abort
    }
}

/// How long a tunnel goes on that one side has broken, if nothing moves.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One of the two ways.
#[derive(Default)]
struct Direction {
    is_over: bool,
    is_shut: bool,
    /// Whether it is over because either side of it broke.
    is_broken: bool,
    /// Whether bytes have gone on, or it has broken, since this was last looked at.
    has_moved: bool,
}

impl Direction {
    /// Moves what can be moved; it is ready once nothing more will be.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Http1Connection,
        to: &mut Http1Connection,
        buffers: &Buffers,
    ) -> Poll<()> {
        if !self.is_over && ready!(self.poll_move(cx, from, to, buffers)).is_err() {
            self.is_broken = true;
            self.has_moved = true;
        }
        self.is_over = true;
        if !self.is_shut {
            // If it can be told no more, it has heard already.
            if ready!(to.poll_flush(cx)).is_ok() {
                let _ = ready!(to.poll_shutdown(cx));
            }
            self.is_shut = true;
        }
        Poll::Ready(())
    }

    /// Passes bytes on until no more come.
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
