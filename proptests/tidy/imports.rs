//! Which file of the source imports which, read from the paths in its code.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::code_of;
use crate::files::File;

/// The files that each file imports, as paths from the root of the project.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// Reads the imports of the files of `src/`. Code behind `#[cfg(test)]` at the end of a file does not
/// count, nor do files of tests.
pub(crate) fn imports(files: &[File]) -> Imports {
    let files = files.iter().filter(|file| !is_test(&file.path));
    let modules: BTreeMap<Vec<String>, &str> = files
        .clone()
        .map(|file| (module_of(&file.path), file.path.as_str()))
        .collect();
    files
        .map(|file| {
            let own = module_of(&file.path);
            let named = paths(&file.text).into_iter();
            let named = named.filter_map(|path| resolve(&path, &own, &modules));
            let named = named.filter(|named| *named != file.path);
            (file.path.clone(), named.map(ToOwned::to_owned).collect())
        })
        .collect()
}

/// The import cycles: groups of files that import each other, directly or not. Each is sorted.
pub(crate) fn cycles(imports: &Imports) -> Vec<Vec<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = imports
        .keys()
        .map(|file| (file.as_str(), reach(file, imports)))
        .collect();
    let mut groups: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, others) in &reached {
        let back = others
            .iter()
            .filter(|other| reached[**other].contains(file));
        let group: BTreeSet<&str> = back.copied().collect();
        if !group.is_empty() {
            groups.insert(group.into_iter().map(ToOwned::to_owned).collect());
        }
    }
    groups.into_iter().collect()
}

fn reach<'i>(file: &str, imports: &'i Imports) -> BTreeSet<&'i str> {
    let mut reached = BTreeSet::new();
    let mut pending: Vec<&'i str> = imports[file].iter().map(String::as_str).collect();
    while let Some(next) = pending.pop() {
        if reached.insert(next) {
            pending.extend(imports.get(next).into_iter().flatten().map(String::as_str));
        }
    }
    reached
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// The module that a file is: `src/a/mod.rs` and `src/a.rs` are `[a]`.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let inside = inside.trim_end_matches(".rs").trim_end_matches("/mod");
    let parts = inside
        .split('/')
        .filter(|part| !["lib", "main"].contains(part));
    parts.map(ToOwned::to_owned).collect()
}

/// The file of the longest prefix of a path that is a module; `None` for paths of other crates.
fn resolve<'m>(
    path: &[String],
    own: &[String],
    modules: &BTreeMap<Vec<String>, &'m str>,
) -> Option<&'m str> {
    let (first, rest) = path.split_first()?;
    let mut whole: Vec<String> = match first.as_str() {
        "crate" => Vec::new(),
        "self" => own.to_vec(),
        "super" => own[..own.len().checked_sub(1)?].to_vec(),
        child => {
            // The first name of a path is one of this module's, if it has such a child.
            let child: Vec<String> = own.iter().cloned().chain([child.to_owned()]).collect();
            modules.get(&child)?;
            child
        }
    };
    for name in rest {
        if name == "super" {
            whole.pop();
        } else {
            whole.push(name.clone());
        }
    }
    while !whole.is_empty() {
        if let Some(file) = modules.get(&whole) {
            return Some(file);
        }
        whole.pop();
    }
    None
}

/// Every path with `::` in the code of a file, and each leaf of a `use` tree.
fn paths(text: &str) -> Vec<Vec<String>> {
    let code = text
        .split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    let code: String = code
        .lines()
        .flat_map(|line| [code_of(line), "\n"])
        .collect();
    let mut paths = Vec::new();
    let mut rest = code.as_str();
    while let Some(at) = rest.find(is_name) {
        rest = &rest[at..];
        rest = tree(rest, &mut Vec::new(), &mut paths);
    }
    paths
}

/// Reads a path, or a tree of paths, that begins with a name; returns what follows it.
fn tree<'c>(code: &'c str, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> &'c str {
    let before = prefix.len();
    let mut rest = code;
    loop {
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        prefix.push(rest[..end].to_owned());
        rest = &rest[end..];
        let Some(after) = rest.strip_prefix("::") else {
            break;
        };
        rest = after;
        if let Some(mut list) = rest.strip_prefix('{') {
            loop {
                list = list.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
                if list.starts_with(is_name) {
                    list = tree(list, prefix, paths);
                } else {
                    break;
                }
            }
            prefix.truncate(before);
            return list.strip_prefix('}').unwrap_or(list);
        }
        if !rest.starts_with(is_name) {
            break;
        }
    }
    if prefix.len() > 1 {
        paths.push(prefix.clone());
    }
    prefix.truncate(before);
    rest
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
