//! A client within this process: its request and the answer to it lie in memory, and it never
//! leaves.

use std::io;

use bytes::Bytes;

/// A client within this process.
#[derive(Debug)]
pub struct MemoryClient {
    /// What is left to be sent of the body of its request.
    pub body: Bytes,
    /// What has come of the body of the answer.
    pub answer: Collected,
}

/// A body that is held whole, up to a limit.
#[derive(Debug)]
pub struct Collected {
    data: Vec<u8>,
    most: usize,
}

impl Collected {
    /// Nothing yet, and at most so many bytes.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            data: Vec::new(),
            most,
        }
    }

    /// How much may come.
    #[must_use]
    pub fn most_bytes(&self) -> u64 {
        u64::try_from(self.most).unwrap_or(u64::MAX)
    }

    /// What has come.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Takes more of it.
    ///
    /// # Errors
    /// If all together is too much; nothing is taken then.
    pub fn push(&mut self, data: &[u8]) -> io::Result<()> {
        if data.len() > self.most - self.data.len() {
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
    fn no_more_is_taken_than_may_be() {
        let mut body = Collected::new(5);
        for (data, expected) in [("abc", true), ("def", false), ("de", true), ("f", false)] {
            assert_eq!(body.push(data.as_bytes()).is_ok(), expected, "{data}");
        }
        assert_eq!(body.data(), b"abcde");
    }
}
