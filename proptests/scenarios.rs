//! Transcripts piped through the real binary, and interactive sessions with it.
//!
//! `fixtures/scenarios/NAME.jsonl` is the standard input of `tollgate stdio`; its output must be
//! exactly `NAME.expected.jsonl`. A configuration `NAME.yaml` beside it is passed as `--config`, and
//! the words of `NAME.args` as further arguments. `UPDATE_FIXTURES=1` writes the actual output:
//! review the diff line by line before you commit it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "scenarios/child.rs"]
mod child;
#[path = "scenarios/live.rs"]
mod live;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde::de::IgnoredAny;

#[test]
fn every_transcript_gets_the_expected_replies() {
    let scenarios = scenarios();
    assert!(scenarios.len() > 10, "only {scenarios:?}");
    let wrong: Vec<String> = scenarios.iter().filter_map(|input| check(input)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The difference between the actual and the expected replies; `None` if they are equal.
fn check(input: &Path) -> Option<String> {
    let name = input.file_stem().unwrap().to_string_lossy().into_owned();
    let expected_file = input.with_file_name(format!("{name}.expected.jsonl"));
    let (replies, errors) = run(input);
    let is_json = |line: &&str| serde_json::from_str::<IgnoredAny>(line).is_ok();
    if let Some(line) = replies.lines().find(|line| !is_json(line)) {
        return Some(format!("{name}: this reply is not JSON: {line}"));
    }
    if !errors.is_empty() {
        return Some(format!("{name}: on standard error: {errors}"));
    }
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&expected_file, &replies).unwrap();
    }
    let expected = fs::read_to_string(&expected_file).unwrap_or_default();
    if replies == expected {
        return None;
    }
    let lines = || replies.lines().zip(expected.lines());
    let at = lines()
        .position(|(one, other)| one != other)
        .unwrap_or(lines().count());
    let line = |text: &str| text.lines().nth(at).unwrap_or("(nothing)").to_owned();
    let (reply, expected) = (line(&replies), line(&expected));
    Some(format!(
        "{name}, reply {}:\n  is        {reply}\n  should be {expected}",
        at + 1
    ))
}

/// Runs the binary, which must succeed; returns its standard output and standard error.
fn run(input: &Path) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command
        .arg("stdio")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let config = input.with_extension("yaml");
    if config.exists() {
        command.arg("--config").arg(config);
    }
    if let Ok(words) = fs::read_to_string(input.with_extension("args")) {
        command.args(words.split_whitespace());
    }
    let text = fs::read(input).unwrap();
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(&text));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        input.display(),
        output.status
    );
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

/// Every transcript, sorted, including the quickstart.
fn scenarios() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = fs::read_dir(fixtures.join("scenarios")).unwrap();
    let mut scenarios: Vec<PathBuf> = files
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(".jsonl") && !name.ends_with(".expected.jsonl")
        })
        .collect();
    scenarios.push(fixtures.join("quickstart.jsonl"));
    scenarios.sort();
    scenarios
}
