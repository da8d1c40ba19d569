//! The cryptography: which key exchange groups are offered, and in which order.
//!
//! The cipher suites are those of rustls, all with forward secrecy. The order of the groups is ours:
//!
//! - Downstream, the post-quantum hybrid X25519MLKEM768 comes first. It adds 20 to 40 us to the 70 us
//!   of a full handshake (ECDSA P-256), and only for clients that offer it.
//! - Upstream, X25519 comes first: within a private network, the 1,184 extra bytes and the extra key
//!   generation of the hybrid buy little. A backend that requires the hybrid gets it.

use std::sync::{Arc, LazyLock};

use tokio_rustls::rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use tokio_rustls::rustls::crypto::{CryptoProvider, SupportedKxGroup};

/// For downstream connections.
pub(super) fn downstream() -> Arc<CryptoProvider> {
    Arc::clone(&DOWNSTREAM)
}

/// For upstream connections.
pub(super) fn upstream() -> Arc<CryptoProvider> {
    Arc::clone(&UPSTREAM)
}

static DOWNSTREAM: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    with_groups([
        kx_group::X25519MLKEM768,
        kx_group::X25519,
        kx_group::SECP256R1,
        kx_group::SECP384R1,
    ])
});

static UPSTREAM: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
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
