//! Boxes a future without a copy of it on the stack.

use std::pin::Pin;

/// Boxes the future that `make` returns.
///
/// `Box::pin(future)` builds the future on the stack and copies all of it, 2.4 KB for an exchange,
/// though nearly all of that is space for later states. If the allocation comes first, and the caller
/// is not itself a coroutine, the compiler builds the future in place.
#[inline(never)]
pub(crate) fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let space = Box::new_uninit();
    Box::into_pin(Box::write(space, make()))
}
