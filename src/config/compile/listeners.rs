//! `listen` and `admin`.

use std::collections::HashMap;
use std::net::Ipv6Addr;

use crate::config::compile::compiler::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::keys::{AlpnWord, RawListener, RawListenerTls, RawRedirectToHttps};
use crate::config::place::{At, Place};
use crate::config::read::{Either, word_of};
use crate::config::serve::{
    Alpn, CertificateFiles, ClientAuth, ListenAddress, Listener, ListenerService, ListenerTls,
};

/// The addresses in use, each with the place that states it.
#[derive(Default)]
pub(super) struct Addresses(HashMap<ListenAddress, Place>);

type RawListen = At<Vec<Either<At<String>, RawListener>>>;

/// The listeners of `listen`.
pub(super) fn listeners(
    compiler: &mut Compiler<'_>,
    listen: &RawListen,
    taken: &mut Addresses,
) -> Vec<Listener> {
    if listen.value.is_empty() {
        let message = "an empty list listens nowhere";
        let help = Some("remove `listen` to listen on 127.0.0.1:8080".into());
        compiler.error(listen.place, "listen.address", message, help);
    }
    let mut listeners = Vec::with_capacity(listen.value.len());
    for raw in &listen.value {
        listeners.extend(match raw {
            Either::First(text) => address(compiler, text, taken).map(|address| Listener {
                address,
                service: ListenerService::Plain,
            }),
            Either::Second(raw) => listener(compiler, raw, taken),
        });
    }
    listeners
}

fn listener(
    compiler: &mut Compiler<'_>,
    raw: &RawListener,
    taken: &mut Addresses,
) -> Option<Listener> {
    let tls = raw.tls.as_ref();
    let tls = tls.and_then(|raw| listener_tls(compiler, &raw.value));
    let redirect = raw.redirect_to_https.as_ref();
    let redirect = redirect.and_then(|raw| Some((redirect_port(&raw.value)?, raw.place)));
    let service = match (tls, redirect) {
        (Some(_), Some((_, place))) => {
            let message = "a listener with `tls` cannot redirect to https";
            let help = Some("redirect on another listener, such as port 80".into());
            compiler.error(place, "listen.tls", message, help);
            return None;
        }
        (Some(tls), None) => ListenerService::Tls(tls),
        (None, Some((port, _))) => ListenerService::RedirectToHttps { port },
        (None, None) => ListenerService::Plain,
    };
    let address = address(compiler, raw.address.as_ref()?, taken)?;
    Some(Listener { address, service })
}

fn redirect_port(raw: &Either<bool, RawRedirectToHttps>) -> Option<u16> {
    match raw {
        Either::First(false) => None,
        Either::First(true) => Some(443),
        Either::Second(raw) => Some(raw.port.unwrap_or(443)),
    }
}

fn listener_tls(compiler: &mut Compiler<'_>, raw: &RawListenerTls) -> Option<ListenerTls> {
    if let (Some(auth), None) = (&raw.client_auth, &raw.client_ca) {
        let message = "`client_auth` needs `client_ca`";
        let help = Some("add client_ca: FILE".into());
        compiler.error(auth.place, "listen.tls", message, help);
    }
    let client_auth = raw.client_ca.as_ref().and_then(|ca| {
        Some(ClientAuth {
            ca: compiler.file(ca)?,
            is_required: raw.client_auth.is_none_or(|auth| auth.value),
        })
    });
    let alpn = alpn(compiler, raw.alpn.as_ref());
    let list = raw.certificates.as_ref()?;
    if list.value.is_empty() {
        let message = "`tls` needs a certificate";
        let help = Some("add one such as {cert: cert.pem, key: key.pem}".into());
        compiler.error(list.place, "listen.tls", message, help);
    }
    let certificates = list.value.iter().filter_map(|raw| {
        let (cert, key) = (raw.cert.as_ref(), raw.key.as_ref());
        let cert = cert.and_then(|file| compiler.file(file));
        let key = key.and_then(|file| compiler.file(file));
        Some(CertificateFiles {
            cert: cert?,
            key: key?,
        })
    });
    Some(ListenerTls {
        certificates: certificates.collect(),
        client_auth,
        min_version: raw.min_version.unwrap_or_default(),
        alpn,
    })
}

fn alpn(compiler: &mut Compiler<'_>, raw: Option<&At<Vec<At<Alpn>>>>) -> Vec<Alpn> {
    let Some(list) = raw else {
        return vec![Alpn::H2, Alpn::Http11];
    };
    if list.value.is_empty() {
        let message = "an empty list offers no protocol";
        let help = Some("remove `alpn` to offer both: [h2, http/1.1]".into());
        compiler.error(list.place, "listen.tls", message, help);
    }
    let mut offered = Vec::new();
    for At { value, place } in &list.value {
        if offered.contains(value) {
            let message = format!("protocol `{}` is listed twice", word_of::<AlpnWord>(value));
            let help = Some("remove one".into());
            compiler.error(*place, "listen.tls", message, help);
        } else {
            offered.push(*value);
        }
    }
    offered
}

/// Parses `host:port` and reports an address that another listener has.
pub(super) fn address(
    compiler: &mut Compiler<'_>,
    text: &At<String>,
    taken: &mut Addresses,
) -> Option<ListenAddress> {
    let Some(address) = parse_address(&text.value) else {
        let shown = excerpt(&text.value);
        let message = format!("`{shown}` is not an address to listen on");
        let port = shown.strip_prefix(':').filter(|port| !port.contains(':'));
        let help = match port {
            Some(port) => format!("write 0.0.0.0:{port} or [::]:{port} for all addresses"),
            None => "write host:port, such as 127.0.0.1:8080 or [::1]:8080".into(),
        };
        compiler.error(text.place, "listen.address", message, Some(help));
        return None;
    };
    // Two listeners may both ask for any free port.
    if address.port != 0
        && let Some(first) = taken.0.insert(address.clone(), text.place)
    {
        let first = compiler.place_in_words(first);
        let message = format!("address `{address}` is already in use ({first})");
        let help = Some("give each listener its own address".into());
        compiler.error(text.place, "listen.duplicate", message, help);
    }
    Some(address)
}

fn parse_address(text: &str) -> Option<ListenAddress> {
    let (host, port) = text.rsplit_once(':')?;
    let is_digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse::<u16>().ok().filter(|_| is_digits)?;
    let host: Box<str> = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(host) => host.parse::<Ipv6Addr>().ok()?.to_string().into(),
        None => {
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            Some(host).filter(|host| !host.is_empty() && host.chars().all(is_name))?;
            host.to_ascii_lowercase().into()
        }
    };
    Some(ListenAddress { host, port })
}
