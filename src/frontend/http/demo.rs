//! The sample services behind `tollgate serve --demo`, each backend on its own port.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::spawn_local;

use crate::config::Loaded;
use crate::engine::routing::ApiVersion;
use crate::engine::upstream::Address;
use crate::frontend::http::responder::{self, Responder};
use crate::frontend::stdio::{SampleRequest, SampleUpstream};
use crate::http1::RequestView;
use crate::observe::Counters;
use crate::runtime::cell::SnapshotReader;
use crate::runtime::{Scratch, Settings, Worker};

/// Listening backends, and the backends that they stand for.
#[derive(Debug, Default)]
pub struct Demo {
    backends: Vec<(StdListener, SampleBackend)>,
}

/// One backend of the sample.
#[derive(Clone, Debug)]
struct SampleBackend {
    service: String,
    version: Option<ApiVersion>,
    name: String,
}

impl Demo {
    /// Binds a free port for each address of the configuration, and replaces the addresses by it.
    ///
    /// # Errors
    /// If no port is free.
    pub fn bind(loaded: &mut Loaded) -> io::Result<Self> {
        let mut demo = Self::default();
        let mut known: HashMap<Address, Address> = HashMap::new();
        for (route, configured) in loaded.table.routes().iter().zip(&mut loaded.configured) {
            let mut addresses = Vec::new();
            for address in &*configured.addresses {
                if let Some(bound) = known.get(address) {
                    addresses.push(bound.clone());
                    continue;
                }
                let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                listener.set_nonblocking(true)?;
                let bound = Address::parse(&listener.local_addr()?.to_string());
                let bound = bound.map_err(io::Error::other)?;
                known.insert(address.clone(), bound.clone());
                addresses.push(bound);
                let backend = SampleBackend {
                    service: route.service().to_owned(),
                    version: route.version(),
                    name: address.host().to_owned(),
                };
                demo.backends.push((listener, backend));
            }
            configured.addresses = addresses.into();
        }
        Ok(demo)
    }

    /// The number of backends.
    #[must_use]
    pub const fn backends(&self) -> usize {
        self.backends.len()
    }

    /// Serves the backends on a thread of their own until the process ends.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(self, snapshots: &SnapshotReader) -> io::Result<()> {
        let snapshots = snapshots.clone();
        let thread = std::thread::Builder::new().name("demo".into());
        thread.spawn(move || {
            let mut runtime = Builder::new_current_thread();
            let runtime = runtime.enable_all().build_local(LocalOptions::default());
            match runtime {
                Ok(runtime) => runtime.block_on(self.serve(snapshots)),
                Err(error) => tracing::error!("cannot start the sample services: {error}"),
            }
        })?;
        Ok(())
    }

    async fn serve(self, snapshots: SnapshotReader) {
        let counters = Arc::new(Counters::default());
        let worker = Worker::new(snapshots, Arc::new(Settings::default()), counters, None);
        let worker = Rc::new(worker);
        spawn_local(Rc::clone(&worker).maintain());
        let sample = Rc::new(SampleUpstream::compiled_in());
        for (listener, backend) in self.backends {
            let sample = Rc::clone(&sample);
            let responder: Rc<Responder> =
                Rc::new(move |view: RequestView<'_>, scratch: &mut Scratch| {
                    backend.respond(&sample, view, scratch)
                });
            match TcpListener::from_std(listener) {
                Ok(listener) => {
                    spawn_local(responder::serve(Rc::clone(&worker), listener, responder));
                }
                Err(error) => tracing::error!("a sample service cannot listen: {error}"),
            }
        }
        std::future::pending().await
    }
}

impl SampleBackend {
    fn respond(
        &self,
        sample: &SampleUpstream,
        view: RequestView<'_>,
        scratch: &mut Scratch,
    ) -> u16 {
        let version = self.version.map(|version| version.to_string());
        let target = view.origin_target();
        let request = SampleRequest {
            service: &self.service,
            version: version.as_deref(),
            backend: &self.name,
            method: view.method(),
            path: target.split('?').next().unwrap_or_default(),
        };
        let backend = sample.find(&self.service, version.as_deref());
        let mut text = Vec::new();
        sample.respond(backend, &request, &mut text);
        let body: String = serde_json::from_slice(&text).unwrap_or_default();
        scratch.body.extend_from_slice(body.as_bytes());
        scratch.edits.set("content-type", b"application/json");
        scratch.edits.set("x-backend", self.name.as_bytes());
        200
    }
}
