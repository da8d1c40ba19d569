//! The binary under test, as the commands of a page run it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::page::root;

/// The addresses of the gateway and of its admin listener in the pages.
const SHOWN_ADDRESSES: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:9901"];
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A folder with `fixtures/` and the files that a page saves, where its commands run.
#[derive(Debug)]
pub(crate) struct Workspace {
    folder: PathBuf,
}

/// A running `tollgate serve`. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// The actual addresses, in the order of [`SHOWN_ADDRESSES`].
    addresses: Vec<String>,
}

impl Workspace {
    /// An empty workspace; `name` is unique to the page.
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("docs")
            .join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("served")).unwrap();
        std::os::unix::fs::symlink(root().join("fixtures"), folder.join("fixtures")).unwrap();
        // Without a terminal, curl shows its progress by default.
        fs::write(folder.join(".curlrc"), "silent\nshow-error\n").unwrap();
        Self { folder }
    }

    /// Saves a file. Servers read a copy in which the admin listener has a free port.
    pub(crate) fn save(&self, name: &str, text: &str) {
        let served = text.replace(SHOWN_ADDRESSES[1], "127.0.0.1:0");
        fs::write(self.folder.join("served").join(name), served).unwrap();
        fs::write(self.folder.join(name), text).unwrap();
    }

    /// Runs a command in a shell; both of its streams as one text, and its exit code.
    pub(crate) fn run(&self, command: &str, input: &str) -> (String, Option<i32>) {
        let mut child = self
            .shell(&format!("{{ {command}\n}} 2>&1"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        // A command that reads nothing closes the pipe.
        let writer = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (text.replace("\r\n", "\n"), output.status.code())
    }

    /// Starts a server on free ports and waits until it listens.
    pub(crate) fn serve(&self, command: &str) -> Server {
        let mut child = self
            .shell(&format!("exec {command} --listen 127.0.0.1:0"))
            .current_dir(self.folder.join("served"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stderr.take().unwrap());
        let mut server = Server {
            child,
            addresses: Vec::new(),
        };
        let expected = if self.has_admin(command) { 2 } else { 1 };
        while server.addresses.len() < expected {
            let line = lines.recv_timeout(START_TIMEOUT);
            let line = line.unwrap_or_else(|error| panic!("{command}: {error}"));
            server.addresses.extend(address_in(&line));
        }
        server
    }

    /// Whether a file that the command names has an admin listener.
    fn has_admin(&self, command: &str) -> bool {
        command
            .split_whitespace()
            .filter_map(|word| fs::read_to_string(self.folder.join(word)).ok())
            .any(|text| text.contains(SHOWN_ADDRESSES[1]))
    }

    fn shell(&self, script: &str) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", script])
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("CURL_HOME", &self.folder)
            .current_dir(&self.folder);
        for variable in [
            "NO_COLOR",
            "CLICOLOR",
            "CLICOLOR_FORCE",
            "COLUMNS",
            "RUST_LOG",
        ] {
            command.env_remove(variable);
        }
        command
    }
}

impl Server {
    /// A command with the actual addresses of the server.
    pub(crate) fn to_real(&self, command: &str) -> String {
        self.pairs()
            .fold(command.to_owned(), |text, (shown, real)| {
                text.replace(shown, real)
            })
    }

    /// An output with the addresses of the page.
    pub(crate) fn to_shown(&self, output: &str) -> String {
        self.pairs().fold(output.to_owned(), |text, (shown, real)| {
            text.replace(real, shown)
        })
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        SHOWN_ADDRESSES
            .into_iter()
            .zip(self.addresses.iter().map(String::as_str))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a stream, read by a thread until the stream ends.
fn lines_of(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // After the start no receiver is left, but the pipe must not fill up.
            let _ = sender.send(line);
        }
    });
    lines
}

/// The address in a line such as `tollgate: listening on http://127.0.0.1:40001`.
fn address_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    let address = rest
        .split(|c: char| c.is_whitespace() || "\"/,".contains(c))
        .next()?;
    address.contains(':').then(|| address.to_owned())
}
