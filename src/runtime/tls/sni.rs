//! Selection of a listener's certificate by the server name that the client sends (SNI, RFC 6066).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

/// The certificates of a listener, by the names that they hold.
#[derive(Debug, Default)]
pub(super) struct SniResolver {
    /// In the order of the configuration.
    all: Vec<Arc<CertifiedKey>>,
    /// By full name. Certificates with different key types may share a name.
    exact: HashMap<Box<str>, Vec<Arc<CertifiedKey>>>,
    /// By the suffix after `*.`, which stands for one label (RFC 6125, section 6.4.3).
    wildcard: HashMap<Box<str>, Vec<Arc<CertifiedKey>>>,
}

impl SniResolver {
    /// Adds a certificate with a lower preference than those before it. Only subject alternative
    /// names count, as in browsers; a certificate without any can only be the default.
    pub(super) fn push(&mut self, certified: CertifiedKey) {
        let certified = Arc::new(certified);
        let end_entity = certified.end_entity_cert().ok();
        let parsed = end_entity.and_then(|der| EndEntityCert::try_from(der).ok());
        for name in parsed.iter().flat_map(|parsed| parsed.valid_dns_names()) {
            let name = name.to_ascii_lowercase();
            let (names, name) = match name.strip_prefix("*.") {
                Some(suffix) => (&mut self.wildcard, suffix),
                None => (&mut self.exact, &*name),
            };
            let sharing = names.entry(name.into()).or_default();
            sharing.push(Arc::clone(&certified));
        }
        self.all.push(certified);
    }

    fn find(&self, name: &str) -> Option<&Vec<Arc<CertifiedKey>>> {
        let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        self.exact.get(&*name).or_else(|| {
            let (_, suffix) = name.split_once('.')?;
            self.wildcard.get(suffix)
        })
    }
}

impl ResolvesServerCert for SniResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let matching = hello.server_name().and_then(|name| self.find(name));
        let candidates = matching.unwrap_or(&self.all);
        let schemes = hello.signature_schemes();
        candidates
            .iter()
            .find(|it| it.key.choose_scheme(schemes).is_some())
            .or_else(|| candidates.first())
            .map(Arc::clone)
    }
}
