//! The configuration file as a source: loaded at start, and again whenever a trigger asks for it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::config::serve::{Serve, resolved};
use crate::config::{LoadOptions, Loaded};
use crate::control::source::config_file::{ConfigFile, Unusable};
use crate::control::task::Handle;
use crate::control::update::{Update, UpdateError};
use crate::runtime::tls::trusted_roots;

/// Reloads the configuration file. Every trigger (SIGHUP, a change of the file) has a clone.
#[derive(Clone, Debug)]
pub struct Reloader {
    path: Option<PathBuf>,
    /// The process settings that were applied at start.
    serve: Arc<Serve>,
    control: Handle,
}

/// A configuration that a reload has published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// The number of its routes.
    pub routes: usize,
    /// Whether it also changes process settings, which a reload does not apply.
    pub needs_restart: bool,
}

/// Why a configuration cannot be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file cannot be read, or has errors.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// A certificate authority for backends cannot be read.
    #[error("cannot verify backends over TLS: {0}")]
    Authorities(Box<dyn Error + Send + Sync>),
}

/// Why a reload has changed nothing.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// The configuration is built in, or was read from standard input.
    #[error("there is no configuration file to reload")]
    NoFile,
    /// The configuration cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The reconciler has rejected the update.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// The thread that was loading the configuration has panicked.
    #[error("loading the configuration has failed")]
    Panicked,
}

impl Reloader {
    /// Creates a reloader of this file; without a path, or with `-` for standard input, every
    /// reload is a [`ReloadError::NoFile`]. `serve` has the process settings applied at start.
    #[must_use]
    pub fn new(path: Option<&Path>, serve: Serve, control: Handle) -> Self {
        let path = path.filter(|path| *path != Path::new("-"));
        Self {
            path: path.map(Path::to_owned),
            serve: Arc::new(serve),
            control,
        }
    }

    /// Loads the file on a blocking thread and waits until the reconciler has published it.
    ///
    /// # Errors
    /// If there is no file or it cannot be used; then nothing has changed.
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        let path = self.path.clone().ok_or(ReloadError::NoFile)?;
        let loaded = spawn_blocking(move || load(Some(&path)));
        let mut loaded = loaded.await.map_err(|_| ReloadError::Panicked)??;
        let reloaded = Reloaded {
            routes: loaded.table.routes().len(),
            needs_restart: std::mem::take(&mut loaded.serve) != *self.serve,
        };
        self.control.send(Update::Config(Box::new(loaded))).await?;
        Ok(reloaded)
    }
}

/// Reads and compiles a configuration file, `-` for standard input, or the built-in table without
/// a path.
///
/// # Errors
/// If it cannot be read, has errors, or names a certificate authority that cannot be read.
pub fn load(path: Option<&Path>) -> Result<Loaded, LoadError> {
    let file = ConfigFile::read_or_builtin(path)?;
    let folder = file.folder().to_owned();
    let loaded = file.into_loaded(LoadOptions::FILE)?;
    check_authorities(&loaded, &folder)?;
    Ok(loaded)
}

/// Reads every certificate authority that backends are verified with.
fn check_authorities(loaded: &Loaded, folder: &Path) -> Result<(), LoadError> {
    let configured = loaded.configured.iter();
    let mut files: Vec<_> = configured
        .filter_map(|configured| configured.upstream.tls.ca.as_deref())
        .collect();
    files.sort_unstable();
    files.dedup();
    let mut paths = files.iter().map(|file| resolved(folder, file));
    paths.try_for_each(|path| match trusted_roots(&path) {
        Ok(_) => Ok(()),
        Err(error) => Err(LoadError::Authorities(error.into())),
    })
}
