//! Backends: their addresses, and how they are reached.

use std::collections::HashSet;
use std::sync::Arc;

use crate::config::compile::compiler::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::keys::{RawUpstream, RawUpstreamTls};
use crate::config::place::At;
use crate::engine::upstream::{Address, Scheme, Upstream, UpstreamTls};

/// The addresses of a list of backends.
pub(super) fn addresses(compiler: &mut Compiler<'_>, list: &At<Vec<At<String>>>) -> Arc<[Address]> {
    let mut known: HashSet<Address> = HashSet::with_capacity(list.value.len());
    let mut addresses = Vec::with_capacity(list.value.len());
    for text in &list.value {
        match Address::parse(&text.value) {
            Ok(address) if known.contains(&address) => {
                let message = format!("backend `{address}` is listed twice");
                let help = Some("remove one".into());
                compiler.error(text.place, "backend.duplicate", message, help);
            }
            Ok(address) => {
                known.insert(address.clone());
                addresses.push(address);
            }
            Err(error) => {
                compiler.error(text.place, "backend.address", error.to_string(), None);
            }
        }
    }
    addresses.into()
}

/// How the backends with these addresses, as far as they are known, are reached.
pub(super) fn upstream<'a>(
    compiler: &mut Compiler<'_>,
    raw: &RawUpstream,
    addresses: impl Iterator<Item = &'a Address>,
) -> Arc<Upstream> {
    let protocol = raw.protocol.as_ref().map(|at| at.value);
    let mut upstream = Upstream {
        protocol: protocol.unwrap_or_default(),
        max_in_flight: raw.max_in_flight.as_ref().map(|at| at.value),
        ..Upstream::default()
    };
    if let Some(tls) = &raw.tls {
        let mut schemes = addresses.map(Address::scheme).peekable();
        if schemes.peek().is_some() && schemes.all(|scheme| scheme != Scheme::Https) {
            let message = "`tls` applies only to https backends, and there are none here";
            let help = Some("write the backends as https://host:port".into());
            compiler.error(tls.place, CODE, message, help);
        }
        upstream.tls = upstream_tls(compiler, &tls.value);
    }
    Arc::new(upstream)
}

fn upstream_tls(compiler: &mut Compiler<'_>, raw: &RawUpstreamTls) -> UpstreamTls {
    let verify = raw.verify.unwrap_or(true);
    if let (Some(ca), false) = (&raw.ca, verify) {
        let message = "`ca` has no effect with `verify: false`";
        let help = Some("remove one of them".into());
        compiler.error(ca.place, CODE, message, help);
    }
    let ca = raw.ca.as_ref();
    let name = raw.server_name.as_ref();
    UpstreamTls {
        ca: ca.and_then(|file| compiler.file(file)),
        server_name: name.and_then(|name| server_name(compiler, name)),
        verify,
    }
}

fn server_name(compiler: &mut Compiler<'_>, name: &At<String>) -> Option<Box<str>> {
    let host = Address::parse(&name.value);
    let lower = name.value.to_ascii_lowercase();
    if host.is_ok_and(|host| host.host() == lower && !lower.starts_with('[')) {
        return Some(lower.into());
    }
    let message = format!("`{}` is not a host name", excerpt(&name.value));
    let help = Some("write one such as users.internal, without a port".into());
    compiler.error(name.place, CODE, message, help);
    None
}

/// The code of errors in how backends are reached.
pub(super) const CODE: &str = "service.upstream";
