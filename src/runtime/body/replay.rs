//! The start of a request body, held so that a retry can send it again.

/// The bytes of a request body that were sent, up to a limit.
#[derive(Debug)]
pub(crate) struct ReplayBuffer {
    data: Vec<u8>,
    max_bytes: usize,
    is_complete: bool,
}

impl ReplayBuffer {
    /// An empty buffer that holds up to `max_bytes` bytes.
    #[must_use]
    pub(crate) const fn new(max_bytes: usize) -> Self {
        Self {
            data: Vec::new(),
            max_bytes,
            is_complete: true,
        }
    }

    /// Records bytes that are sent for the first time. Beyond the limit it drops everything.
    pub(crate) fn push(&mut self, data: &[u8]) {
        if self.is_complete && self.data.len() + data.len() <= self.max_bytes {
            self.data.extend_from_slice(data);
        } else {
            self.is_complete = false;
            self.data = Vec::new();
        }
    }

    /// The bytes that a retry sends first.
    #[must_use]
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Whether it holds every byte that was sent, so that a retry is possible.
    #[must_use]
    pub(crate) const fn is_complete(&self) -> bool {
        self.is_complete
    }
}
