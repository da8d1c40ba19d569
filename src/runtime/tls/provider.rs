//! The cryptography: which groups a key is agreed in, and in which order.
//!
//! The suites are those of rustls, all with forward secrecy. The order of the groups is ours. As a
//! server the one that a future quantum computer does not break comes first: it costs only those
//! clients something that offer it. As a client X25519 comes first, for a share of the other is
//! 1,184 bytes and a key more for each connection, within a network of one's own; a backend that
//! insists gets it.

use std::sync::{Arc, LazyLock};

use tokio_rustls::rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use tokio_rustls::rustls::crypto::{CryptoProvider, SupportedKxGroup};

/// For connections that clients make to us.
pub(super) fn serving() -> Arc<CryptoProvider> {
    Arc::clone(&SERVING)
}

/// For connections that we make to backends.
pub(super) fn connecting() -> Arc<CryptoProvider> {
    Arc::clone(&CONNECTING)
}

static SERVING: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    with_groups([
        kx_group::X25519MLKEM768,
        kx_group::X25519,
        kx_group::SECP256R1,
        kx_group::SECP384R1,
    ])
});

static CONNECTING: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    with_groups([
        kx_group::X25519,
        kx_group::SECP256R1,
        kx_group::SECP384R1,
        kx_group::X25519MLKEM768,
    ])
});

fn with_groups(groups: [&'static dyn SupportedKxGroup; 4]) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: groups.into(),
        ..default_provider()
    })
}
