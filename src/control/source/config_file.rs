//! Configuration files named on the command line: reading, loading, rendering of diagnostics.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::{
    Diagnostic, LoadOptions, Loaded, MAX_BYTES, builtin, decode, load_file, render,
};

/// A configuration file that was read.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    name: String,
    folder: PathBuf,
    text: String,
    /// Why the text is unusable.
    error: Option<Diagnostic>,
}

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum Unusable {
    /// The file cannot be read.
    #[error("cannot read {name}")]
    Unreadable {
        /// The file.
        name: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The file has errors.
    #[error("{} has errors", .file.name)]
    Invalid {
        /// The file.
        file: Box<ConfigFile>,
        /// Errors and warnings in the order of the text; at least one is an error.
        diagnostics: Vec<Diagnostic>,
    },
}

impl ConfigFile {
    /// Reads a file; `-` is standard input.
    ///
    /// # Errors
    /// If the system cannot read it.
    pub fn read(path: &Path) -> Result<Self, Unusable> {
        let is_stdin = path.as_os_str() == "-";
        let name = if is_stdin {
            STDIN_NAME.to_owned()
        } else {
            path.display().to_string()
        };
        let bytes = if is_stdin {
            read_all(io::stdin().lock())
        } else {
            File::open(path).and_then(read_all)
        };
        match bytes {
            Ok(bytes) => {
                let (text, error) = decode(bytes);
                let folder = path.parent().filter(|_| !is_stdin);
                let folder = folder.unwrap_or(Path::new("")).to_owned();
                Ok(Self {
                    name,
                    folder,
                    text,
                    error,
                })
            }
            Err(source) => Err(Unusable::Unreadable { name, source }),
        }
    }

    /// Reads a file, or returns the built-in configuration without one.
    ///
    /// # Errors
    /// If the system cannot read it.
    pub fn read_or_builtin(path: Option<&Path>) -> Result<Self, Unusable> {
        path.map_or_else(|| Ok(Self::builtin()), Self::read)
    }

    /// The built-in configuration.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            name: "built-in table".into(),
            folder: PathBuf::new(),
            text: builtin::TEXT.into(),
            error: None,
        }
    }

    /// Its name in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder that file names in it are relative to; empty for the current folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Compiles it.
    ///
    /// # Errors
    /// Every error of the file, together with its warnings.
    pub fn load(&self, options: LoadOptions) -> Result<Loaded, Vec<Diagnostic>> {
        match &self.error {
            Some(error) => Err(vec![error.clone()]),
            None => load_file(&self.text, options),
        }
    }

    /// Compiles it; the error keeps the file, to render the diagnostics with its text.
    ///
    /// # Errors
    /// If the file has errors.
    pub fn into_loaded(self, options: LoadOptions) -> Result<Loaded, Unusable> {
        self.load(options).map_err(|diagnostics| Unusable::Invalid {
            file: Box::new(self),
            diagnostics,
        })
    }

    /// Renders diagnostics of this file for people.
    #[must_use]
    pub fn render(&self, diagnostics: &[Diagnostic], coloured: bool) -> String {
        render(diagnostics, &self.name, &self.text, coloured)
    }
}

impl Unusable {
    /// The report for standard error, with a final newline.
    #[must_use]
    pub fn report(&self, coloured: bool) -> String {
        match self {
            Self::Unreadable { .. } => format!("tollgate: {}\n", self.sentence()),
            Self::Invalid { file, diagnostics } => file.render(diagnostics, coloured),
        }
    }

    /// One sentence, with its cause.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Unreadable { source, .. } => {
                let cause = source.to_string();
                // Omit the error number: the words before it say the same.
                let cause = cause.split(" (os error").next().unwrap_or_default();
                format!("{self}: {cause}")
            }
            Self::Invalid { .. } => self.to_string(),
        }
    }

    /// The exit code: 1 for a file with errors, 2 for one that cannot be read.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } => 2,
            Self::Invalid { .. } => 1,
        }
    }
}

fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed, to detect a file that is too large.
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) + 1;
    from.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

const STDIN_NAME: &str = "<stdin>";
