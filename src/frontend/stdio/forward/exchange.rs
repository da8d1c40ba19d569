//! One request to its backend and back, by the forwarding of `tollgate serve`.

use std::cell::Cell;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};

use http::HeaderMap;
use serde_json::{Map, Value};

use crate::engine::semantics::error::{Cause, GatewayError, UpstreamError};
use crate::engine::semantics::{Arrival, Protocol, Random, Request, RequestId};
use crate::engine::upstream::backend::Backend;
use crate::engine::{Admission, Plan, admit};
use crate::frontend::http::admission::answer_fields;
use crate::frontend::http::going::{Going, cause_of};
use crate::frontend::stdio::forward::job::Job;
use crate::frontend::stdio::forward::{Hub, Picks};
use crate::frontend::stdio::reply::{Answer as Reply, Body, Extras, ForwardedAnswer};
use crate::http1::length::BodyLength;
use crate::http1::send_request::write_request_of_fields;
use crate::runtime::forward::answer::Answer;
use crate::runtime::forward::download::{Broken, Download};
use crate::runtime::forward::exchange::{Exchange, Failure};
use crate::runtime::forward::memory::{Collected, MemoryClient};
use crate::runtime::forward::requester::Requester;
use crate::runtime::http2::fields::fields_of;
use crate::runtime::sweep::Watch;
use crate::runtime::worker::Worker;

impl<W: Write + 'static> Hub<W> {
    /// Forwards a request, and appends its answer.
    pub(super) async fn forward(&self, job: &Job, picks: &Picks, out: &mut Vec<u8>) {
        let worker = &self.worker;
        worker.counters.requests.add(1);
        worker.deposit();
        let to = job.recipient();
        if let Err(cause) = job.check_head(&worker.settings.head_limits) {
            return to.rejected(&cause, out);
        }
        let raw = job.raw();
        let arrival = Arrival {
            peer: PEER,
            is_trusted: worker.settings.is_trusted(PEER),
            is_tls: false,
            protocol: Protocol::Http11,
            host: raw.host.filter(|host| !host.is_empty()),
            pseudonym: &worker.settings.via,
            https_port: None,
        };
        let random = worker.random();
        let request = Request::read(
            &arrival,
            (raw.method, raw.target),
            raw.headers,
            job.declared_length(),
        );
        let id = RequestId::of(&request.fields, &random);
        let plan = match admit(&job.snapshot, &request) {
            Admission::Forward(plan) => plan,
            Admission::Respond(response) => return to.local(&response, &request, out),
        };
        let exchange = MessageExchange {
            worker,
            random: &random,
            watch: &worker.sweep.watch(),
            job,
            request: &request,
            id: &id,
            plan: &plan,
        };
        let tried = Cell::new(None);
        let mut client = MemoryClient {
            body: job.body(),
            answer: Collected::new(self.max_body_bytes),
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
            return to.rejected(&cause, out);
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
    watch: &'x Watch,
    random: &'x Random,
    job: &'x Job,
    request: &'x Request<'x, [(String, String)]>,
    plan: &'x Plan<'x>,
    id: &'x RequestId<'x>,
}

impl<'x> MessageExchange<'x> {
    /// Asks backends until one answers; `picked` is told of each.
    async fn ask(
        &self,
        client: &mut MemoryClient,
        picked: &dyn Fn(u32),
    ) -> Result<Answer, Cause<'static>> {
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
            id: self.id,
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
        let mut exchange = Exchange::new(self.worker, self.watch, self.plan, outgoing, &|_, _| {});
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
            let (policy, length) = (self.plan.forwarding(), BodyLength::Chunked);
            let mut download = Download::new(policy, answer.ends, length, answer.upload);
            let requester = Requester::Memory(client);
            let done = download.run(worker, self.watch, requester, &mut backend);
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
        let pool = self.job.snapshot.cluster(self.plan.route_id());
        let mut backends = pool.backends().iter();
        backends.find(|backend| Some(backend.id) == slot)
    }
}

/// Why an answer that had begun is none.
fn cause_of_broken(broken: Broken, client: &MemoryClient) -> Cause<'static> {
    match broken {
        Broken::Backend(_) => UpstreamError::Incomplete.into(),
        Broken::Timeout => UpstreamError::Timeout.into(),
        // It never leaves, but it may have no room.
        Broken::ClientLeft => UpstreamError::BodyTooLarge {
            limit_bytes: client.answer.most_bytes(),
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
