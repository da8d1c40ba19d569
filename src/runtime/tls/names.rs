//! Which certificate a client gets: the one that has the name that it asks for (SNI, RFC 6066).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

/// The certificates of a listener by the names in them.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// In the order of the configuration.
    all: Vec<Arc<CertifiedKey>>,
    /// By whole name. A certificate may stand beside another of the same name and of another kind.
    exact: HashMap<Box<str>, Vec<Arc<CertifiedKey>>>,
    /// By what follows the `*.`, which stands for one label (RFC 6125, section 6.4.3).
    wildcard: HashMap<Box<str>, Vec<Arc<CertifiedKey>>>,
}

impl Named {
    /// Adds a certificate behind the others. Only subject alternative names count, as everywhere
    /// today; one without is the default or nothing.
    pub(super) fn push(&mut self, certified: CertifiedKey) {
        let certified = Arc::new(certified);
        let end_entity = certified.end_entity_cert().ok();
        let parsed = end_entity.and_then(|der| EndEntityCert::try_from(der).ok());
        for name in parsed.iter().flat_map(|parsed| parsed.valid_dns_names()) {
            let name = name.to_ascii_lowercase();
            let (names, name) = match name.strip_prefix("*.") {
                Some(rest) => (&mut self.wildcard, rest),
                None => (&mut self.exact, &*name),
            };
            let known = names.entry(name.into()).or_default();
            known.push(Arc::clone(&certified));
        }
        self.all.push(certified);
    }

    fn named(&self, name: &str) -> Option<&Vec<Arc<CertifiedKey>>> {
        let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        self.exact.get(&*name).or_else(|| {
            let (_, rest) = name.split_once('.')?;
            self.wildcard.get(rest)
        })
    }
}

impl ResolvesServerCert for Named {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.named(name));
        let candidates = named.unwrap_or(&self.all);
        let schemes = hello.signature_schemes();
        candidates
            .iter()
            .find(|it| it.key.choose_scheme(schemes).is_some())
            .or_else(|| candidates.first())
            .map(Arc::clone)
    }
}
