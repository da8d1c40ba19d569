//! What a command has to say, and how it gets out.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use serde::Serialize;

use crate::frontend::cli::paint::Paint;
use crate::frontend::config_file::Unusable;

/// What a command has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// For standard output.
    pub(super) out: String,
    /// For standard error.
    pub(super) err: String,
    /// 0 for yes, 1 for no, 2 for a command that could not be carried out.
    pub(super) code: u8,
}

impl Answer {
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

    /// A configuration that cannot be used.
    pub(super) fn refusal(unusable: &Unusable, paint: Paint) -> Self {
        Self {
            out: String::new(),
            err: unusable.report(paint.is_coloured()),
            code: unusable.exit_code(),
        }
    }

    /// Writes it. A reader that has closed the pipe has seen enough: that changes nothing.
    pub(super) fn deliver(&self) -> ExitCode {
        let mut out = io::stdout().lock();
        let written = write!(out, "{}", self.out).and_then(|()| out.flush());
        drop(out);
        let mut err = io::stderr().lock();
        // Nowhere is left to tell that standard error cannot be written.
        let _ = write!(err, "{}", self.err);
        match written {
            Err(fault) if fault.kind() != ErrorKind::BrokenPipe => {
                let _ = writeln!(err, "tollgate: cannot write to standard output: {fault}");
                ExitCode::from(2)
            }
            Ok(()) | Err(_) => ExitCode::from(self.code),
        }
    }
}
