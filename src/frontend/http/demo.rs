//! The sample services, each backend on a port of its own: what `tollgate serve --demo` forwards to.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::spawn_local;

use crate::config::Loaded;
use crate::engine::routing::version::ApiVersion;
use crate::engine::upstream::backend::Address;
use crate::frontend::http::small::{self, Answerer};
use crate::frontend::stdio::{SampleRequest, SampleUpstream};
use crate::http1::RequestView;
use crate::observe::Counters;
use crate::runtime::cell::SnapshotReader;
use crate::runtime::settings::Settings;
use crate::runtime::worker::{Scratch, Worker};

/// Backends that listen, and whom they play.
#[derive(Debug, Default)]
pub struct Demo {
    backends: Vec<(StdListener, Played)>,
}

/// One backend of the sample.
#[derive(Clone, Debug)]
struct Played {
    service: String,
    version: Option<ApiVersion>,
    name: String,
}

impl Demo {
    /// Has a backend listen on a free port for each address of the configuration, and puts these in
    /// the place of the others.
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
                let played = Played {
                    service: route.service().to_owned(),
                    version: route.version(),
                    name: address.host().to_owned(),
                };
                demo.backends.push((listener, played));
            }
            configured.addresses = addresses.into();
        }
        Ok(demo)
    }

    /// How many backends there are.
    #[must_use]
    pub const fn backends(&self) -> usize {
        self.backends.len()
    }

    /// Has the backends answer, on a thread of their own, until the process ends.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(self, snapshots: &SnapshotReader) -> io::Result<()> {
        let snapshots = snapshots.clone();
        let thread = std::thread::Builder::new().name("demo".into());
        thread.spawn(move || {
            let mut runtime = Builder::new_current_thread();
            let runtime = runtime.enable_all().build_local(LocalOptions::default());
            match runtime {
                Ok(runtime) => runtime.block_on(self.play(snapshots)),
                Err(error) => tracing::error!("cannot start the sample services: {error}"),
            }
        })?;
        Ok(())
    }

    async fn play(self, snapshots: SnapshotReader) {
        let counters = Arc::new(Counters::default());
        let worker = Worker::new(snapshots, Arc::new(Settings::default()), counters, None);
        let worker = Rc::new(worker);
        spawn_local(Rc::clone(&worker).keep_house());
        let sample = Rc::new(SampleUpstream::compiled_in());
        for (listener, played) in self.backends {
            let sample = Rc::clone(&sample);
            let answerer: Rc<Answerer> =
                Rc::new(move |view: RequestView<'_>, scratch: &mut Scratch| {
                    played.answer(&sample, view, scratch)
                });
            match TcpListener::from_std(listener) {
                Ok(listener) => {
                    spawn_local(small::serve(Rc::clone(&worker), listener, answerer));
                }
                Err(error) => tracing::error!("a sample service cannot listen: {error}"),
            }
        }
        std::future::pending().await
    }
}

impl Played {
    fn answer(&self, sample: &SampleUpstream, view: RequestView<'_>, scratch: &mut Scratch) -> u16 {
        let version = self.version.map(|version| version.to_string());
        let target = view.origin_target();
        let request = SampleRequest {
            service: &self.service,
            version: version.as_deref(),
            backend: &self.name,
            method: view.method(),
            path: target.split('?').next().unwrap_or_default(),
        };
        let played = sample.find(&self.service, version.as_deref());
        let mut text = Vec::new();
        sample.respond(played, &request, &mut text);
        let body: String = serde_json::from_slice(&text).unwrap_or_default();
        scratch.body.extend_from_slice(body.as_bytes());
        scratch.edits.set("content-type", b"application/json");
        scratch.edits.set("x-backend", self.name.as_bytes());
        200
    }
}
