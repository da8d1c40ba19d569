//! A connection that changed protocols (RFC 9110, section 7.8): bytes both ways, unread.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use crate::engine::policy::Policy;
use crate::frontend::http::connection::Next;
use crate::runtime::buffer::Buffers;
use crate::runtime::sweep::Watch;
use crate::runtime::wire::Wire;
use crate::runtime::worker::Worker;

/// Passes bytes both ways until both sides have closed, neither has sent anything for too long, or
/// it must end, in milliseconds of the worker.
pub(super) async fn tunnel(
    worker: &Worker,
    watch: &Watch,
    client: &mut Wire,
    mut backend: Box<Wire>,
    policy: &Policy,
    ends: u64,
) -> Next {
    let buffers = &worker.buffers;
    let idle = Some(policy.timeouts.idle);
    watch.set(ends.min(watch.after(idle)));
    let [mut up, mut down] = [Direction::default(), Direction::default()];
    let ended = poll_fn(|cx| {
        let up_polled = up.poll(cx, client, &mut backend, buffers);
        let down_polled = down.poll(cx, &mut backend, client, buffers);
        if std::mem::take(&mut up.has_moved) | std::mem::take(&mut down.has_moved) {
            watch.set(ends.min(watch.after(idle)));
        }
        match (up_polled, down_polled) {
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(true),
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => Poll::Ready(false),
            _ if watch.is_over(cx) => Poll::Ready(false),
            _ => Poll::Pending,
        }
    })
    .await;
    watch.clear();
    if ended { Next::Close } else { Next::Abort }
}

/// One of the two ways.
#[derive(Default)]
struct Direction {
    is_over: bool,
    is_shut: bool,
    has_moved: bool,
}

impl Direction {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Wire,
        to: &mut Wire,
        buffers: &Buffers,
    ) -> Poll<io::Result<()>> {
        while !self.is_over {
            if from.data().is_empty() {
                match from.poll_fill(cx, buffers) {
                    Poll::Ready(length) => self.is_over = length? == 0,
                    Poll::Pending => {
                        let _ = to.poll_flush(cx)?;
                        return Poll::Pending;
                    }
                }
            } else {
                let sent = ready!(to.poll_send(cx, from.data()))?;
                from.consume(sent);
                self.has_moved = true;
            }
        }
        if !self.is_shut {
            ready!(to.poll_flush(cx))?;
            ready!(to.poll_shutdown(cx))?;
            self.is_shut = true;
        }
        Poll::Ready(Ok(()))
    }
}
