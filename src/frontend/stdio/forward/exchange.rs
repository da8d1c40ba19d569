//! One request to its backend and back, by the forwarding of `tollgate serve`.

use std::cell::Cell;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};

use http::HeaderMap;
use serde_json::{Map, Value};

use crate::engine::policy::body_limit::BodyAllowance;
use crate::engine::routing::decide::{Plan, decide};
use crate::engine::semantics::error::{Cause, GatewayError, UpstreamError};
use crate::engine::semantics::hops::{Protocol, is_last_hop};
use crate::engine::semantics::identity::Random;
use crate::engine::semantics::{Arrival, Request};
use crate::engine::upstream::backend::Backend;
use crate::frontend::http::admission::answer_fields;
use crate::frontend::http::going::{Going, cause_of};
use crate::frontend::stdio::forward::job::Job;
use crate::frontend::stdio::forward::{Hub, Picks};
use crate::frontend::stdio::reply::{Answer as Reply, Body, Extras, ForwardedAnswer};
use crate::http1::length::BodyLength;
use crate::http1::send_request::write_request_of_fields;
use crate::runtime::body::CollectedBody;
use crate::runtime::deadline::Deadline;
use crate::runtime::http2::fields_of;
use crate::runtime::proxy::answer::Answer;
use crate::runtime::proxy::download::{Broken, Download};
use crate::runtime::proxy::exchange::{Exchange, Failure};
use crate::runtime::proxy::requester::{MemoryClient, Requester};
use crate::runtime::worker::Worker;

impl<W: Write + 'static> Hub<W> {
    /// Forwards a request, and appends its answer.
    pub(super) async fn forward(&self, job: &Job, picks: &Picks, out: &mut Vec<u8>) {
        let worker = &self.worker;
        worker.counters.requests.add(1);
        worker.deposit();
        let to = job.recipient();
        if let Err(cause) = job.check_head(&worker.settings.head_limits) {
            return to.failed(&cause, out);
        }
        let raw = job.raw();
        let plan = match decide(&job.snapshot, &raw) {
            Ok(plan) => plan,
            Err(reject) => return to.refused(&reject, out),
        };
        let arrival = Arrival {
            peer: PEER,
            is_trusted: worker.settings.is_trusted(PEER),
            is_tls: false,
            protocol: Protocol::Http11,
            host: raw.host.filter(|host| !host.is_empty()),
            pseudonym: &worker.settings.via,
        };
        let random = worker.random();
        let request = Request::read(&arrival, raw.method, raw.headers, &random);
        if is_last_hop(raw.method, &request.noted) {
            return to.answer("api_response", &Reply::Settled { status: 204 }, out);
        }
        let exchange = MessageExchange {
            worker,
            random: &random,
            deadline: &worker.deadlines.register(),
            job,
            request: &request,
            plan: &plan,
        };
        let tried = Cell::new(None);
        let mut client = MemoryClient {
            body: job.body(),
            answer: CollectedBody::new(self.max_body_bytes),
        };
        let picked = |slot| {
            tried.set(Some(slot));
            picks.picked(plan.route_id(), slot);
        };
        let answered = exchange.ask(&mut client, &picked).await;
        let backend = exchange.backend(tried.get());
        let collected = match answered {
            Ok(answer) => exchange.collect(&mut client, answer).await,
            Err(cause) => Err(cause),
        };
        let (Ok((status, fields)), Some(backend)) = (&collected, backend) else {
            let cause = collected.err().unwrap_or(GatewayError::Internal.into());
            return to.failed(&cause, out);
        };
        let mut extras = Extras::of(&plan, backend, self.is_verbose);
        if self.is_verbose {
            extras.headers = told(fields);
        }
        let answer = ForwardedAnswer {
            status: *status,
            service: plan.route().service(),
            version: plan.version().map(|version| version.to_string()),
            backend: &backend.name,
            body: Body::of(client.answer.data()),
            extras,
        };
        to.answer("api_response", &Reply::Forwarded(answer), out);
    }
}

/// An admitted request and all that is known of it.
struct MessageExchange<'x> {
    worker: &'x Worker,
    deadline: &'x Deadline,
    random: &'x Random,
    job: &'x Job,
    request: &'x Request<'x, [(String, String)]>,
    plan: &'x Plan<'x>,
}

impl<'x> MessageExchange<'x> {
    /// Asks backends until one answers; `picked` is told of each.
    async fn ask(
        &self,
        client: &mut MemoryClient,
        picked: &dyn Fn(u32),
    ) -> Result<Answer, Cause<'static>> {
        let limit = self.plan.policy().max_body_bytes;
        let stated = u64::try_from(client.body.len()).ok();
        BodyAllowance::new(limit, stated)?;
        let answered = self.send(client, picked).await;
        answered.map_err(|failure| {
            let cause = cause_of(&failure, self.plan);
            // It is here, so it has not left.
            cause.unwrap_or(GatewayError::Internal.into())
        })
    }

    async fn send(
        &self,
        client: &mut MemoryClient,
        picked: &dyn Fn(u32),
    ) -> Result<Answer, Failure> {
        let job = self.job;
        let going = Going {
            worker: self.worker,
            request: self.request,
            plan: self.plan,
            random: self.random,
            body: job.length(),
            te_trailers: job.te_trailers(),
            upgrade: None,
            copies_host: false,
        };
        let write_head = |out: &mut Vec<u8>, backend: &Backend| {
            going.write(backend, |outgoing| {
                write_request_of_fields(out, job.fields(), outgoing)
            })
        };
        let make_request =
            |backend: &Backend| going.make(backend, fields_of(job.fields(), job.length()));
        let outgoing = going.outgoing(&write_head, &make_request);
        let mut exchange =
            Exchange::new(self.worker, self.deadline, self.plan, outgoing, &|_, _| {});
        exchange.picked = Some(picked);
        let answered = exchange.answer(Requester::Memory(client)).await;
        answered.map(|(answer, _)| answer)
    }

    /// Reads the body of an answer; gives its status and its fields.
    async fn collect(
        &self,
        client: &mut MemoryClient,
        mut answer: Answer,
    ) -> Result<(u16, HeaderMap), Cause<'static>> {
        let worker = self.worker;
        let response = answer.head();
        let status = response.status();
        let (keeps_upstream, is_whole) = (response.keeps_alive(), !response.has_body());
        worker.counters.response(status);
        let fields = answer_fields(self.request, self.plan, &mut answer, worker);
        let is_upload_over = answer.upload.is_none() && client.body.is_empty();
        let mut backend = answer.came.into_body(worker);
        if !is_whole {
            let (policy, length) = (self.plan.policy(), BodyLength::Chunked);
            let mut download = Download::new(policy, answer.ends, length, answer.upload);
            let requester = Requester::Memory(client);
            let done = download.run(worker, self.deadline, requester, &mut backend);
            if let Err(broken) = done.await {
                return Err(cause_of_broken(broken, client));
            }
        }
        if keeps_upstream && is_upload_over {
            backend.keep(&answer.lease, worker);
        }
        Ok((status, fields))
    }

    /// The backend of a slot.
    fn backend(&self, slot: Option<u32>) -> Option<&'x Backend> {
        let pool = self.job.snapshot.pool(self.plan.route_id());
        let mut backends = pool.backends().iter();
        backends.find(|backend| Some(backend.slot) == slot)
    }
}

/// Why an answer that had begun is none.
fn cause_of_broken(broken: Broken, client: &MemoryClient) -> Cause<'static> {
    match broken {
        Broken::Backend(_) => UpstreamError::Incomplete.into(),
        Broken::Timeout => UpstreamError::Timeout.into(),
        // It never leaves, but it may have no room.
        Broken::ClientLeft => UpstreamError::BodyTooLarge {
            limit_bytes: client.answer.max_bytes(),
        }
        .into(),
        Broken::Request | Broken::Stopped => GatewayError::Internal.into(),
    }
}

/// Fields as JSON: a text for one value, a list for several. What is not UTF-8 is replaced.
fn told(fields: &HeaderMap) -> Map<String, Value> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
    let told = fields.keys().map(|name| {
        let mut values: Vec<Value> = fields.get_all(name).iter().map(text).collect();
        let value = match values.len() {
            1 => values.swap_remove(0),
            _ => Value::Array(values),
        };
        (name.as_str().to_owned(), value)
    });
    told.collect()
}

/// Messages come from this machine.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
