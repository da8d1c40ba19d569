//! The processes under test, each started once.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::request::ClientRequest;

/// A running `tollgate serve`: HTTP/1.1 and HTTP/2 on one port.
#[derive(Debug)]
pub(crate) struct HttpGateway {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// A running `tollgate stdio`.
#[derive(Debug)]
pub(crate) struct StdioGateway {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// A folder with the configuration; removed in the end.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn with(configuration: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        // Relaxed: the numbers only have to be distinct.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tollgate-interfaces-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("gateway.yaml"), configuration).unwrap();
        Self(folder)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(arguments).args(["--config", "gateway.yaml"]);
        command.current_dir(&self.0);
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl HttpGateway {
    pub(crate) fn start(folder: &Folder) -> Self {
        let mut child = folder
            .command(&["serve", "--listen", "127.0.0.1:0", "--workers", "1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = Vec::new();
        let address = loop {
            let line = lines.next().map(Result::unwrap);
            let line = line.unwrap_or_else(|| panic!("it does not listen: {before:#?}"));
            match line.split_once("http://") {
                Some((_, address)) => break address.parse().unwrap(),
                None => before.push(line),
            }
        };
        // Read to the end, so that the process never blocks on a full pipe.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, address }
    }
}

impl Drop for HttpGateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl StdioGateway {
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut child = folder
            .command(&["stdio", "--verbose"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Sends a request, and returns the response.
    pub(crate) fn exchange(&mut self, request: &ClientRequest) -> Value {
        let (method, path) = (json!(request.method), json!(request.written_target()));
        let (headers, body) = (headers(request), json!(request.body));
        let message = format!(
            "{{\"type\":\"api_request\",\"method\":{method},\"path\":{path},\"headers\":{headers},\
             \"body\":{body}}}"
        );
        writeln!(self.stdin.as_mut().unwrap(), "{message}").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// The fields as a JSON object in their order, with an array for each name.
fn headers(request: &ClientRequest) -> String {
    let mut headers = vec![("host", vec![&*request.host])];
    for (name, value) in &request.fields {
        match headers.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(value),
            None => headers.push((name, vec![value])),
        }
    }
    let headers = headers.into_iter();
    let headers = headers.map(|(name, values)| format!("{}:{}", json!(name), json!(values)));
    format!("{{{}}}", headers.collect::<Vec<_>>().join(","))
}

impl Drop for StdioGateway {
    fn drop(&mut self) {
        // The process exits at the end of its input.
        self.stdin = None;
        let _ = self.child.wait();
    }
}
