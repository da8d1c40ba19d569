//! A request that is to be forwarded, with all that its answer needs: it owns what it has, for the
//! message that it came in is gone by then.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::engine::request::RawRequest;
use crate::engine::semantics::error::{Cause, RequestError};
use crate::engine::snapshot::Snapshot;
use crate::frontend::stdio::fields::Malformed;
use crate::frontend::stdio::forward::Permit;
use crate::frontend::stdio::message::Envelope;
use crate::frontend::stdio::reply::Recipient;
use crate::frontend::stdio::text::{compact, kind, string};
use crate::http1;
use crate::http1::kind::{FieldKind, is_protected};
use crate::http1::length::BodyLength;
use crate::http1::limits::HeadLimits;

/// A request on its way from the reader to where it is forwarded.
#[derive(Debug)]
pub(super) struct Job {
    /// The snapshot that was in force when it was read.
    pub(super) snapshot: Arc<Snapshot>,
    method: String,
    target: String,
    host: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
    /// Fields that `Connection` names: they are for this hop alone.
    named: Vec<String>,
    envelope: Option<[Option<Box<RawValue>>; 2]>,
    msg_id: Option<Box<RawValue>>,
    _permit: Permit,
}

/// The body that a message gives its request.
#[derive(Debug)]
pub(in crate::frontend::stdio) struct RequestBody {
    data: Option<Bytes>,
    /// Whether it is JSON, and not a text that may be anything.
    is_json: bool,
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
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut named = Vec::new();
        for (name, value) in raw.headers {
            if name.eq_ignore_ascii_case("connection") {
                let options = value.split(',').map(str::trim);
                named.extend(
                    options
                        .filter(|it| !is_protected(it.as_bytes()))
                        .map(Into::into),
                );
            }
            headers.push((name.to_string(), value.trim_matches([' ', '\t']).to_owned()));
        }
        let is_type = |name: &str| name.eq_ignore_ascii_case("content-type");
        if body.is_json && !headers.iter().any(|(name, _)| is_type(name)) {
            headers.push(("content-type".into(), "application/json".into()));
        }
        let owned = |value: Option<&RawValue>| value.map(ToOwned::to_owned);
        Self {
            snapshot,
            method: raw.method.to_owned(),
            target: raw.target.to_owned(),
            host: raw.host.map(ToOwned::to_owned),
            headers,
            body: body.data,
            named,
            envelope: to.envelope.map(|it| [owned(it.src), owned(it.dest)]),
            msg_id: owned(to.msg_id),
            _permit: permit,
        }
    }

    /// What is decided on: the same as when it was read.
    pub(super) fn raw(&self) -> RawRequest<'_, [(String, String)]> {
        RawRequest {
            method: &self.method,
            target: &self.target,
            host: self.host.as_deref(),
            headers: &self.headers,
        }
    }

    /// To whom the answer goes.
    pub(super) fn recipient(&self) -> Recipient<'_> {
        Recipient {
            envelope: self.envelope.as_ref().map(|[src, dest]| Envelope {
                src: src.as_deref(),
                dest: dest.as_deref(),
            }),
            msg_id: self.msg_id.as_deref(),
        }
    }

    pub(super) fn body(&self) -> Bytes {
        self.body.clone().unwrap_or_default()
    }

    /// The length that it declares for its body, if it does.
    pub(super) fn declared_length(&self) -> Option<u64> {
        match self.length() {
            BodyLength::Length(length) => Some(length),
            BodyLength::None | BodyLength::Chunked | BodyLength::UntilClose => None,
        }
    }

    /// How long its body is. Who means to send one and has none says so (RFC 9110, section 8.6).
    pub(super) fn length(&self) -> BodyLength {
        match &self.body {
            Some(body) => BodyLength::Length(u64::try_from(body.len()).unwrap_or(u64::MAX)),
            None if matches!(&*self.method, "POST" | "PUT" | "PATCH") => BodyLength::Length(0),
            None => BodyLength::None,
        }
    }

    /// The fields that are passed on, whatever the backend speaks.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let fields = self.headers.iter().filter(|(name, _)| {
            let is_named = self.named.iter().any(|it| it.eq_ignore_ascii_case(name));
            FieldKind::of(name.as_bytes()).is_end_to_end() && !is_named
        });
        fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    }

    /// Whether trailers are welcome.
    pub(super) fn te_trailers(&self) -> bool {
        let mut fields = self.headers.iter();
        fields.any(|(name, value)| {
            name.eq_ignore_ascii_case("te") && value.eq_ignore_ascii_case("trailers")
        })
    }

    /// Holds the head to the limits that it would have over HTTP.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn check_head(&self, limits: &HeadLimits) -> Result<(), Cause<'static>> {
        if self.method == "CONNECT" {
            let fault = http1::request_error::RequestError::Connect;
            return Err(Cause::Codec {
                code: fault.code(),
                status: fault.status(),
                message: fault.to_string(),
            });
        }
        if self.target.len() > limits.max_target_bytes {
            return Err(RequestError::TargetTooLong.into());
        }
        // As lines, each with its colon, its blank and its end.
        let lines = self.headers.iter();
        let bytes: usize = lines
            .map(|(name, value)| name.len() + value.len() + 4)
            .sum();
        if self.headers.len() > limits.max_fields || bytes > limits.max_head_bytes {
            return Err(RequestError::HeaderTooLarge.into());
        }
        Ok(())
    }
}

impl RequestBody {
    /// A text is sent as it is, other JSON as compact text; `null` is none.
    pub(super) fn of(raw: Option<&RawValue>) -> Result<Self, Malformed> {
        let Some(raw) = raw.filter(|raw| raw.get() != "null") else {
            return Ok(Self {
                data: None,
                is_json: false,
            });
        };
        if raw.get().starts_with('"') {
            let text = string(raw).ok_or_else(|| {
                let found = kind(raw);
                Malformed(format!(
                    "`body` should be a text or other JSON, but is {found}"
                ))
            })?;
            return Ok(Self {
                data: Some(text.into_owned().into()),
                is_json: false,
            });
        }
        let mut json = Vec::with_capacity(raw.get().len());
        compact(raw.get(), &mut json);
        Ok(Self {
            data: Some(json.into()),
            is_json: true,
        })
    }
}
