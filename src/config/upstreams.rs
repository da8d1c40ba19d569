//! How backends are spoken to, given a meaning.

use std::sync::Arc;

use crate::config::compile::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::process::MAX_IN_FLIGHT;
use crate::config::raw::policy::{RawUpstream, RawUpstreamTls};
use crate::engine::upstream::backend::{Address, Scheme};
use crate::engine::upstream::{Protocol, Upstream, UpstreamTls};

/// What is said of the backends at these addresses, those known so far.
pub(super) fn upstream<'a>(
    compiler: &mut Compiler<'_>,
    raw: &RawUpstream,
    addresses: impl Iterator<Item = &'a Address>,
) -> Arc<Upstream> {
    let mut upstream = Upstream::default();
    const PROTOCOLS: [(&str, Protocol); 2] = [("h1", Protocol::H1), ("h2", Protocol::H2)];
    if let Some(word) = &raw.protocol {
        upstream.protocol = compiler.choose(word, &PROTOCOLS).unwrap_or_default();
    }
    if let Some(text) = &raw.max_in_flight {
        upstream.max_in_flight = compiler.count(text, 1..=MAX_IN_FLIGHT);
    }
    if let Some(tls) = &raw.tls {
        let mut schemes = addresses.map(Address::scheme).peekable();
        if schemes.peek().is_some() && schemes.all(|scheme| scheme != Scheme::Https) {
            let message = "`tls` is for https, and no backend here speaks it".into();
            let help = Some("write the backends as https://host:port".into());
            compiler.fault(tls.place, CODE, message, help);
        }
        upstream.tls = upstream_tls(compiler, &tls.value);
    }
    Arc::new(upstream)
}

fn upstream_tls(compiler: &mut Compiler<'_>, raw: &RawUpstreamTls) -> UpstreamTls {
    let verify = raw.verify.as_ref().is_none_or(|at| at.value);
    if let (Some(ca), false) = (&raw.ca, verify) {
        let message = "`ca` has no use where nothing is verified".into();
        let help = Some("leave `verify: false` out, or `ca`".into());
        compiler.fault(ca.place, CODE, message, help);
    }
    let ca = raw.ca.as_ref();
    let name = raw.server_name.as_ref();
    UpstreamTls {
        ca: ca.and_then(|file| compiler.file(file)),
        server_name: name.and_then(|name| {
            let host = Address::parse(&name.value);
            let lower = name.value.to_ascii_lowercase();
            if host.is_ok_and(|host| host.host() == lower && !lower.starts_with('[')) {
                return Some(lower.into());
            }
            let message = format!("`{}` is no name of a host", excerpt(&name.value));
            let help = Some("write one such as users.internal, without a port".into());
            compiler.fault(name.place, CODE, message, help);
            None
        }),
        verify,
    }
}

pub(super) const CODE: &str = "service.upstream";
