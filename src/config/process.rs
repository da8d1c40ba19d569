//! What a configuration says of the process, given a meaning.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU16;

use ipnet::IpNet;

use crate::config::compile::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::document::Place;
use crate::config::quantity::{NONE, UP_TO_A_DAY, UP_TO_A_DAY_OR_NONE};
use crate::config::raw::At;
use crate::config::raw::serve::{
    RawAccessLog, RawLimits, RawListener, RawRedirectToHttps, RawServe, RawTls,
};
use crate::config::serve::{
    AccessLog, Alpn, CertificateFiles, ClientAuth, Limits, ListenAddress, Listener,
    ListenerService, ListenerTls, LogFormat, LogTarget, Serve, TlsVersion,
};
use crate::engine::routing::method::Method;

/// What the process is to do; what is wrong is told, and has its default.
pub(super) fn serve(compiler: &mut Compiler<'_>, raw: &RawServe) -> Serve {
    let mut serve = Serve::default();
    let mut taken: HashMap<ListenAddress, Place> = HashMap::new();
    if let Some(listen) = &raw.listen {
        if listen.value.is_empty() {
            let help = Some("leave `listen` out, and it is 127.0.0.1:8080".into());
            let message = "an empty list listens nowhere".into();
            compiler.fault(listen.place, "listen.address", message, help);
        }
        let listeners = listen.value.iter();
        serve.listeners = listeners
            .filter_map(|raw| listener(compiler, raw, &mut taken))
            .collect();
    }
    serve.admin = raw
        .admin
        .as_ref()
        .and_then(|text| address(compiler, text, &mut taken));
    if let Some(workers) = &raw.workers {
        serve.workers = compiler.count(workers, 1..=256).and_then(NonZeroU16::new);
    }
    let proxies = raw.trusted_proxies.iter();
    serve.trusted_proxies = proxies.filter_map(|text| network(compiler, text)).collect();
    if let Some(raw) = &raw.access_log {
        serve.access_log = access_log(compiler, raw);
    }
    let drain = raw.drain_timeout.as_ref();
    compiler.set_duration(&mut serve.drain_timeout, drain, UP_TO_A_DAY_OR_NONE);
    set_limits(compiler, &mut serve.limits, &raw.limits);
    if let Some(via) = &raw.via {
        if Method::parse(&via.value).is_ok() {
            serve.via = via.value.as_str().into();
        } else {
            let message = format!("`{}` is no token", excerpt(&via.value));
            let help = "write a name such as tollgate: letters, digits, `-`, `_`, `.`".into();
            compiler.fault(via.place, "config.value", message, Some(help));
        }
    }
    serve
}

fn listener(
    compiler: &mut Compiler<'_>,
    raw: &RawListener,
    taken: &mut HashMap<ListenAddress, Place>,
) -> Option<Listener> {
    let tls = raw.tls.as_ref();
    let tls = tls.and_then(|raw| Some((listener_tls(compiler, &raw.value)?, raw.place)));
    let redirect = raw.redirect_to_https.as_ref().and_then(|redirect| {
        let port = match &redirect.value {
            RawRedirectToHttps::Is(false) => return None,
            RawRedirectToHttps::Is(true) | RawRedirectToHttps::Port(None) => 443,
            RawRedirectToHttps::Port(Some(port)) => compiler.count(port, 1..=u16::MAX)?,
        };
        Some((port, redirect.place))
    });
    let service = match (tls, redirect) {
        (Some(_), Some((_, place))) => {
            let message = "a listener with `tls` cannot redirect to https as well".into();
            let help = "redirect on a listener of its own, such as port 80".into();
            compiler.fault(place, "listen.tls", message, Some(help));
            return None;
        }
        (Some((tls, _)), None) => ListenerService::Tls(tls),
        (None, Some((port, _))) => ListenerService::RedirectToHttps { port },
        (None, None) => ListenerService::Plain,
    };
    let address = address(compiler, raw.address.as_ref()?, taken)?;
    Some(Listener { address, service })
}

fn listener_tls(compiler: &mut Compiler<'_>, raw: &RawTls) -> Option<ListenerTls> {
    let auth = raw.client_auth.as_ref();
    let is_required =
        auth.and_then(|word| compiler.choose(word, &[("required", true), ("optional", false)]));
    if let (Some(auth), None) = (auth, &raw.client_ca) {
        let message = "`client_auth` needs the `client_ca` that certificates are held against";
        let help = Some("write client_ca: FILE beside it".into());
        compiler.fault(auth.place, "listen.tls", message.into(), help);
    }
    const VERSIONS: [(&str, TlsVersion); 2] = [("1.2", TlsVersion::V12), ("1.3", TlsVersion::V13)];
    let oldest = raw.min_version.as_ref();
    let oldest = oldest.and_then(|word| compiler.choose(word, &VERSIONS));
    let alpn = alpn(compiler, raw.alpn.as_ref());
    let client_auth = raw.client_ca.as_ref().and_then(|ca| {
        Some(ClientAuth {
            ca: compiler.file(ca)?,
            is_required: is_required.unwrap_or(true),
        })
    });
    let list = raw.certificates.as_ref()?;
    if list.value.is_empty() {
        let message = "TLS needs a certificate".into();
        let help = Some("write one such as {cert: cert.pem, key: key.pem}".into());
        compiler.fault(list.place, "listen.tls", message, help);
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
        min_version: oldest.unwrap_or_default(),
        alpn,
    })
}

fn alpn(compiler: &mut Compiler<'_>, raw: Option<&At<Vec<At<String>>>>) -> Vec<Alpn> {
    const KNOWN: [(&str, Alpn); 2] = [("h2", Alpn::H2), ("http/1.1", Alpn::Http11)];
    let Some(list) = raw else {
        return KNOWN.map(|(_, protocol)| protocol).to_vec();
    };
    if list.value.is_empty() {
        let message = "an empty list offers no protocol".into();
        let help = Some("leave `alpn` out for both: [h2, http/1.1]".into());
        compiler.fault(list.place, "listen.tls", message, help);
    }
    let mut offered = Vec::new();
    for word in &list.value {
        match compiler.choose(word, &KNOWN) {
            Some(protocol) if offered.contains(&protocol) => {
                let message = format!("`{}` stands there twice", word.value);
                compiler.fault(word.place, "listen.tls", message, None);
            }
            found => offered.extend(found),
        }
    }
    offered
}

/// `host:port`, where nothing else listens.
fn address(
    compiler: &mut Compiler<'_>,
    text: &At<String>,
    taken: &mut HashMap<ListenAddress, Place>,
) -> Option<ListenAddress> {
    let Some(address) = parse_address(&text.value) else {
        let shown = excerpt(&text.value);
        let message = format!("`{shown}` is no address to listen on");
        let port = shown.strip_prefix(':').filter(|port| !port.contains(':'));
        let help = match port {
            Some(port) => format!("write 0.0.0.0:{port} or [::]:{port} for all addresses"),
            None => "write host:port, such as 127.0.0.1:8080 or [::1]:8080".into(),
        };
        compiler.fault(text.place, "listen.address", message, Some(help));
        return None;
    };
    // Two that want any free port do not collide.
    if address.port != 0
        && let Some(first) = taken.insert(address.clone(), text.place)
    {
        let first = compiler.place_words(first);
        let message = format!("{address} is taken already ({first})");
        let help = Some("give each listener an address of its own".into());
        compiler.fault(text.place, "listen.duplicate", message, help);
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

fn network(compiler: &mut Compiler<'_>, text: &At<String>) -> Option<IpNet> {
    let one = text.value.parse::<IpAddr>().map(IpNet::from);
    let network = one.ok().or_else(|| text.value.parse::<IpNet>().ok());
    if network.is_none() {
        let message = format!("`{}` is no IP address or network", excerpt(&text.value));
        let help = Some("write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8".into());
        compiler.fault(text.place, "config.value", message, help);
    }
    network.map(|network| network.trunc())
}

fn access_log(compiler: &mut Compiler<'_>, raw: &RawAccessLog) -> AccessLog {
    let to = raw.to.as_ref().and_then(|to| match to.value.as_str() {
        NONE => None,
        "stdout" => Some(LogTarget::Stdout),
        "stderr" => Some(LogTarget::Stderr),
        _ => compiler.file(to).map(LogTarget::File),
    });
    const FORMATS: [(&str, LogFormat); 2] =
        [("json", LogFormat::Json), ("combined", LogFormat::Combined)];
    let format = raw.format.as_ref();
    let format = format.and_then(|word| compiler.choose(word, &FORMATS));
    AccessLog {
        to: to.unwrap_or_default(),
        format: format.unwrap_or_default(),
    }
}

fn set_limits(compiler: &mut Compiler<'_>, limits: &mut Limits, raw: &RawLimits) {
    let mut size = |place: &mut usize, text: Option<&At<String>>, least: u64| {
        let size = text.and_then(|text| compiler.size(text, least..=MAX_HEADER_BYTES));
        if let Some(size) = size.and_then(|size| usize::try_from(size).ok()) {
            *place = size;
        }
    };
    size(&mut limits.header_bytes, raw.header_bytes.as_ref(), 1 << 10);
    size(&mut limits.uri_bytes, raw.uri_bytes.as_ref(), 256);
    if let Some(text) = &raw.header_fields {
        let count = compiler.count(text, 8..=4_096);
        limits.header_fields = count.unwrap_or(limits.header_fields);
    }
    if let Some(text) = &raw.connections {
        let count = compiler.count(text, 1..=1_000_000);
        limits.connections = count.unwrap_or(limits.connections);
    }
    if let Some(text) = &raw.streams {
        limits.streams = compiler.count(text, 1..=10_000).unwrap_or(limits.streams);
    }
    if let Some(text) = &raw.in_flight_per_backend {
        let count = compiler.count(text, 1..=MAX_IN_FLIGHT);
        limits.in_flight_per_backend = count.unwrap_or(limits.in_flight_per_backend);
    }
    if let Some(text) = &raw.retry_percent {
        let percent = compiler.count(text, 0..=100);
        limits.retries.percent = percent.unwrap_or(limits.retries.percent);
    }
    if let Some(text) = &raw.retries_per_second {
        let count = compiler.count(text, 0..=100_000);
        limits.retries.per_second = count.unwrap_or(limits.retries.per_second);
    }
    let header = raw.header_timeout.as_ref();
    compiler.set_duration(&mut limits.header_timeout, header, UP_TO_A_DAY);
    let idle = raw.idle_timeout.as_ref();
    compiler.set_duration(&mut limits.idle_timeout, idle, UP_TO_A_DAY);
}

impl Compiler<'_> {
    /// The name of a file, as it was written.
    pub(super) fn file(&mut self, name: &At<String>) -> Option<Box<str>> {
        if name.value.is_empty() || name.value.chars().any(char::is_control) {
            let message = "the name of a file is a line of text".into();
            self.fault(name.place, "config.value", message, None);
            return None;
        }
        Some(name.value.as_str().into())
    }

    /// Where something stands, in words: `line 3`.
    pub(super) fn place_words(&self, place: Place) -> String {
        let position = self.doc.position(place);
        position.map_or_else(
            || self.doc.at(place),
            |found| format!("line {}", found.line),
        )
    }
}

/// The most that a header, or the target in it, may be allowed.
const MAX_HEADER_BYTES: u64 = 1 << 20;
/// The most requests in flight that may be allowed to one backend.
pub(super) const MAX_IN_FLIGHT: u32 = 1_000_000;
