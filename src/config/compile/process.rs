//! The settings of the process.

use std::net::IpAddr;
use std::num::NonZeroU16;

use ipnet::IpNet;

use crate::config::compile::compiler::Compiler;
use crate::config::compile::listeners::{Addresses, address, listeners};
use crate::config::diagnostic::excerpt;
use crate::config::keys::{RawAccessLog, RawLimits, RawProcess};
use crate::config::place::At;
use crate::config::read::Either;
use crate::config::serve::{AccessLog, Limits, LogTarget, Serve};
use crate::engine::routing::Method;
use crate::engine::semantics::BudgetRule;

/// The settings of the process; a key that is absent or wrong has its default.
pub(super) fn serve(compiler: &mut Compiler<'_>, raw: Option<&RawProcess>) -> Serve {
    let default = Serve::default();
    let Some(raw) = raw else { return default };
    let mut taken = Addresses::default();
    let listen = raw.listen.as_ref();
    let admin = raw.admin.as_ref();
    let proxies = raw.trusted_proxies.iter().flat_map(|list| &list.value);
    Serve {
        listeners: listen.map_or(default.listeners, |listen| {
            listeners(compiler, listen, &mut taken)
        }),
        admin: admin.and_then(|text| address(compiler, text, &mut taken)),
        workers: raw.workers.and_then(NonZeroU16::new),
        trusted_proxies: proxies.filter_map(|text| network(compiler, text)).collect(),
        access_log: raw
            .access_log
            .as_ref()
            .map(|raw| access_log(compiler, raw))
            .unwrap_or_default(),
        drain_timeout: raw.drain_timeout.unwrap_or(default.drain_timeout),
        limits: raw.limits.as_ref().map(limits).unwrap_or_default(),
        via: raw
            .via
            .as_ref()
            .and_then(|text| token(compiler, text))
            .unwrap_or(default.via),
    }
}

fn network(compiler: &mut Compiler<'_>, text: &At<String>) -> Option<IpNet> {
    let one = text.value.parse::<IpAddr>().map(IpNet::from);
    let network = one.ok().or_else(|| text.value.parse::<IpNet>().ok());
    if network.is_none() {
        let message = format!("`{}` is not an IP address or network", excerpt(&text.value));
        let help = Some("write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8".into());
        compiler.error(text.place, "config.value", message, help);
    }
    network.map(|network| network.trunc())
}

fn access_log(compiler: &mut Compiler<'_>, raw: &Either<At<String>, RawAccessLog>) -> AccessLog {
    let (to, format) = match raw {
        Either::First(to) => (Some(to), None),
        Either::Second(raw) => (raw.to.as_ref(), raw.format),
    };
    let to = to.and_then(|to| match to.value.as_str() {
        "none" => None,
        "stdout" => Some(LogTarget::Stdout),
        "stderr" => Some(LogTarget::Stderr),
        _ => compiler.file(to).map(LogTarget::File),
    });
    AccessLog {
        to: to.unwrap_or_default(),
        format: format.unwrap_or_default(),
    }
}

fn limits(raw: &RawLimits) -> Limits {
    let default = Limits::default();
    Limits {
        header_bytes: raw.header_bytes.unwrap_or(default.header_bytes),
        header_fields: raw.header_fields.unwrap_or(default.header_fields),
        uri_bytes: raw.uri_bytes.unwrap_or(default.uri_bytes),
        connections: raw.connections.unwrap_or(default.connections),
        streams: raw.streams.unwrap_or(default.streams),
        in_flight_per_backend: raw
            .in_flight_per_backend
            .unwrap_or(default.in_flight_per_backend),
        retries: BudgetRule {
            percent: raw.retry_percent.unwrap_or(default.retries.percent),
            per_second: raw.retries_per_second.unwrap_or(default.retries.per_second),
        },
        header_timeout: raw.header_timeout.unwrap_or(default.header_timeout),
        idle_timeout: raw.idle_timeout.unwrap_or(default.idle_timeout),
    }
}

fn token(compiler: &mut Compiler<'_>, text: &At<String>) -> Option<Box<str>> {
    if Method::parse(&text.value).is_ok() {
        return Some(text.value.as_str().into());
    }
    let message = format!("`{}` is not a token", excerpt(&text.value));
    let help = Some("write a name such as tollgate: letters, digits, `-`, `_`, `.`".into());
    compiler.error(text.place, "config.value", message, help);
    None
}
