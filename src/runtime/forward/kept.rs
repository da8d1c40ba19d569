//! The beginning of a request body, kept to be sent again.

/// As much of a body as was sent, as long as it is not too much.
#[derive(Debug)]
pub struct Kept {
    data: Vec<u8>,
    most: usize,
    is_whole: bool,
}

impl Kept {
    /// Nothing yet, and at most so many bytes.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            data: Vec::new(),
            most,
            is_whole: true,
        }
    }

    /// Keeps data that is sent for the first time.
    pub fn push(&mut self, data: &[u8]) {
        if self.is_whole && self.data.len() + data.len() <= self.most {
            self.data.extend_from_slice(data);
        } else {
            self.is_whole = false;
            self.data = Vec::new();
        }
    }

    /// All that was sent so far.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Whether all that was sent so far is there.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }
}
