//! How far a request has gone out to the backend that is being tried.

use crate::runtime::body::Pipe;

/// A request on its way to one backend.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) upload: Pipe,
    /// Whether the backend takes no more of it.
    pub(super) is_broken: bool,
    /// Whether the answer is waited for, and the time for it runs.
    pub(super) is_timed: bool,
}

impl Sending {
    pub(super) const fn new(upload: Pipe) -> Self {
        Self {
            upload,
            is_broken: false,
            is_timed: false,
        }
    }

    /// Whether nothing more of it goes out.
    pub(super) const fn is_over(&self) -> bool {
        self.upload.is_ended() || self.is_broken
    }

    /// What is left to be sent.
    pub(super) fn rest(self) -> Option<Pipe> {
        (!self.upload.is_ended()).then_some(self.upload)
    }
}
