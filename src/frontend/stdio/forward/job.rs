//! A request on its way from the reading to the forwarding thread. It owns its data, because the
//! buffer of the message is reused before the response arrives.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::engine::Snapshot;
use crate::engine::request::RawRequest;
use crate::frontend::stdio::fields::RequestBody;
use crate::frontend::stdio::forward::limit::Permit;
use crate::frontend::stdio::message::Envelope;
use crate::frontend::stdio::reply::Recipient;
use crate::runtime::proxy::MemoryRequest;

/// A request with the recipient of its response.
#[derive(Debug)]
pub(super) struct Job {
    /// The snapshot that was current when it was read.
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) request: MemoryRequest,
    envelope: Option<[Option<Box<RawValue>>; 2]>,
    msg_id: Option<Box<RawValue>>,
    _permit: Permit,
}

type Fields<'f> = [(Cow<'f, str>, Cow<'f, str>)];

impl Job {
    pub(super) fn new(
        snapshot: Arc<Snapshot>,
        raw: &RawRequest<'_, Fields<'_>>,
        body: RequestBody,
        to: Recipient<'_>,
        permit: Permit,
    ) -> Self {
        let is_type = |(name, _): &(Cow<'_, str>, _)| name.eq_ignore_ascii_case("content-type");
        let is_typed = !body.is_json || raw.headers.iter().any(is_type);
        let added = (!is_typed).then(|| ("content-type".into(), "application/json".into()));
        let fields = raw.headers.iter();
        let fields = fields.map(|(name, value)| (name.to_string(), value.to_string()));
        let start = (raw.method, raw.target, raw.host);
        let owned = |value: Option<&RawValue>| value.map(ToOwned::to_owned);
        Self {
            snapshot,
            request: MemoryRequest::new(start, fields.chain(added), body.data),
            envelope: to.envelope.map(|it| [owned(it.src), owned(it.dest)]),
            msg_id: owned(to.msg_id),
            _permit: permit,
        }
    }

    /// The recipient of the response.
    pub(super) fn recipient(&self) -> Recipient<'_> {
        Recipient {
            envelope: self.envelope.as_ref().map(|[src, dest]| Envelope {
                src: src.as_deref(),
                dest: dest.as_deref(),
            }),
            msg_id: self.msg_id.as_deref(),
        }
    }
}
