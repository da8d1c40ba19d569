//! A gateway with one route, in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tollgate::config::serve::{Alpn, TlsVersion};
use tollgate::config::{LoadOptions, load_file};
use tollgate::control::Reconciler;
use tollgate::engine::upstream::{Upstream, UpstreamTls};
use tollgate::frontend::http::listener::{Listener, ListenerService};
use tollgate::frontend::http::server::{Server, StartError};
use tollgate::observe::Totals;
use tollgate::runtime::Settings;
use tollgate::runtime::tls::{CertificateFiles, TlsFiles};

use crate::backend;

pub(crate) struct Running(Option<Server>);

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.as_ref().unwrap().addresses()[0]
    }

    pub(crate) fn totals(&self) -> Totals {
        self.0.as_ref().unwrap().totals()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(server) = self.0.take() {
            server.drain();
            server.join();
        }
    }
}

/// A listener with these certificates and without client authentication.
pub(crate) fn files(certificates: Vec<CertificateFiles>) -> TlsFiles {
    TlsFiles {
        certificates,
        client_auth: None,
        min_version: TlsVersion::V12,
        alpn: vec![Alpn::Http11],
    }
}

/// A gateway with a listener over TLS, and a backend in plain text.
pub(crate) fn over_tls(files: TlsFiles) -> Running {
    start(ListenerService::Tls(files), Settings::default()).unwrap()
}

/// A gateway with one listener, two workers, and a backend in plain text.
pub(crate) fn start(service: ListenerService, settings: Settings) -> Result<Running, StartError> {
    let backend = backend::in_plain_text().to_string();
    launch(
        service,
        settings,
        &[("/*", &backend, UpstreamTls::default())],
    )
}

/// A gateway in plain text, with one route for each path, backend and TLS setting.
pub(crate) fn to_backends(routes: &[(&str, &str, UpstreamTls)]) -> Running {
    launch(ListenerService::Plain, Settings::default(), routes).unwrap()
}

fn launch(
    service: ListenerService,
    settings: Settings,
    routes: &[(&str, &str, UpstreamTls)],
) -> Result<Running, StartError> {
    let mut text = "routes:\n".to_owned();
    for (at, (pattern, backend, _)) in routes.iter().enumerate() {
        text += &format!(
            "  - {{path_pattern: \"{pattern}\", service: s{at}, backends: [\"{backend}\"]}}\n"
        );
    }
    let mut loaded = load_file(&text, LoadOptions::FILE).unwrap();
    for (configured, (_, _, tls)) in loaded.configured.iter_mut().zip(routes) {
        configured.upstream = Arc::new(Upstream {
            tls: tls.clone(),
            ..Upstream::default()
        });
    }
    let reconciler = Reconciler::new(loaded, 10);
    let settings = Settings {
        drain_timeout: Duration::from_secs(1),
        ..settings
    };
    let listener = Listener {
        address: (Ipv4Addr::LOCALHOST, 0).into(),
        service,
    };
    let server = Server::start(
        &reconciler.reader(),
        &Arc::new(settings),
        &[listener],
        2,
        None,
    )?;
    Ok(Running(Some(server)))
}
