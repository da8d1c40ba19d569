//! The authorities that are believed.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokio_rustls::rustls::RootCertStore;

use crate::runtime::tls::error::TlsError;
use crate::runtime::tls::pem;

/// Those of the system, read once a process. It takes some milliseconds and reads files.
pub(super) fn of_system() -> Result<Arc<RootCertStore>, TlsError> {
    static ROOTS: OnceLock<Result<Arc<RootCertStore>, String>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let _ = roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first();
            return Err(why.map(|why| format!(": {why}")).unwrap_or_default());
        }
        Ok(Arc::new(roots))
    });
    roots.clone().map_err(|why| TlsError::NoRoots { why })
}

/// Those in a file, in PEM.
///
/// # Errors
/// If it cannot be read, or what is in it is none.
pub fn of_file(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(path)? {
        roots
            .add(certificate)
            .map_err(|fault| TlsError::Malformed {
                path: path.into(),
                why: fault.to_string(),
            })?;
    }
    Ok(Arc::new(roots))
}
