//! HTTP/1.1 messages, read from a socket by a simple reader that is independent of the gateway's codec.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// The maximum time that a test waits for one event.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection, and the bytes that were read ahead.
pub(crate) struct Connection {
    stream: TcpStream,
    ahead: Vec<u8>,
}

/// A request or a response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    /// The first line.
    pub(crate) start: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Message {
    /// All values of a field, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.fields.iter();
        fields
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The only value of a field; `None` if the field is missing.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} occurs twice: {self:?}");
        all.first().copied()
    }

    pub(crate) fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    pub(crate) fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn status(&self) -> u16 {
        let status = self.start.split(' ').nth(1).unwrap_or_default();
        status.parse().expect("a status line has a status")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        let mut tokens = self.all(name).into_iter().flat_map(|it| it.split(','));
        tokens.any(|it| it.trim().eq_ignore_ascii_case(token))
    }

    /// Whether the message has `Connection: close`.
    pub(crate) fn closes(&self) -> bool {
        self.has_token("connection", "close")
    }
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TEST_TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            ahead: Vec::new(),
        }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Closes the sending side.
    pub(crate) fn shut_down_write(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Makes the coming close send a reset to the peer.
    pub(crate) fn reset_on_close(&self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// The head of a message; `None` if the peer closed before it.
    pub(crate) fn head(&mut self) -> io::Result<Option<Message>> {
        let mut message = Message::default();
        loop {
            let line = match self.line() {
                Ok(line) => line,
                Err(error)
                    if error.kind() == io::ErrorKind::UnexpectedEof
                        && message.start.is_empty()
                        && self.ahead.is_empty() =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            if message.start.is_empty() {
                message.start = line;
            } else if line.is_empty() {
                return Ok(Some(message));
            } else {
                message.fields.push(field(&line));
            }
        }
    }

    /// The body that follows the head of a request.
    pub(crate) fn request_body(&mut self, message: &mut Message) -> io::Result<()> {
        self.body(message, false)
    }

    /// The body that follows the head of the response to a method.
    pub(crate) fn response_body(&mut self, message: &mut Message, method: &str) -> io::Result<()> {
        let status = message.status();
        if method == "HEAD" || status < 200 || status == 204 || status == 304 {
            return Ok(());
        }
        self.body(message, true)
    }

    fn body(&mut self, message: &mut Message, may_end_with_close: bool) -> io::Result<()> {
        if message.has_token("transfer-encoding", "chunked") {
            assert_eq!(message.field("content-length"), None, "{message:?}");
            return self.chunks(message);
        }
        if let Some(length) = message.field("content-length") {
            let length = length.parse().expect("a length is a number");
            message.body = self.exactly(length)?;
        } else if may_end_with_close {
            message.body = std::mem::take(&mut self.ahead);
            self.stream.read_to_end(&mut message.body)?;
        }
        Ok(())
    }

    fn chunks(&mut self, message: &mut Message) -> io::Result<()> {
        while let chunk = self.chunk()?
            && !chunk.is_empty()
        {
            message.body.extend(chunk);
        }
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(());
            }
            message.trailers.push(field(&line));
        }
    }

    /// The data of the next chunk; empty for the last, whose trailers follow.
    pub(crate) fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let length = self.line()?;
        let length = usize::from_str_radix(&length, 16).expect("a chunk has a size");
        let data = self.exactly(length)?;
        if length > 0 {
            assert_eq!(self.line()?, "", "data ends with its chunk");
        }
        Ok(data)
    }

    pub(crate) fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < length {
            self.fill()?;
        }
        let rest = self.ahead.split_off(length);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    /// The bytes that are available; waits for at least one.
    pub(crate) fn some(&mut self) -> io::Result<Vec<u8>> {
        if self.ahead.is_empty() {
            self.fill()?;
        }
        Ok(std::mem::take(&mut self.ahead))
    }

    /// Waits until the peer closes or resets the connection, and returns the bytes before that.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        loop {
            match self.fill() {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    panic!("the connection is still open after {:?}", self.ahead)
                }
                Err(_) => return std::mem::take(&mut self.ahead),
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.ahead.windows(2).position(|two| two == b"\r\n") {
                let rest = self.ahead.split_off(at + 2);
                let mut line = std::mem::replace(&mut self.ahead, rest);
                line.truncate(at);
                return Ok(String::from_utf8(line).expect("a head is text"));
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut bytes = vec![0; 64 << 10];
        let length = self.stream.read(&mut bytes)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.ahead.extend_from_slice(&bytes[..length]);
        Ok(length)
    }
}

fn field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').expect("a field line has a colon");
    (name.to_ascii_lowercase(), value.trim().to_owned())
}
