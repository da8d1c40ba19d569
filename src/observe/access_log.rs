//! The access log: one line an exchange, written off the workers' path.
//!
//! A worker puts lines into a batch of its own and hands full batches to one thread that writes
//! them. It never waits for that thread: where too many batches are waiting, lines are dropped and
//! counted.

use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::serve::LogFormat;
use crate::observe::counters::Counters;
use crate::observe::record::{Record, combined, time};

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogOutput {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, appended to, and opened anew when asked to.
    File(PathBuf),
}

/// The thread that writes, and the way to it.
#[derive(Debug)]
pub struct AccessLog {
    sender: SyncSender<Message>,
    format: LogFormat,
    thread: JoinHandle<()>,
    /// Whether the file is to be opened anew before the next line.
    reopens: Arc<AtomicBool>,
    /// Of the thread: the lines that it could not write.
    counters: Arc<Counters>,
}

/// One worker's way to the log.
#[derive(Debug)]
pub struct LogWriter {
    sender: SyncSender<Message>,
    format: LogFormat,
    batch: RefCell<Vec<u8>>,
    lines: Cell<u64>,
    /// The second that was last written, and how.
    second: RefCell<(i64, String)>,
}

enum Message {
    /// So many lines.
    Lines(Vec<u8>, u64),
    Wake,
    End,
}

/// A batch goes to the thread when it is this long, and every so often.
const BATCH_BYTES: usize = 32 << 10;
/// How many batches may wait: 8 MiB.
const MAX_WAITING: usize = 256;

impl AccessLog {
    /// Begins a log that goes there.
    ///
    /// # Errors
    /// If the file cannot be opened, or no thread can be started.
    pub fn start(target: LogOutput, format: LogFormat) -> io::Result<Self> {
        let output = open(&target)?;
        let (sender, receiver) = sync_channel(MAX_WAITING);
        let (reopens, counters) = (Arc::default(), Arc::default());
        let writing = Writing {
            target,
            output,
            reopens: Arc::clone(&reopens),
            counters: Arc::clone(&counters),
        };
        let thread = std::thread::Builder::new().name("access-log".into());
        let thread = thread.spawn(move || writing.run(&receiver))?;
        Ok(Self {
            sender,
            format,
            thread,
            reopens,
            counters,
        })
    }

    /// What its thread has done: which lines it could not write.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// A way to it for one more worker.
    #[must_use]
    pub fn writer(&self) -> LogWriter {
        LogWriter {
            sender: self.sender.clone(),
            format: self.format,
            batch: RefCell::default(),
            lines: Cell::new(0),
            second: RefCell::new((i64::MIN, String::new())),
        }
    }

    /// Opens the file anew, as after it was moved away, before the next line is written.
    pub fn reopen(&self) {
        // Release: whoever sees it sees that the file was moved before.
        self.reopens.store(true, Ordering::Release);
        // Where there is no room, something comes that wakes it.
        let _ = self.sender.try_send(Message::Wake);
    }

    /// Writes what is waiting, and ends; whether all of it was taken in `time`. It may be a pipe
    /// that nobody reads.
    #[must_use]
    pub fn end(self, time: Duration) -> bool {
        const STEP: Duration = Duration::from_millis(10);
        let mut message = Some(Message::End);
        let mut left = time;
        while !self.thread.is_finished() {
            if let Some(end) = message.take() {
                message = match self.sender.try_send(end) {
                    Err(TrySendError::Full(end)) => Some(end),
                    Ok(()) | Err(TrySendError::Disconnected(_)) => None,
                };
            }
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(STEP.min(left));
            left = left.saturating_sub(STEP);
        }
        true
    }
}

impl LogWriter {
    /// Writes one line; `begun` is when the exchange began.
    pub fn write(&self, counters: &Counters, begun: Timestamp, record: &mut Record<'_>) {
        let mut second = self.second.borrow_mut();
        if second.0 != begun.as_second() {
            *second = (begun.as_second(), time(begun, self.format));
        }
        let mut batch = self.batch.borrow_mut();
        match self.format {
            LogFormat::Json => {
                let time = format!("{}.{:03}Z", second.1, begun.subsec_millisecond());
                let record = Record {
                    time: &time,
                    ..record.clone()
                };
                let _ = serde_json::to_writer(&mut *batch, &record);
            }
            LogFormat::Combined => combined(&mut batch, &second.1, record),
        }
        batch.push(b'\n');
        self.lines.set(self.lines.get() + 1);
        if batch.len() >= BATCH_BYTES {
            drop(batch);
            self.flush(counters);
        }
    }

    /// Hands over what was written; what cannot be taken is dropped and counted.
    pub fn flush(&self, counters: &Counters) {
        let batch = std::mem::take(&mut *self.batch.borrow_mut());
        let lines = self.lines.take();
        if batch.is_empty() {
            return;
        }
        let room = batch.capacity();
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.sender.try_send(Message::Lines(batch, lines))
        {
            counters.log_dropped.add(lines);
        }
        *self.batch.borrow_mut() = Vec::with_capacity(room.min(2 * BATCH_BYTES));
    }
}

fn open(target: &LogOutput) -> io::Result<Box<dyn Write + Send>> {
    Ok(match target {
        LogOutput::Stdout => Box::new(io::stdout()),
        LogOutput::Stderr => Box::new(io::stderr()),
        LogOutput::File(path) => Box::new(append(path)?),
    })
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// What the thread works with.
struct Writing {
    target: LogOutput,
    output: Box<dyn Write + Send>,
    reopens: Arc<AtomicBool>,
    counters: Arc<Counters>,
}

impl Writing {
    fn run(mut self, receiver: &Receiver<Message>) {
        let mut was_written = true;
        while let Ok(message) = receiver.recv() {
            // Acquire: see `AccessLog::reopen`.
            if self.reopens.swap(false, Ordering::Acquire) {
                match open(&self.target) {
                    Ok(anew) => self.output = anew,
                    Err(error) => {
                        tracing::error!("cannot reopen the access log: {error}");
                    }
                }
            }
            match message {
                Message::Lines(bytes, lines) => {
                    let written = self.output.write_all(&bytes);
                    let written = written.and_then(|()| self.output.flush());
                    // A full disk or a closed pipe is no reason to stop serving.
                    if let Err(error) = &written {
                        self.counters.log_dropped.add(lines);
                        if was_written {
                            tracing::error!("cannot write the access log: {error}");
                        }
                    }
                    was_written = written.is_ok();
                }
                Message::Wake => {}
                Message::End => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record<'static> {
        Record {
            time: "",
            client: "192.0.2.1".parse().unwrap(),
            protocol: "HTTP/1.1",
            method: "GET",
            path: "/a\"b\n",
            host: Some("a.test"),
            status: 200,
            sent_bytes: 12,
            duration_us: 345,
            answer_us: None,
            route: Some("/a"),
            service: None,
            backend: None,
            tries: 1,
            request_id: None,
            code: None,
            detail: Some("no connection"),
            referer: None,
            user_agent: Some("curl \\ \u{e4}"),
        }
    }

    fn line(format: LogFormat) -> String {
        let (sender, receiver) = sync_channel(2);
        let writer = LogWriter {
            sender,
            format,
            batch: RefCell::default(),
            lines: Cell::new(0),
            second: RefCell::new((i64::MIN, String::new())),
        };
        let counters = Counters::default();
        let begun = Timestamp::from_millisecond(1_700_000_000_042).unwrap();
        writer.write(&counters, begun, &mut record());
        writer.flush(&counters);
        let Ok(Message::Lines(lines, 1)) = receiver.try_recv() else {
            panic!("no lines");
        };
        for _ in 0..3 {
            writer.write(&counters, begun, &mut record());
            writer.write(&counters, begun, &mut record());
            writer.flush(&counters);
        }
        assert_eq!(
            counters.log_dropped.value(),
            2,
            "two batches wait, the third is dropped"
        );
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn lines() {
        assert_eq!(
            line(LogFormat::Json),
            "{\"time\":\"2023-11-14T22:13:20.042Z\",\"client\":\"192.0.2.1\",\"protocol\":\"HTTP/1.1\",\
             \"method\":\"GET\",\"path\":\"/a\\\"b\\n\",\"host\":\"a.test\",\"status\":200,\
             \"sent_bytes\":12,\"duration_us\":345,\"route\":\"/a\",\"tries\":1,\
             \"detail\":\"no connection\",\"user_agent\":\"curl \\\\ ä\"}\n"
        );
        assert_eq!(
            line(LogFormat::Combined),
            "192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"GET /a\\x22b\\x0a HTTP/1.1\" 200 12 \
             \"-\" \"curl \\x5c \\xc3\\xa4\"\n"
        );
    }
}
