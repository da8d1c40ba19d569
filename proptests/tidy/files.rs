//! The files of the project.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file, with its path from the root of the project.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Panics with every line for which `wrong` returns a problem.
pub(crate) fn check_lines(files: &[File], wrong: impl Fn(&File, &str) -> Option<String>) {
    assert!(!files.is_empty());
    let mut found = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(words) = wrong(file, line) {
                found.push(format!("{}:{number}: {words}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The Rust files below these directories.
pub(crate) fn sources(directories: &[&str]) -> Vec<File> {
    let mut pending: Vec<PathBuf> = directories.iter().map(|name| root().join(name)).collect();
    let mut files = Vec::new();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.extend(read(&path));
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Every text file that is tracked, or untracked and not ignored.
pub(crate) fn tracked() -> Vec<File> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(listed.status.success(), "git lists the files");
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed
        .lines()
        .filter_map(|path| read(&root().join(path)))
        .collect()
}

/// Reads a file; `None` if it does not exist or is not text.
pub(crate) fn read(path: &Path) -> Option<File> {
    let text = fs::read_to_string(path).ok()?;
    let path = path
        .strip_prefix(root())
        .unwrap()
        .to_string_lossy()
        .replace('\\', "/");
    Some(File { path, text })
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
