//! The gateway: the real binary with a configuration in a folder of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::client::Client;
use crate::message::TEST_TIMEOUT;

pub(crate) struct Gateway {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
    stderr_lines: Arc<StderrLines>,
}

/// Relative to the folder of the gateway.
const CONFIG: &str = "--config=gateway.yaml";

/// The lines that the gateway has written to standard error, and whether the stream has ended.
#[derive(Default)]
struct StderrLines {
    lines: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

/// The resources of a process, as the kernel reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resources {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) rss_kib: usize,
    pub(crate) max_rss_kib: usize,
}

/// A configuration with one route for all paths to these backends. `route` has more keys of the
/// route, and `rest` more lines of the file.
pub(crate) fn table(backends: &[String], route: &str, rest: &str) -> String {
    let backends = backends.join("\", \"");
    let comma = if route.is_empty() { "" } else { ", " };
    format!(
        "routes: [{{path_pattern: /*, service: s{comma}{route}}}]\n\
         services: {{s: {{backends: [\"{backends}\"]}}}}\n{rest}\n"
    )
}

impl Gateway {
    /// A gateway with one worker, in front of one backend.
    pub(crate) fn before(backend: &crate::backend::Backend) -> Self {
        Self::start(&table(&[backend.address()], "", ""))
    }

    pub(crate) fn start(config: &str) -> Self {
        Self::launch(config, 1, "127.0.0.1:0".parse().unwrap())
    }

    pub(crate) fn launch(config: &str, workers: usize, listen: SocketAddr) -> Self {
        let listen = listen.to_string();
        let workers = workers.to_string();
        Self::run(
            config,
            &[CONFIG, "--listen", &listen, "--workers", &workers],
            Stdio::null(),
        )
    }

    /// Like [`Self::start`], but its standard output is a pipe that the test does not read.
    pub(crate) fn unread(config: &str) -> Self {
        let arguments = [CONFIG, "--listen", "127.0.0.1:0", "--workers", "1"];
        Self::run(config, &arguments, Stdio::piped())
    }

    /// A gateway in front of the sample services.
    pub(crate) fn demo() -> Self {
        let arguments = ["--demo", "--listen", "127.0.0.1:0", "--workers", "1"];
        Self::run("", &arguments, Stdio::null())
    }

    fn run(config: &str, arguments: &[&str], stdout: Stdio) -> Self {
        let folder = folder();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("gateway.yaml"), config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .arg("serve")
            .args(arguments)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr_lines = Arc::new(StderrLines::default());
        let stderr = child.stderr.take().unwrap();
        let for_thread = Arc::clone(&stderr_lines);
        thread::spawn(move || for_thread.listen(stderr));
        let line = stderr_lines.wait("listening on http://");
        let (_, address) = line.rsplit_once('/').unwrap();
        Self {
            address: address.parse().unwrap(),
            child,
            folder,
            stderr_lines,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// A file in the folder of its configuration.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes another configuration and sends SIGHUP.
    pub(crate) fn reload(&self, config: &str) {
        fs::write(self.file("gateway.yaml"), config).unwrap();
        self.signal("HUP");
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success(), "the gateway has exited");
    }

    /// Waits for a line on standard error that contains `what`, and returns it.
    pub(crate) fn wait_for_line(&self, what: &str) -> String {
        self.stderr_lines.wait(what)
    }

    pub(crate) fn has_line(&self, what: &str) -> bool {
        let lines = self.stderr_lines.lines.lock().unwrap();
        lines.0.iter().any(|line| line.contains(what))
    }

    /// Waits until the process exits; returns its status and the lines on standard error.
    pub(crate) fn exit(mut self) -> (ExitStatus, Vec<String>) {
        let lines = self.stderr_lines.wait_end();
        (self.child.wait().unwrap(), lines)
    }

    pub(crate) fn resources(&self) -> Resources {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = fs::read_to_string(folder.join("status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Resources {
            descriptors: fs::read_dir(folder.join("fd")).unwrap().count(),
            threads: number("Threads:"),
            rss_kib: number("VmRSS:"),
            max_rss_kib: number("VmHWM:"),
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
        if thread::panicking() {
            let lines = self.stderr_lines.lines.lock().map(|lines| lines.0.clone());
            eprintln!("the gateway wrote: {lines:#?}");
        }
    }
}

impl StderrLines {
    fn listen(&self, stderr: ChildStderr) {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            self.lines.lock().unwrap().0.push(line);
            self.changed.notify_all();
        }
        self.lines.lock().unwrap().1 = true;
        self.changed.notify_all();
    }

    fn wait(&self, what: &str) -> String {
        let find = |lines: &[String]| lines.iter().find(|line| line.contains(what)).cloned();
        let lines = self.lines.lock().unwrap();
        let waited =
            self.changed
                .wait_timeout_while(lines, TEST_TIMEOUT, |(lines, is_finished)| {
                    find(lines).is_none() && !*is_finished
                });
        let lines = waited.unwrap().0.0.clone();
        find(&lines).unwrap_or_else(|| panic!("no `{what}` in {lines:#?}"))
    }

    fn wait_end(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(lines, TEST_TIMEOUT, |(_, is_finished)| !*is_finished);
        let (state, timeout) = waited.unwrap();
        let lines = state.0.clone();
        drop(state);
        assert!(!timeout.timed_out(), "it did not exit: {lines:#?}");
        lines
    }
}

/// A folder that no other test uses.
fn folder() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: the numbers only have to be distinct.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("tollgate-http-{}-{number}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
