//! The subcommands and flags that `--help` prints.

use std::collections::BTreeMap;
use std::process::Command;

/// The options of each subcommand; the empty name has those of `tollgate` itself.
#[derive(Debug)]
pub(crate) struct Help {
    commands: BTreeMap<String, Vec<Flag>>,
}

/// One option as `--help` describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Flag {
    /// Its spellings, such as `-H` and `--header`.
    pub(crate) names: Vec<String>,
    /// The default that `--help` states.
    pub(crate) default: Option<String>,
}

impl Help {
    /// Reads the help of the binary under test.
    pub(crate) fn read() -> Self {
        let own = printed(&[]);
        let mut commands: BTreeMap<_, _> = section(&own, "Commands:")
            .iter()
            .filter_map(|line| line.split_whitespace().next())
            .map(|name| (name.to_owned(), flags(&printed(&[name]))))
            .collect();
        assert!(commands.len() > 1, "no subcommands in {own}");
        commands.insert(String::new(), flags(&own));
        Self { commands }
    }

    pub(crate) fn subcommands(&self) -> impl Iterator<Item = (&str, &[Flag])> {
        let all = self
            .commands
            .iter()
            .map(|(name, flags)| (&**name, &**flags));
        all.filter(|(name, _)| !name.is_empty())
    }

    /// The options of `tollgate` without a subcommand.
    pub(crate) fn own_flags(&self) -> &[Flag] {
        &self.commands[""]
    }

    /// The first argument that the program does not know, if there is one.
    pub(crate) fn wrong_with(&self, arguments: &[&str]) -> Option<String> {
        let first = arguments
            .first()
            .filter(|word| !word.starts_with(['-', '[']));
        let name = first.copied().unwrap_or_default();
        let Some(flags) = self.commands.get(name) else {
            return Some(format!("there is no subcommand `{name}`"));
        };
        let known = |word: &str| {
            let name = word.split('=').next().unwrap_or_default();
            flags
                .iter()
                .any(|flag| flag.names.iter().any(|own| own == name))
        };
        arguments
            .iter()
            .filter(|word| word.starts_with('-') && word.len() > 1)
            .find(|word| !known(word))
            .map(|word| format!("`tollgate {name}` has no flag `{word}`"))
    }
}

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(arguments)
        .arg("--help")
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The indented lines below a heading.
fn section<'a>(help: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = help.lines().skip_while(|line| *line != heading).skip(1);
    lines.take_while(|line| line.starts_with(' ')).collect()
}

fn flags(help: &str) -> Vec<Flag> {
    let mut entries: Vec<String> = Vec::new();
    for line in section(help, "Options:") {
        match entries.last_mut() {
            Some(last) if !line.trim_start().starts_with('-') => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => entries.push(line.trim().to_owned()),
        }
    }
    let entries = entries.iter().map(|entry| Flag {
        names: entry
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .take_while(|word| word.starts_with(['-', '<']))
            .filter(|word| word.starts_with('-'))
            .map(str::to_owned)
            .collect(),
        default: entry
            .split_once("[default: ")
            .and_then(|(_, rest)| rest.split_once(']'))
            .map(|(default, _)| default.to_owned()),
    });
    entries.collect()
}

#[test]
fn the_options_of_a_help_text() {
    let help = "Options:\n  -H, --header <NAME: VALUE>  A field;\n      again [default: 1]\n      \
                --all                   All\n\nExamples:\n  --no\n";
    let flag = |names: &[&str], default: Option<&str>| Flag {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        default: default.map(str::to_owned),
    };
    assert_eq!(
        flags(help),
        [flag(&["-H", "--header"], Some("1")), flag(&["--all"], None)]
    );
}
