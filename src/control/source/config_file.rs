//! Configuration files as they are named on the command line: read, loaded, and what is wrong
//! with them told.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::builtin;
use crate::config::compile::{LoadOptions, Loaded, load_file};
use crate::config::diagnostic::Diagnostic;
use crate::config::report::render;
use crate::config::text::{MAX_BYTES, decode};

/// A configuration file that was read.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    name: String,
    folder: PathBuf,
    text: String,
    /// What keeps the text from being one.
    fault: Option<Diagnostic>,
}

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum Unusable {
    /// The file cannot be read.
    #[error("cannot read {name}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// It has faults.
    #[error("{} cannot be used as it is", .file.name)]
    Faulty {
        /// The file.
        file: Box<ConfigFile>,
        /// Its faults, in the order of its text, warnings among them; at least one is an error.
        faults: Vec<Diagnostic>,
    },
}

impl ConfigFile {
    /// Reads a file; `-` is standard input.
    ///
    /// # Errors
    /// If the system does not let it be read.
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
                let (text, fault) = decode(bytes);
                let folder = path.parent().filter(|_| !is_stdin);
                let folder = folder.unwrap_or(Path::new("")).to_owned();
                Ok(Self {
                    name,
                    folder,
                    text,
                    fault,
                })
            }
            Err(source) => Err(Unusable::Unreadable { name, source }),
        }
    }

    /// The file, or the built-in table if there is none.
    ///
    /// # Errors
    /// If the system does not let it be read.
    pub fn read_or_builtin(path: Option<&Path>) -> Result<Self, Unusable> {
        path.map_or_else(|| Ok(Self::builtin()), Self::read)
    }

    /// The built-in table.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            name: "built-in table".into(),
            folder: PathBuf::new(),
            text: builtin::TEXT.into(),
            fault: None,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the names of files in it start: its folder, or the current one.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Compiles it.
    ///
    /// # Errors
    /// Every fault of the file.
    pub fn load(&self, options: LoadOptions) -> Result<Loaded, Vec<Diagnostic>> {
        match &self.fault {
            Some(fault) => Err(vec![fault.clone()]),
            None => load_file(&self.text, options),
        }
    }

    /// Compiles it; the faults keep the text that they speak of.
    ///
    /// # Errors
    /// Every fault of the file.
    pub fn into_loaded(self, options: LoadOptions) -> Result<Loaded, Unusable> {
        self.load(options).map_err(|faults| Unusable::Faulty {
            file: Box::new(self),
            faults,
        })
    }

    /// Faults of this file as people read them.
    #[must_use]
    pub fn render(&self, faults: &[Diagnostic], coloured: bool) -> String {
        render(faults, &self.name, &self.text, coloured)
    }
}

impl Unusable {
    /// What to say on standard error, with its last newline.
    #[must_use]
    pub fn report(&self, coloured: bool) -> String {
        match self {
            Self::Unreadable { .. } => format!("tollgate: {}\n", self.sentence()),
            Self::Faulty { file, faults } => file.render(faults, coloured),
        }
    }

    /// One sentence, with its cause.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Unreadable { source, .. } => {
                let cause = source.to_string();
                // The number says nothing that the words before it do not.
                let cause = cause.split(" (os error").next().unwrap_or_default();
                format!("{self}: {cause}")
            }
            Self::Faulty { .. } => self.to_string(),
        }
    }

    /// The exit code for it: 1 for faults, 2 for a file that cannot be read.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } => 2,
            Self::Faulty { .. } => 1,
        }
    }
}

fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than may be there: enough to know that it is too much.
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) + 1;
    from.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

const STDIN_NAME: &str = "<stdin>";
