//! Coding rules that a program can check: layers, sizes, names, and build targets.

#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is how a test fails"
)]

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/imports.rs"]
mod imports;

use std::fs;
use std::path::Path;

use code::{begins_path, code_of, functions, has_word, layer_of, named_layers, targets};
use files::{File, check_lines, root, sources, tracked};
use imports::{cycles, imports};

/// Each layer may import itself and those before it.
const LAYERS: [&str; 6] = [
    "engine", "config", "observe", "runtime", "control", "frontend",
];
/// The codec, beside the layers. It imports none of them.
const CODEC: &str = "http1";
/// The layers that may import the codec.
const MAY_USE_CODEC: [&str; 2] = ["runtime", "frontend"];
/// What the engine must not use: I/O, clocks, random numbers.
const IMPURE: [&str; 15] = [
    "std::io",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio",
    "Instant::now",
    "SystemTime::now",
    "rand::",
    "println!",
    "print!",
    "eprintln!",
    "tracing",
    "arc_swap",
];
/// Names without meaning.
const MEANINGLESS_NAMES: [&str; 9] = [
    "util", "utils", "common", "helper", "helpers", "manager", "misc", "shared", "stuff",
];
const MAX_FILE_LINES: usize = 600;
const MAX_FUNCTION_LINES: usize = 70;

#[test]
fn layers_import_only_lower_layers() {
    check_lines(&sources(&["src"]), |file, line| {
        let layer = layer_of(&file.path)?;
        let allowed = LAYERS.iter().position(|known| *known == layer);
        let wrong = named_layers(code_of(line)).into_iter().find(|named| {
            let place = LAYERS.iter().position(|known| known == named);
            match (allowed, place) {
                (Some(own), Some(named)) => named > own,
                // Only layers that own sockets use the codec; the others know no protocol.
                (Some(_), None) => !MAY_USE_CODEC.contains(&layer.as_str()),
                _ => **named != *layer,
            }
        })?;
        Some(format!("`{layer}` must not import `{wrong}`"))
    });
}

#[test]
fn no_import_cycles() {
    let found = cycles(&imports(&sources(&["src"])));
    assert!(found.is_empty(), "these import each other: {found:#?}");
}

#[test]
fn every_directory_of_the_source_is_a_layer() {
    for file in sources(&["src"]) {
        let known = file.path == "src/main.rs"
            || file.path == "src/lib.rs"
            || layer_of(&file.path)
                .is_some_and(|layer| LAYERS.contains(&layer.as_str()) || layer == CODEC);
        assert!(
            known,
            "{} is in no layer; add its layer to {}",
            file.path,
            file!()
        );
    }
}

#[test]
fn the_engine_is_pure() {
    check_lines(&sources(&["src/engine"]), |_, line| {
        let found = IMPURE.iter().find(|word| has_word(code_of(line), word))?;
        Some(format!("the engine must not use `{found}`"))
    });
}

#[test]
fn the_program_logs_through_tracing() {
    check_lines(&sources(&["src"]), |_, line| {
        let found = has_word(code_of(line), "eprintln!");
        found.then(|| "use `tracing`, or `Output` for the answer of a command".to_owned())
    });
}

#[test]
fn the_text_uses_standard_terms() {
    // Taken apart, so that this file does not hold them.
    let words = [
        concat!("own ", "answer"),
        concat!("sh", "all "),
        concat!("who", "ever"),
        concat!("belie", "ved"),
        concat!("looked", " at"),
        concat!("is", " told"),
        concat!("are", " told"),
        concat!("MO", "ST_"),
    ];
    check_lines(&sources(&["src", "proptests", "benches"]), |_, line| {
        let word = words.iter().find(|word| has_word(line, word))?;
        Some(format!("`{word}`"))
    });
}

#[test]
fn files_are_short() {
    let mut wrong = Vec::new();
    for file in sources(&["src", "proptests", "benches"]) {
        let lines = file.text.lines().count();
        if lines > MAX_FILE_LINES {
            wrong.push(format!("{} has {lines} lines", file.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    for file in sources(&["src", "proptests", "benches"]) {
        for (name, line, length) in functions(&file.text) {
            if length > MAX_FUNCTION_LINES {
                wrong.push(format!("{}:{line}: `{name}` has {length} lines", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_code_map_has_every_file() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let is_there = |path: &Path| {
        let own = path.file_name().unwrap().to_string_lossy();
        // An entry for a folder covers its files, except the folder of a layer.
        let folders = path
            .ancestors()
            .skip(1)
            .take_while(|it| it.components().count() > 2);
        let mut names = folders.filter_map(|it| it.file_name());
        map.contains(&format!("{own}`"))
            || names.any(|folder| map.contains(&format!("{}/`", folder.to_string_lossy())))
    };
    let files = sources(&["src"]).into_iter().map(|file| file.path);
    let wrong: Vec<_> = files
        .filter(|path| !path.ends_with("mod.rs") && !path.contains("/tests"))
        .filter(|path| !is_there(Path::new(path)))
        .collect();
    assert!(
        wrong.is_empty(),
        "the code map lacks these files: {wrong:#?}"
    );
}

#[test]
fn no_unfinished_code() {
    // Split, so that this file does not contain them.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!"),
        concat!("unimple", "mented!"),
        concat!("#[ig", "nore"),
        concat!("dbg", "!("),
    ];
    check_lines(&sources(&["src", "proptests", "benches"]), |_, line| {
        let word = words.iter().find(|word| has_word(line, word))?;
        Some(format!("`{word}`"))
    });
}

#[test]
fn names_have_a_meaning() {
    for file in sources(&["src", "proptests", "benches"]) {
        for part in Path::new(&file.path).iter() {
            let part = part.to_string_lossy();
            let name = part.trim_end_matches(".rs");
            assert!(
                !MEANINGLESS_NAMES.contains(&name),
                "{}: `{name}` has no meaning",
                file.path
            );
        }
    }
    check_lines(&sources(&["src", "proptests", "benches"]), |_, line| {
        let name = code_of(line)
            .split_once("mod ")?
            .1
            .trim_end_matches([';', '{', ' ']);
        MEANINGLESS_NAMES
            .contains(&name)
            .then(|| format!("`{name}` has no meaning"))
    });
}

#[test]
fn every_target_is_a_file_and_every_file_is_a_target() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut declared: Vec<String> = targets(&manifest);
    for path in &declared {
        assert!(
            root().join(path).is_file(),
            "Cargo.toml names {path}, which does not exist"
        );
    }
    let mut there: Vec<String> = sources(&["proptests", "benches"])
        .into_iter()
        .map(|file| file.path)
        .filter(|path| path.matches('/').count() == 1)
        .collect();
    declared.sort();
    there.sort();
    assert_eq!(
        there, declared,
        "left: the files, right: the targets in Cargo.toml"
    );
}

#[test]
fn no_local_paths_and_no_registries() {
    // Split, so that this file does not contain them.
    let places = ["home", "root", "Users", "tmp", "work", "mnt"].map(|name| format!("/{name}/"));
    let registries = [
        concat!("crates", ".io"),
        concat!("py", "pi.org"),
        concat!("npm", "js."),
        concat!("debian", ".org"),
        concat!("pythonhosted", ".org"),
    ];
    check_lines(&tracked(), |file, line| {
        let place = places.iter().find(|place| begins_path(line, place));
        // The source of public packages in a lock file.
        let lock = "source = \"registry+https://github.com/rust-lang/crates";
        let is_lock = file.path == "Cargo.lock" && line.starts_with(lock);
        let registry = registries
            .iter()
            .find(|host| line.contains(**host) && !is_lock);
        let found = place.map(String::as_str).or(registry.copied())?;
        Some(format!("`{found}`"))
    });
}

#[test]
fn the_rules_find_violations() {
    assert_eq!(
        named_layers("use crate::runtime::cell::SnapshotReader;"),
        ["runtime"]
    );
    assert_eq!(
        named_layers("pub(in crate::engine) fn f(x: crate::config::X)"),
        ["engine", "config"]
    );
    assert_eq!(
        named_layers("use crate::{engine::path, frontend::{cli, stdio}};"),
        ["engine", "frontend"]
    );
    assert_eq!(code_of("let x = 1; // crate::frontend"), "let x = 1; ");
    assert!(has_word("let x = rand::random();", "rand::") && !has_word("operand::X", "rand::"));
    assert!(begins_path("see \"/a/x\"", "/a/") && !begins_path("GET b/a/x", "/a/"));
    let file = |path: &str, text: &str| File {
        path: path.into(),
        text: text.into(),
    };
    let found = imports(&[
        file("src/a/mod.rs", "pub use one::{One, two::X};\nmod one;\n"),
        file(
            "src/a/one.rs",
            "fn f() -> super::two::Two {}\n// crate::b\n",
        ),
        file("src/a/two.rs", "use crate::{b::B, a::{self, one}};\n"),
        file(
            "src/b.rs",
            "use std::a::X;\n#[cfg(test)]\nmod tests { use crate::a; }",
        ),
    ]);
    let named = |path: &str| found[path].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(named("src/a/mod.rs"), ["src/a/one.rs"]);
    assert_eq!(named("src/a/one.rs"), ["src/a/two.rs"]);
    let of_two = ["src/a/mod.rs", "src/a/one.rs", "src/b.rs"];
    assert_eq!(named("src/a/two.rs"), of_two);
    assert!(named("src/b.rs").is_empty());
    let all = ["src/a/mod.rs", "src/a/one.rs", "src/a/two.rs"];
    assert_eq!(cycles(&found), [all.map(str::to_owned)]);
    let text = "fn a() {}\nimpl X {\n    pub const fn b(\n    ) -> u8 {\n        1\n    }\n}\n";
    assert_eq!(functions(text), [("a".into(), 1, 0), ("b".into(), 3, 1)]);
}
