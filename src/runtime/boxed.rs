//! Futures in boxes, made where they stay.

use std::pin::Pin;

/// Boxes the future that `make` gives.
///
/// `Box::pin(future)` makes the future on the stack and then copies all of it, though nearly all is
/// room for what comes later: 2.4 KB of an exchange, to memory that is in no cache. Where the room is
/// there first, and the caller is no coroutine, the compiler makes it in place.
#[inline(never)]
pub fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let room = Box::new_uninit();
    Box::into_pin(Box::write(room, make()))
}
