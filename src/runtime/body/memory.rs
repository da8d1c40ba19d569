//! A body that is collected in memory, for a downstream within this process.

use std::io;

/// A body that is held whole, up to a limit.
#[derive(Debug)]
pub(crate) struct CollectedBody {
    data: Vec<u8>,
    max_bytes: usize,
}

impl CollectedBody {
    /// An empty body that takes up to `max_bytes` bytes.
    #[must_use]
    pub(crate) const fn new(max_bytes: usize) -> Self {
        Self {
            data: Vec::new(),
            max_bytes,
        }
    }

    /// The limit in bytes.
    #[must_use]
    pub(crate) fn max_bytes(&self) -> u64 {
        u64::try_from(self.max_bytes).unwrap_or(u64::MAX)
    }

    /// The bytes so far.
    #[must_use]
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// `FileTooLarge` if the body would exceed the limit. Nothing is appended then.
    pub(crate) fn push(&mut self, data: &[u8]) -> io::Result<()> {
        if data.len() > self.max_bytes - self.data.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.data.extend_from_slice(data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds() {
        let mut body = CollectedBody::new(5);
        for (data, expected) in [("abc", true), ("def", false), ("de", true), ("f", false)] {
            assert_eq!(body.push(data.as_bytes()).is_ok(), expected, "{data}");
        }
        assert_eq!(body.data(), b"abcde");
    }
}
