//! The side of the forwarding thread: requests through the proxy, and their responses as lines.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Instant;

use http::HeaderMap;
use serde_json::{Map, Value};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinSet, spawn_local};

use crate::control::Reconciler;
use crate::engine::policy::Deprecation;
use crate::engine::semantics::GatewayError;
use crate::frontend::stdio::forward::forwarder::Forwarder;
use crate::frontend::stdio::forward::job::Job;
use crate::frontend::stdio::forward::limit::Limit;
use crate::frontend::stdio::forward::output::SharedOutput;
use crate::frontend::stdio::message_loop::{self, Options};
use crate::frontend::stdio::reply::{Body, Details, Extras, ForwardedReply, LocalError, Reply};
use crate::frontend::stdio::session::Session;
use crate::runtime::body::CollectedBody;
use crate::runtime::proxy::{
    Downstream, ExchangeContext, MemoryDownstream, MemoryResponse, PickEvent, PickReporter,
    RequestHead, Routed, exchange,
};
use crate::runtime::{Settings, Worker};

/// How requests are forwarded.
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// Process-wide limits and timeouts.
    pub settings: Arc<Settings>,
    /// How many requests may be in flight. While there are as many, nothing is read.
    pub concurrency: NonZeroUsize,
    /// The maximum size of a response body in bytes.
    pub max_body_bytes: usize,
}

/// Processes every value of `input` and writes the replies to `output` until the input ends and every
/// request has its response.
///
/// It returns as soon as the output is closed; the reading thread then ends with its next read.
///
/// # Errors
/// If reading or writing fails, or the system provides no thread. A closed output is an error of the
/// kind `BrokenPipe`.
pub fn serve(
    mut reconciler: Reconciler,
    options: Options,
    forwarding: Forwarding,
    clock: fn() -> Instant,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> io::Result<()> {
    let output = SharedOutput::new(output);
    let (jobs, queue) = unbounded_channel();
    let (events, picks) = channel();
    let limit = Arc::new(Limit::new(forwarding.concurrency));
    let forwarder = Forwarder::new(jobs, limit, picks);
    let snapshots = reconciler.reader();
    let reader = {
        let output = output.clone();
        thread::Builder::new()
            .name("reader".into())
            .spawn(move || {
                let session = Session::new(&mut reconciler, options.is_verbose, clock)
                    .with_dispatch(Box::new(forwarder));
                message_loop::run(session, options.limits, input, output)
            })?
    };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    let worker = Worker::new(snapshots, forwarding.settings, Arc::default(), None);
    let thread = ForwardingThread {
        worker: Rc::new(worker),
        is_verbose: options.is_verbose,
        max_body_bytes: forwarding.max_body_bytes,
        events,
        output,
    };
    let written = runtime.block_on(Rc::new(thread).run(queue));
    // A DNS lookup in progress must not delay the exit.
    runtime.shutdown_background();
    written?;
    let read = reader.join();
    read.unwrap_or_else(|_| Err(io::Error::other("the reading thread failed")))
}

/// The state of the forwarding thread.
struct ForwardingThread<W> {
    worker: Rc<Worker>,
    is_verbose: bool,
    max_body_bytes: usize,
    events: Sender<PickEvent>,
    output: SharedOutput<W>,
}

impl<W: Write + 'static> ForwardingThread<W> {
    /// Forwards until no more requests can arrive and all have their responses.
    async fn run(self: Rc<Self>, mut queue: UnboundedReceiver<Job>) -> io::Result<()> {
        spawn_local(Rc::clone(&self.worker).maintain());
        let mut is_finished = false;
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                job = queue.recv(), if !is_finished => match job {
                    Some(job) => drop(tasks.spawn_local(Rc::clone(&self).respond(job))),
                    None => is_finished = true,
                },
                Some(done) = tasks.join_next() => match done {
                    Ok(written) => written?,
                    Err(failed) => return Err(io::Error::other(failed)),
                },
                else => return Ok(()),
            }
        }
    }

    /// Forwards one request and writes its response.
    async fn respond(self: Rc<Self>, job: Job) -> io::Result<()> {
        // Writing may have blocked the thread.
        self.worker.deadlines.refresh();
        let mut client = MemoryDownstream {
            body: job.request.body.clone().unwrap_or_default(),
            collected: CollectedBody::new(self.max_body_bytes),
            response: MemoryResponse::default(),
            routed: None,
            wants_details: self.is_verbose,
            picks: PickReporter::new(Arc::clone(&job.snapshot), self.events.clone()),
        };
        self.forward(&job, &mut client).await;
        let mut line = Vec::new();
        self.reply(&job, &client, &mut line);
        self.output.write_line(&line)
    }

    async fn forward(&self, job: &Job, client: &mut MemoryDownstream) {
        let (worker, request) = (&*self.worker, &job.request);
        if let Err(cause) = request.check_head(&worker.settings.head_limits) {
            client.response = MemoryResponse::of_cause(&cause);
            return;
        }
        let deadline = worker.deadlines.register();
        let context = ExchangeContext {
            worker,
            deadline: &deadline,
            peer: PEER,
            is_tls: false,
            https_port: None,
        };
        let snapshot = worker.hold(&job.snapshot);
        let (head, downstream) = (RequestHead::Memory(request), Downstream::Memory(client));
        exchange(&context, &snapshot, head, downstream).await;
    }

    /// Appends the response to a request.
    fn reply(&self, job: &Job, client: &MemoryDownstream, out: &mut Vec<u8>) {
        let to = job.recipient();
        match (&client.response, &client.routed) {
            (MemoryResponse::Upstream { status, fields }, Some(routed)) => {
                let forwarded = self.forwarded(job, client, routed, *status, fields);
                to.reply("api_response", &Reply::Forwarded(forwarded), out);
            }
            (MemoryResponse::Local { status, fields }, _) => {
                let (status, headers) = (*status, json_of(fields));
                to.reply("api_response", &Reply::Local { status, headers }, out);
            }
            (
                MemoryResponse::Error {
                    status,
                    code,
                    message,
                    allow,
                },
                _,
            ) => {
                let rejected = Reply::Rejected {
                    status: *status,
                    error: LocalError {
                        code,
                        message: message.clone(),
                    },
                    allow: allow.as_deref(),
                };
                to.reply("api_response", &rejected, out);
            }
            (MemoryResponse::Pending | MemoryResponse::Upstream { .. }, _) => {
                to.rejected(&GatewayError::Internal.into(), out);
            }
        }
    }

    fn forwarded<'a>(
        &self,
        job: &'a Job,
        client: &'a MemoryDownstream,
        routed: &Routed,
        status: u16,
        fields: &HeaderMap,
    ) -> ForwardedReply<'a> {
        let route = job.snapshot.table().route_at(routed.route);
        let mut backends = job.snapshot.cluster(routed.route).backends().iter();
        let backend = backends.find(|backend| Some(backend.id) == routed.backend);
        let announced = || {
            let chain = job.snapshot.policy(routed.route).chain();
            let headers = chain
                .deprecation()
                .into_iter()
                .flat_map(Deprecation::headers);
            headers.map(|(name, value)| (name.to_owned(), value.into()))
        };
        let details = || Details {
            address: backend.map_or_else(String::new, |backend| backend.address.to_string()),
            upstream_path: routed.upstream_path.clone().unwrap_or_default(),
            route: route.name(),
        };
        ForwardedReply {
            status,
            service: route.service(),
            version: routed.version.map(|version| version.to_string()),
            backend: backend.map_or("", |backend| &backend.name),
            body: Body::of(client.collected.data()),
            extras: Extras {
                headers: if self.is_verbose {
                    json_of(fields)
                } else {
                    announced().collect()
                },
                details: self.is_verbose.then(details),
            },
        }
    }
}

/// Fields as JSON: a string for one value, a list for several. What is not UTF-8 is replaced.
fn json_of(fields: &HeaderMap) -> Map<String, Value> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
    let members = fields.keys().map(|name| {
        let mut values: Vec<Value> = fields.get_all(name).iter().map(text).collect();
        let value = match values.len() {
            1 => values.swap_remove(0),
            _ => Value::Array(values),
        };
        (name.as_str().to_owned(), value)
    });
    members.collect()
}

/// Messages come from this machine.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
