//! The binary as a child process with piped input and output.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A running `tollgate stdio --forward`.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Gateway {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["stdio", "--forward"])
            .args(args)
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

    /// Sends an `init` with the routes `/a/*`, `/slow` and `/fast`.
    pub(crate) fn init(&mut self, backends: &[&str]) {
        let route = |pattern: &str| json!({"path_pattern": pattern, "service": "s", "version": "v1", "backends": backends});
        let routes: Vec<Value> = ["/a/*", "/slow", "/fast"].map(route).into();
        self.write(&json!({"type": "init", "routes": routes}));
        assert_eq!(self.read()["type"], "init_ok");
    }

    pub(crate) fn write(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{message}").unwrap();
    }

    /// Reads one line of the output.
    pub(crate) fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line.strip_suffix('\n').unwrap().to_owned()
    }

    pub(crate) fn read(&mut self) -> Value {
        serde_json::from_str(&self.read_line()).unwrap()
    }

    pub(crate) fn close_input(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn close_output(&mut self) {
        self.stdout = None;
    }

    /// Waits for the exit; returns the exit code and the text on standard error.
    pub(crate) fn wait(&mut self) -> (Option<i32>, String) {
        let mut errors = String::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        (self.child.wait().unwrap().code(), errors)
    }

    /// Closes the input, expects success, and returns the remaining replies.
    pub(crate) fn finish(mut self) -> Vec<Value> {
        self.close_input();
        let mut rest = String::new();
        let stdout = self.stdout.as_mut().unwrap();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(self.wait(), (Some(0), String::new()));
        let lines = rest.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }
}
