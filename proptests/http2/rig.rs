//! A gateway and its backends in this process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tollgate::config::{LoadOptions, load_json};
use tollgate::control::Reconciler;
use tollgate::engine::upstream::Protocol;
use tollgate::frontend::http::listener::{Listener, ListenerService};
use tollgate::frontend::http::server::Server;
use tollgate::observe::Totals;
use tollgate::runtime::Settings;

/// A running gateway.
pub(crate) struct Rig {
    server: Option<Server>,
    pub(crate) address: SocketAddr,
}

impl Rig {
    /// Starts one worker with these backends of one service.
    pub(crate) fn new(protocol: Protocol, backends: &[SocketAddr]) -> Self {
        Self::with(protocol, backends, |_| {})
    }

    pub(crate) fn with(
        protocol: Protocol,
        backends: &[SocketAddr],
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let backends: Vec<String> = backends.iter().map(ToString::to_string).collect();
        Self::serving(ListenerService::Plain, protocol, &backends, change)
    }

    pub(crate) fn serving(
        service: ListenerService,
        protocol: Protocol,
        backends: &[String],
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::routed(service, protocol, backends, &serde_json::json!({}), change)
    }

    /// Like [`Self::serving`], with more keys of the route.
    pub(crate) fn routed(
        service: ListenerService,
        protocol: Protocol,
        backends: &[String],
        keys: &serde_json::Value,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut route =
            serde_json::json!({"path_pattern": "/*", "service": "all", "backends": backends});
        for (key, value) in keys.as_object().unwrap() {
            route[key] = value.clone();
        }
        let mut upstream = serde_json::json!({"protocol": match protocol {
            Protocol::H1 => "h1",
            Protocol::H2 => "h2",
        }});
        if backends.iter().any(|backend| backend.starts_with("https")) {
            upstream["tls"] = serde_json::json!({"verify": false});
        }
        let table = serde_json::json!({
            "routes": [route],
            "services": {"all": upstream},
        });
        let loaded = load_json(&table.to_string(), LoadOptions::INIT)
            .unwrap_or_else(|diagnostics| panic!("{diagnostics:?}"));
        let reconciler = Reconciler::new(loaded, Reconciler::DEFAULT_MAX_REGISTRATIONS);
        let mut settings = Settings::default();
        change(&mut settings);
        let listen = [Listener {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            service,
        }];
        let settings = Arc::new(settings);
        let server = Server::start(&reconciler.reader(), &settings, &listen, 1, None).unwrap();
        Self {
            address: server.addresses()[0],
            server: Some(server),
        }
    }

    pub(crate) fn drain(&self) {
        self.server.as_ref().unwrap().drain();
    }

    pub(crate) fn totals(&self) -> Totals {
        self.server.as_ref().unwrap().totals()
    }

    /// Waits until the workers have finished; the gateway must be draining.
    pub(crate) async fn join(mut self) -> Totals {
        let server = self.server.take().unwrap();
        let joined = tokio::task::spawn_blocking(move || server.join());
        within(joined).await.unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.drain();
        }
    }
}

/// Awaits a future, for at most 20 seconds.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    let soon = Duration::from_secs(20);
    tokio::time::timeout(soon, future)
        .await
        .expect("it completes in time")
}

/// Yields until `holds` returns true, for at most 20 seconds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "a bound for a test that hangs")]
    let started_at = Instant::now();
    while !holds() {
        assert!(
            started_at.elapsed() < Duration::from_secs(20),
            "timed out: {what}"
        );
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
}
