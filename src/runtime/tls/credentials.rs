//! Certificates, private keys and trusted authorities, read from PEM files (RFC 7468).

use std::path::Path;
use std::sync::{Arc, OnceLock};

use memchr::memmem;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::runtime::tls::error::TlsError;

/// All certificates of a file; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| malformed(path, &error))?;
    if found.is_empty() {
        return Err(missing(path, "certificate", "CERTIFICATE", &text));
    }
    Ok(found)
}

/// The first private key of a file.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    if ENCRYPTED
        .iter()
        .any(|mark| memmem::find(&text, mark).is_some())
    {
        return Err(TlsError::EncryptedKey { path: path.into() });
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        if matches!(error, pem::Error::NoItemsFound) {
            missing(path, "private key", "PRIVATE KEY", &text)
        } else {
            malformed(path, &error)
        }
    })
}

/// The certificate authorities in a file.
///
/// # Errors
/// If the file cannot be read or holds something that is not a certificate authority.
pub(crate) fn trusted_roots(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::Malformed {
                path: path.into(),
                why: error.to_string(),
            })?;
    }
    Ok(Arc::new(roots))
}

/// The certificate authorities of the operating system, read once per process. The first call reads
/// files and takes some milliseconds.
pub(super) fn system_roots() -> Result<Arc<RootCertStore>, TlsError> {
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

/// The end of a certificate's validity in seconds since 1970 (RFC 5280, section 4.1.2.5); `None` if
/// the certificate cannot be parsed.
pub(super) fn not_after(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let text = std::fs::read(path).map_err(|error| TlsError::Unreadable {
        path: path.into(),
        error,
    })?;
    if text.trim_ascii().is_empty() {
        return Err(TlsError::Empty { path: path.into() });
    }
    Ok(text)
}

fn malformed(path: &Path, error: &pem::Error) -> TlsError {
    TlsError::Malformed {
        path: path.into(),
        why: format!("invalid PEM ({error})"),
    }
}

fn missing(path: &Path, what: &'static str, label: &'static str, text: &[u8]) -> TlsError {
    TlsError::MissingItem {
        path: path.into(),
        what,
        label,
        // DER starts with a sequence whose length takes two bytes.
        is_der: text.starts_with(&[0x30, 0x82]),
    }
}

/// What marks an encrypted key: PKCS #8, and the older format of OpenSSL.
const ENCRYPTED: [&[u8]; 2] = [
    b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
    b"Proc-Type: 4,ENCRYPTED",
];

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_of_a_certificate() {
        let key = KeyPair::generate().unwrap();
        // A year before 2050 is written as UTCTime, a later one as GeneralizedTime.
        for (year, expected) in [
            (1970, 0),
            (2024, 1_704_067_200),
            (2050, 2_524_608_000),
            (2060, 2_840_140_800),
        ] {
            let mut params = CertificateParams::new(["a.example".into()]).unwrap();
            params.not_after = date_time_ymd(year, 1, 1);
            let der = params.self_signed(&key).unwrap();
            assert_eq!(not_after(der.der()), Some(expected), "{year}");
            for length in 0..der.der().len() {
                assert_eq!(not_after(&der.der()[..length]), None, "{length}");
            }
        }
    }
}
