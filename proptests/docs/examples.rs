//! Runs the examples of one page. CONTRIBUTING.md, "Documentation", states the conventions.

use std::ops::Range;

use crate::help::Help;
use crate::output::matches;
use crate::page::{Block, Page, root};
use crate::shell::{Server, Workspace};

/// The result of the examples of a page.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Problems that need a manual fix.
    pub(crate) problems: Vec<String>,
    /// Outputs that differ from those shown.
    pub(crate) differences: Vec<String>,
    /// The edits of the page that resolve the differences.
    pub(crate) edits: Vec<(Range<usize>, String)>,
    /// How many examples were run or checked.
    pub(crate) checked: usize,
}

/// Runs all examples of a page, in order.
pub(crate) fn run(page: &Page, help: &Help) -> Outcome {
    let name = page.path.to_string_lossy().replace(['/', '.'], "-");
    let mut run = Run {
        page,
        help,
        workspace: Workspace::new(&name),
        outcome: Outcome::default(),
    };
    let blocks = page.blocks();
    let mut blocks = blocks.iter().peekable();
    while let Some(block) = blocks.next() {
        match (block.language, block.options.split(' ').next()) {
            ("yaml", Some("unchecked")) => {}
            ("yaml", _) => run.configuration(block),
            ("console", _) => run.console(block),
            ("sh", _) => run.script(block),
            ("jsonl", Some("request")) => {
                let is_response =
                    |next: &&&Block<'_>| (next.language, next.options) == ("jsonl", "response");
                match blocks.next_if(|next| is_response(&next)) {
                    Some(response) => run.conversation(block, response),
                    None => run.problem(block, "no `jsonl response` follows"),
                }
            }
            ("nginx", Some("")) => {}
            _ => run.problem(block, "CONTRIBUTING.md does not define this kind of block"),
        }
    }
    run.outcome
}

/// The examples of one page while they run.
struct Run<'a> {
    page: &'a Page,
    help: &'a Help,
    workspace: Workspace,
    outcome: Outcome,
}

impl Run<'_> {
    fn problem(&mut self, block: &Block<'_>, what: &str) {
        let problem = self.placed(block, what);
        self.outcome.problems.push(problem);
    }

    fn placed(&self, block: &Block<'_>, what: &str) -> String {
        format!("{}:{}: {what}", self.page.path.display(), block.line)
    }

    /// A whole configuration: `tollgate check` must accept it, or reject it where it is `invalid`.
    fn configuration(&mut self, block: &Block<'_>) {
        self.outcome.checked += 1;
        let mut expected = Some(0);
        for word in block.options.split_whitespace() {
            match word.split_once('=') {
                None if word == "invalid" => expected = Some(1),
                Some(("file", name)) => self.workspace.save(name, block.body),
                _ => self.problem(block, &format!("unknown option `{word}`")),
            }
        }
        let (output, code) = self.workspace.run("tollgate check -", block.body);
        if code != expected {
            self.problem(
                block,
                &format!("`tollgate check` ends with {code:?}:\n{output}"),
            );
        }
    }

    /// Commands and what they print, with a server beside them if the block names one.
    fn console(&mut self, block: &Block<'_>) {
        let server = match block.options.strip_prefix("serve: ") {
            Some(command) => Some(self.workspace.serve(command)),
            None if block.options.is_empty() => None,
            None => return self.problem(block, "the options are not `serve: COMMAND`"),
        };
        let commands = commands_in(block.body);
        if commands.is_empty() {
            return self.problem(block, "it contains no command");
        }
        let mut wrong = Vec::new();
        let mut body = String::new();
        for (command, shown) in commands {
            self.outcome.checked += 1;
            let (output, code) = self.command(command, server.as_ref());
            if !matches!(code, Some(0 | 1)) {
                self.problem(block, &format!("`{command}` ends with {code:?}: {output}"));
            }
            body.push_str(&format!("$ {command}\n"));
            if matches(shown, &output) {
                body.push_str(shown);
            } else {
                wrong.push(format!("`{command}` prints\n{output}"));
                body.push_str(&output);
                body.push_str(if output.ends_with('\n') { "" } else { "\n" });
            }
        }
        if !wrong.is_empty() {
            self.difference(block, &wrong.join("\n"), body);
        }
    }

    fn command(&self, command: &str, server: Option<&Server>) -> (String, Option<i32>) {
        let Some(server) = server else {
            return self.workspace.run(command, "");
        };
        let (output, code) = self.workspace.run(&server.to_real(command), "");
        (server.to_shown(&output), code)
    }

    /// Messages on the standard input of `tollgate stdio`, and its whole output.
    fn conversation(&mut self, request: &Block<'_>, response: &Block<'_>) {
        self.outcome.checked += 1;
        let options = request.options.trim_start_matches("request");
        let command = format!("tollgate stdio{options}");
        let (output, code) = self.workspace.run(&command, request.body);
        if code != Some(0) {
            self.problem(
                request,
                &format!("`{command}` ends with {code:?}: {output}"),
            );
        }
        if !matches(response.body, &output) {
            let what = format!("`{command}` responds\n{output}");
            self.difference(response, &what, output);
        }
    }

    /// Commands that are not run: their subcommands, flags and scripts must exist.
    fn script(&mut self, block: &Block<'_>) {
        for line in block.body.lines() {
            let line = line.split(" #").next().unwrap_or_default();
            for command in line.split(['|', '&', ';', '<', '>']) {
                let words: Vec<&str> = command.split_whitespace().collect();
                self.outcome.checked += 1;
                if let Some(what) = self.wrong_with(&words) {
                    self.problem(block, &format!("`{}`: {what}", command.trim()));
                }
            }
        }
    }

    fn wrong_with(&self, words: &[&str]) -> Option<String> {
        match words {
            ["tollgate", arguments @ ..] => self.help.wrong_with(arguments),
            ["cargo", "run", rest @ ..] => {
                let mut arguments = rest.split(|word| *word == "--");
                self.help.wrong_with(arguments.nth(1).unwrap_or_default())
            }
            [script, ..] if script.contains('/') && !script.starts_with("target/") => {
                let exists = root().join(script).exists();
                (!exists).then(|| format!("there is no `{script}`"))
            }
            _ => None,
        }
    }

    /// Records that a block should have another body.
    fn difference(&mut self, block: &Block<'_>, what: &str, body: String) {
        let difference = self.placed(block, what);
        self.outcome.differences.push(difference);
        self.outcome.edits.push((block.range.clone(), body));
    }
}

/// The commands of a console block, each with the output that is shown below it.
fn commands_in(body: &str) -> Vec<(&str, &str)> {
    let starts: Vec<usize> = body
        .match_indices("$ ")
        .map(|(at, _)| at)
        .filter(|at| *at == 0 || body[..*at].ends_with('\n'))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([body.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| body[start + 2..end].split_once('\n').unwrap_or_default())
        .collect()
}

#[test]
fn a_console_block_has_commands_and_outputs() {
    assert_eq!(
        commands_in("$ one --x\n$ two\na $ b\nc\n"),
        [("one --x", ""), ("two", "a $ b\nc\n")]
    );
    assert!(commands_in("no command\n").is_empty());
}
