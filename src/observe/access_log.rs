//! The access log: one line per exchange, written by a thread of its own.
//!
//! Each worker collects lines in a batch and sends full batches to that thread. A worker never
//! waits for it: if too many batches are queued, lines are dropped and counted.

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

/// The destination of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogOutput {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, which is appended to and can be reopened.
    File(PathBuf),
}

/// The thread that writes the log, and the channel to it.
#[derive(Debug)]
pub struct AccessLog {
    sender: SyncSender<Message>,
    format: LogFormat,
    thread: JoinHandle<()>,
    /// Whether to reopen the file before the next line.
    reopens: Arc<AtomicBool>,
    /// The lines that the thread could not write.
    counters: Arc<Counters>,
}

/// The side of one worker: its batch, and the channel to the thread.
#[derive(Debug)]
pub struct LogWriter {
    sender: SyncSender<Message>,
    format: LogFormat,
    batch: RefCell<Vec<u8>>,
    lines: Cell<u64>,
    /// The second of the last line, and its text.
    second: RefCell<(i64, String)>,
}

enum Message {
    /// A batch, and its number of lines.
    Lines(Vec<u8>, u64),
    Wake,
    End,
}

/// The size at which a batch is sent; the worker also sends smaller ones at intervals.
const BATCH_BYTES: usize = 32 << 10;
/// The maximum number of queued batches, 8 MiB in all.
const MAX_QUEUED_BATCHES: usize = 256;

impl AccessLog {
    /// Opens the log and starts its thread.
    ///
    /// # Errors
    /// If the file cannot be opened or the thread cannot be started.
    pub fn start(target: LogOutput, format: LogFormat) -> io::Result<Self> {
        let output = open(&target)?;
        let (sender, receiver) = sync_channel(MAX_QUEUED_BATCHES);
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

    /// The counters of the thread: the lines that it could not write.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// A writer for one more worker.
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

    /// Reopens the file before the next line, for instance after log rotation has moved it.
    pub fn reopen(&self) {
        // Release: the thread that reads `true` also sees the move of the file before it.
        self.reopens.store(true, Ordering::Release);
        // If the queue is full, the thread is awake anyway.
        let _ = self.sender.try_send(Message::Wake);
    }

    /// Writes the queued lines and stops the thread. Returns `false` if that takes longer than
    /// `timeout`, for instance because no process reads the pipe.
    #[must_use]
    pub fn finish(self, timeout: Duration) -> bool {
        const STEP: Duration = Duration::from_millis(10);
        let mut message = Some(Message::End);
        let mut remaining = timeout;
        while !self.thread.is_finished() {
            if let Some(end) = message.take() {
                message = match self.sender.try_send(end) {
                    Err(TrySendError::Full(end)) => Some(end),
                    Ok(()) | Err(TrySendError::Disconnected(_)) => None,
                };
            }
            if remaining.is_zero() {
                return false;
            }
            std::thread::sleep(STEP.min(remaining));
            remaining = remaining.saturating_sub(STEP);
        }
        true
    }
}

impl LogWriter {
    /// Adds one line to the batch; the exchange started at `started_at`.
    pub fn write(&self, counters: &Counters, started_at: Timestamp, record: &mut Record<'_>) {
        let mut second = self.second.borrow_mut();
        if second.0 != started_at.as_second() {
            *second = (started_at.as_second(), time(started_at, self.format));
        }
        let mut batch = self.batch.borrow_mut();
        match self.format {
            LogFormat::Json => {
                let time = format!("{}.{:03}Z", second.1, started_at.subsec_millisecond());
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

    /// Sends the batch; drops and counts its lines if the queue is full.
    pub fn flush(&self, counters: &Counters) {
        let batch = std::mem::take(&mut *self.batch.borrow_mut());
        let lines = self.lines.take();
        if batch.is_empty() {
            return;
        }
        let capacity = batch.capacity();
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.sender.try_send(Message::Lines(batch, lines))
        {
            counters.log_dropped.add(lines);
        }
        *self.batch.borrow_mut() = Vec::with_capacity(capacity.min(2 * BATCH_BYTES));
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

/// The state of the thread.
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
                    Ok(reopened) => self.output = reopened,
                    Err(error) => {
                        tracing::error!("cannot reopen the access log: {error}");
                    }
                }
            }
            match message {
                Message::Lines(bytes, lines) => {
                    let written = self.output.write_all(&bytes);
                    let written = written.and_then(|()| self.output.flush());
                    // The gateway keeps serving on a full disk or a closed pipe.
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
        let started_at = Timestamp::from_millisecond(1_700_000_000_042).unwrap();
        writer.write(&counters, started_at, &mut record());
        writer.flush(&counters);
        let Ok(Message::Lines(lines, 1)) = receiver.try_recv() else {
            panic!("no lines");
        };
        for _ in 0..3 {
            writer.write(&counters, started_at, &mut record());
            writer.write(&counters, started_at, &mut record());
            writer.flush(&counters);
        }
        assert_eq!(
            counters.log_dropped.value(),
            2,
            "two batches are queued, the third is dropped"
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
