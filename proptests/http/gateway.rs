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
use crate::message::PATIENCE;

pub(crate) struct Gateway {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
    said: Arc<Said>,
}

/// In its own folder.
const CONFIG: &str = "--config=gateway.yaml";

/// The lines that it has written to standard error, and whether that is all.
#[derive(Default)]
struct Said {
    lines: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

/// What the kernel says that a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) rss_kib: usize,
    pub(crate) most_rss_kib: usize,
}

/// A table with one route for all, to these backends; `route` are more keys of the route, and
/// `rest` more lines of the file.
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

    /// The same as [`Self::start`], but nobody reads what it writes to standard output.
    pub(crate) fn unread(config: &str) -> Self {
        let arguments = [CONFIG, "--listen", "127.0.0.1:0", "--workers", "1"];
        Self::run(config, &arguments, Stdio::piped())
    }

    /// With the sample services behind it.
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
        let said = Arc::new(Said::default());
        let stderr = child.stderr.take().unwrap();
        let of_thread = Arc::clone(&said);
        thread::spawn(move || of_thread.listen(stderr));
        let line = said.wait("listening on http://");
        let (_, address) = line.rsplit_once('/').unwrap();
        Self {
            address: address.parse().unwrap(),
            child,
            folder,
            said,
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

    /// Writes another configuration, and has it read.
    pub(crate) fn reload(&self, config: &str) {
        fs::write(self.file("gateway.yaml"), config).unwrap();
        self.signal("HUP");
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success(), "the gateway has gone");
    }

    /// Waits until it has written a line with this in it to standard error.
    pub(crate) fn said(&self, what: &str) -> String {
        self.said.wait(what)
    }

    pub(crate) fn has_said(&self, what: &str) -> bool {
        let lines = self.said.lines.lock().unwrap();
        lines.0.iter().any(|line| line.contains(what))
    }

    /// Waits until it has exited.
    pub(crate) fn exit(mut self) -> (ExitStatus, Vec<String>) {
        let lines = self.said.wait_end();
        (self.child.wait().unwrap(), lines)
    }

    pub(crate) fn held(&self) -> Held {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = fs::read_to_string(folder.join("status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Held {
            descriptors: fs::read_dir(folder.join("fd")).unwrap().count(),
            threads: number("Threads:"),
            rss_kib: number("VmRSS:"),
            most_rss_kib: number("VmHWM:"),
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
        if thread::panicking() {
            let lines = self.said.lines.lock().map(|lines| lines.0.clone());
            eprintln!("the gateway said: {lines:#?}");
        }
    }
}

impl Said {
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
        let waited = self
            .changed
            .wait_timeout_while(lines, PATIENCE, |(lines, is_over)| {
                find(lines).is_none() && !*is_over
            });
        let lines = waited.unwrap().0.0.clone();
        find(&lines).unwrap_or_else(|| panic!("no `{what}` in {lines:#?}"))
    }

    fn wait_end(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(lines, PATIENCE, |(_, over)| !*over);
        let (state, timeout) = waited.unwrap();
        let lines = state.0.clone();
        drop(state);
        assert!(!timeout.timed_out(), "it did not exit: {lines:#?}");
        lines
    }
}

/// A folder that no other test has.
fn folder() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: only that no two get the same number.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("tollgate-http-{}-{number}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
