//! The output of a command, and how it is written.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use serde::Serialize;

use crate::control::source::Unusable;
use crate::frontend::cli::paint::Paint;

/// The output of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Output {
    /// For standard output.
    pub(super) out: String,
    /// For standard error.
    pub(super) err: String,
    /// The exit code: 0 for success, 1 for a negative result, 2 if the command could not run.
    pub(super) code: u8,
}

impl Output {
    /// A text for standard output.
    pub(super) fn text(out: String, succeeded: bool) -> Self {
        Self {
            out,
            err: String::new(),
            code: u8::from(!succeeded),
        }
    }

    /// A JSON document for standard output.
    pub(super) fn json(document: &impl Serialize, succeeded: bool) -> Self {
        let json = serde_json::to_string_pretty(document);
        let json = json.expect("maps with text keys, lists and scalars are always JSON");
        Self::text(json + "\n", succeeded)
    }

    /// The report on a configuration that cannot be used.
    pub(super) fn unusable(unusable: &Unusable, paint: Paint) -> Self {
        Self {
            out: String::new(),
            err: unusable.report(paint.is_coloured()),
            code: unusable.exit_code(),
        }
    }

    /// Writes it and returns the exit code, also if the reader has closed the pipe.
    pub(super) fn write(&self) -> ExitCode {
        let mut out = io::stdout().lock();
        let written = write!(out, "{}", self.out).and_then(|()| out.flush());
        drop(out);
        let mut err = io::stderr().lock();
        // If standard error cannot be written, there is nowhere left to report it.
        let _ = write!(err, "{}", self.err);
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let _ = writeln!(err, "tollgate: cannot write to standard output: {error}");
                ExitCode::from(2)
            }
            Ok(()) | Err(_) => ExitCode::from(self.code),
        }
    }
}
