//! The binary as a child process with piped input and output.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running `tollgate stdio`.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
}

/// The result of the process.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) code: Option<i32>,
    /// The part of standard output that the test has not read.
    pub(crate) rest: String,
    pub(crate) errors: String,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .arg("stdio")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Self {
            child,
            stdin,
            stdout: stdout.map(BufReader::new),
        }
    }

    /// Writes bytes without a newline; `false` if the process has closed its input.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let stdin = self.stdin.as_mut().unwrap();
        stdin
            .write_all(bytes.as_ref())
            .and_then(|()| stdin.flush())
            .is_ok()
    }

    /// Reads one line of the output.
    pub(crate) fn read(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{line}");
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) fn close_output(&mut self) {
        self.stdout = None;
    }

    /// The peak resident memory, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
        kib * 1024
    }

    /// Closes the input and waits for the exit.
    pub(crate) fn end(mut self) -> End {
        self.stdin = None;
        let (mut rest, mut errors) = (String::new(), String::new());
        if let Some(mut stdout) = self.stdout.take() {
            stdout.read_to_string(&mut rest).unwrap();
        }
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut errors)
            .unwrap();
        End {
            code: self.child.wait().unwrap().code(),
            rest,
            errors,
        }
    }
}
