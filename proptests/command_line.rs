//! The real binary on the files of `fixtures/cli`: its exact output and its exit codes.
//! `UPDATE_FIXTURES=1 cargo test --test command_line` rewrites the expected outputs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

/// The name of a file in `fixtures/cli` with the expected output, and the command.
const EXPECTED_OUTPUTS: &[(&str, &[&str])] = &[
    ("check-good", &["check", "good.yaml", "shop.json"]),
    ("check-shape", &["check", "shape.yaml"]),
    ("check-meaning", &["check", "meaning.yaml"]),
    ("check-clashes", &["check", "clashes.yaml"]),
    ("check-syntax", &["check", "syntax.yaml"]),
    ("check-edge", &["check", "edge.yaml"]),
    ("check-edge-wrong", &["check", "edge_wrong.yaml"]),
    ("routes-edge", &["routes", "edge.yaml"]),
    (
        "routes-edge-json",
        &["routes", "--format", "json", "edge.yaml"],
    ),
    (
        "explain-redirect",
        &["explain", "--config", "edge.yaml", "GET", "/old/x?y"],
    ),
    (
        "explain-rewrite",
        &["explain", "--config", "edge.yaml", "GET", "/api/shop/1"],
    ),
    ("check-latin1", &["check", "latin1.yaml"]),
    ("check-unreachable", &["check", "unreachable.yaml"]),
    (
        "check-allow-unreachable",
        &["check", "--allow-unreachable", "unreachable.yaml"],
    ),
    ("check-missing", &["check", "missing.yaml", "shop.json"]),
    (
        "check-json",
        &[
            "check",
            "--format",
            "json",
            "shop.json",
            "syntax.yaml",
            "missing.yaml",
        ],
    ),
    ("routes", &["routes", "good.yaml"]),
    (
        "routes-json",
        &["routes", "--format", "json", "require.yaml"],
    ),
    ("routes-faulty", &["routes", "syntax.yaml"]),
    ("routes-missing", &["routes", "missing.yaml"]),
    ("explain-hit", &["explain", "GET", "/api/v2/users/1"]),
    (
        "explain-header",
        &[
            "explain",
            "GET",
            "/api/users/1?x=y",
            "-H",
            "Accept-Version: v2",
        ],
    ),
    ("explain-default", &["explain", "GET", "/api/users/1"]),
    ("explain-not-found", &["explain", "GET", "/nowhere"]),
    ("explain-bad-path", &["explain", "GET", "/a/../../b"]),
    (
        "explain-unsupported",
        &["explain", "GET", "/api/users/1", "-H", "Accept-Version: v9"],
    ),
    (
        "explain-conflict",
        &[
            "explain",
            "GET",
            "/api/v2/users/1",
            "-H",
            "Accept-Version: v1",
        ],
    ),
    (
        "explain-required",
        &["explain", "--config", "require.yaml", "GET", "/api/users/1"],
    ),
    (
        "explain-no-backend",
        &["explain", "--config", "require.yaml", "GET", "/empty"],
    ),
    (
        "explain-method",
        &[
            "explain",
            "--config",
            "good.yaml",
            "-H",
            "x-tenant: a",
            "PUT",
            "http://x.test/api/orders/1",
        ],
    ),
    (
        "explain-unsupported-json",
        &[
            "explain",
            "--config",
            "require.yaml",
            "--format",
            "json",
            "GET",
            "/api/users/1",
            "-H",
            "accept-version: v3",
        ],
    ),
    (
        "explain-not-allowed",
        &["explain", "--config", "require.yaml", "GET", "/only"],
    ),
    (
        "explain-not-allowed-json",
        &[
            "explain",
            "--config",
            "require.yaml",
            "--format",
            "json",
            "GET",
            "/only",
        ],
    ),
    (
        "explain-invalid-version",
        &[
            "explain",
            "GET",
            "/api/users/1",
            "-H",
            "Accept-Version: latest",
        ],
    ),
    (
        "explain-url",
        &[
            "explain",
            "--config",
            "good.yaml",
            "GET",
            "https://api.example.com/api/orders/1/items?page=12",
        ],
    ),
    (
        "explain-host",
        &[
            "explain",
            "--config",
            "good.yaml",
            "GET",
            "/api/orders/1/items?page=2",
            "-H",
            "Host: api.example.com:80",
        ],
    ),
    (
        "explain-lifecycle",
        &[
            "explain",
            "--config",
            "good.yaml",
            "GET",
            "/api/v1/users/%31",
        ],
    ),
    (
        "explain-json",
        &[
            "explain",
            "--config",
            "good.yaml",
            "--format",
            "json",
            "GET",
            "/api/users/1",
        ],
    ),
    (
        "explain-faulty",
        &["explain", "--config", "syntax.yaml", "GET", "/"],
    ),
    ("help", &["--help"]),
    ("help-check", &["check", "--help"]),
    ("help-explain", &["explain", "--help"]),
    ("usage", &["explain", "GET", "/", "-H", "no-colon"]),
    ("usage-max-value-bytes", &["--max-value-bytes", "0"]),
];

#[test]
fn outputs_are_as_expected() {
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let mut wrong = Vec::new();
    for (name, args) in EXPECTED_OUTPUTS {
        let output_text = transcript(args);
        let file = folder().join(format!("{name}.expected"));
        if update {
            fs::write(&file, &output_text).unwrap();
        } else if fs::read_to_string(&file).unwrap_or_default() != output_text {
            wrong.push(format!("--- {name}\n{output_text}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "these outputs differ:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn exit_codes() {
    for (args, expected) in [
        (&["check", "good.yaml"][..], 0),
        (&["check", "good.yaml", "syntax.yaml"], 1),
        (&["check", "syntax.yaml", "missing.yaml"], 2),
        (&["check", "."], 2),
        (&["check"], 2),
        (&["routes", "good.yaml"], 0),
        (&["routes", "syntax.yaml"], 1),
        (&["routes", "missing.yaml"], 2),
        (&["explain", "GET", "/api/users/1"], 0),
        (&["explain", "GET", "/nowhere"], 1),
        (&["explain", "--config", "missing.yaml", "GET", "/"], 2),
        (&["explain", "GET"], 2),
        (&["bench", "--config", "syntax.yaml"], 1),
        (&["bench", "--seconds", "0"], 2),
        (&["schema"], 0),
        (&["--version"], 0),
        (&["nonsense"], 2),
    ] {
        assert_eq!(run(args, "").status.code(), Some(expected), "{args:?}");
    }
}

#[test]
fn a_dash_is_standard_input() {
    let config = fs::read_to_string(folder().join("shop.json")).unwrap();
    let check = run(&["check", "-"], &config);
    assert_eq!(
        text(&check.stdout),
        "ok: <stdin>: 1 route, 1 service, 1 backend\n"
    );
    let explain = run(&["explain", "--config", "-", "GET", "/shop/1"], &config);
    assert!(text(&explain.stdout).starts_with("GET /shop/1 -> shop\n"));
    let routes = run(&["routes", "-"], "routes: []");
    assert_eq!(
        text(&routes.stdout),
        "no routes: every request is rejected\n"
    );
}

#[test]
fn the_schema_is_the_one_in_the_repository() {
    let schema = run(&["schema"], "").stdout;
    assert!(serde_json::from_slice::<Json>(&schema).unwrap().is_object());
    assert_eq!(
        schema,
        fs::read(folder().join("../config.schema.json")).unwrap()
    );
}

#[test]
fn bench_prints_its_measurements() {
    let args = ["bench", "--config", "good.yaml", "--seconds", "0.02"];
    let output_text = text(&run(&args, "").stdout);
    for word in [
        "good.yaml\n",
        "  routes           6\n",
        "trie keys",
        "  hit ",
        "  miss ",
        "this machine",
    ] {
        assert!(output_text.contains(word), "{word:?} in {output_text}");
    }
    let json = run(&["bench", "--seconds", "0.02", "--format", "json"], "").stdout;
    let json: Json = serde_json::from_slice(&json).unwrap();
    let number = |pointer: &str| json.pointer(pointer).and_then(Json::as_f64).unwrap();
    assert_eq!((number("/routes"), number("/forms")), (5.0, 7.0));
    assert!(number("/hits/ns") > 0.0 && number("/misses/per_second") > 0.0);
}

#[test]
fn a_closed_standard_output_is_no_error() {
    for args in [
        &["routes", "good.yaml"][..],
        &["check", "meaning.yaml"],
        &["schema"],
        &["--help"],
    ] {
        let mut child = command(args).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stderr), "", "{args:?}");
        let expected = i32::from(args.contains(&"check"));
        assert_eq!(output.status.code(), Some(expected), "{args:?}");
    }
}

#[test]
fn colours_are_for_terminals() {
    let invalid: &[&str] = &["check", "meaning.yaml"];
    let has_colours = |command: &mut Command| {
        let output = command.output().unwrap();
        output.stdout.contains(&0x1b) || output.stderr.contains(&0x1b)
    };
    for args in [
        invalid,
        &["routes", "good.yaml"],
        &["explain", "GET", "/"],
        &["nonsense"],
        &["--help"],
    ] {
        assert!(!has_colours(&mut command(args)), "{args:?}");
    }
    // `NO_COLOR` overrides `CLICOLOR_FORCE`.
    assert!(has_colours(command(invalid).env("CLICOLOR_FORCE", "1")));
    let forbidden = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert!(!has_colours(command(invalid).envs(forbidden)));
}

/// The output and the exit code of a command, as one text.
fn transcript(args: &[&str]) -> String {
    let output = run(args, "");
    let mut output_text = format!("$ tollgate {}\n", shell_words(args));
    output_text.push_str(&text(&output.stdout));
    if !output.stderr.is_empty() {
        output_text.push_str("--- on standard error\n");
        output_text.push_str(&text(&output.stderr));
    }
    let code = output.status.code().unwrap();
    output_text.push_str(&format!("--- exit code {code}\n"));
    output_text
}

fn shell_words(args: &[&str]) -> String {
    let quoted = args.iter().map(|arg| {
        if arg.contains([' ', '?']) {
            format!("'{arg}'")
        } else {
            (*arg).to_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn run(args: &[&str], input: &str) -> Output {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command
        .args(args)
        .current_dir(folder())
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    for variable in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "TOLLGATE_LOG",
    ] {
        command.env_remove(variable);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| panic!("not UTF-8: {bytes:?}"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cli")
}
