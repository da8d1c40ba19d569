//! The fields of a message, parsed as each type of message needs them. Errors name the field.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::value::RawValue;

use crate::config::excerpt;
use crate::engine::request::{RawRequest, split_absolute_form};
use crate::engine::routing::ApiVersion;
use crate::engine::semantics::{Arrival, Cause, Request};
use crate::engine::upstream::{Address, ServiceKey};
use crate::frontend::stdio::message::Fields;
use crate::frontend::stdio::text::{Text, compact, kind, string};
use crate::http1::HeadLimits;
use crate::runtime::proxy::check_head;

/// Why a message is malformed, as the text of the error reply.
#[derive(Debug)]
pub(super) struct Malformed(pub(super) String);

impl Malformed {
    /// The value of a field is not a string.
    pub(super) fn not_string(name: &str, found: &str) -> Self {
        Self(format!("`{name}` must be a string, not {found}"))
    }
}

/// The request in an `api_request` or an `explain`.
#[derive(Debug)]
pub(super) struct ClientRequest<'f> {
    pub(super) method: &'f str,
    target: Cow<'f, str>,
    host: Option<&'f str>,
    headers: &'f [(Cow<'f, str>, Cow<'f, str>)],
    pub(super) body: RequestBody,
}

impl<'f> ClientRequest<'f> {
    #[inline]
    pub(super) fn of(fields: &'f Fields<'f>) -> Result<Self, Malformed> {
        let method = match &fields.method {
            Text::Is(method) => &**method,
            Text::Absent => "GET",
            Text::Not(found) => return Err(Malformed::not_string("method", found)),
        };
        if let Some(error) = &fields.headers.error {
            return Err(Malformed(error.to_string()));
        }
        let headers = &*fields.headers.list;
        let host = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = host.map(|(_, host)| &**host);
        let target = required("path", &fields.path)?;
        let body = RequestBody::of(fields.body)?;
        if target.starts_with('/') {
            return Ok(Self {
                method,
                target: Cow::Borrowed(target),
                host,
                headers,
                body,
            });
        }
        let (target, authority) = split_absolute_form(method, target);
        Ok(Self {
            method,
            target,
            host: authority.or(host),
            headers,
            body,
        })
    }

    /// Checks the head against the limits that it would have over HTTP.
    ///
    /// # Errors
    /// What is wrong with it.
    #[inline]
    pub(super) fn check_head(&self, limits: &HeadLimits) -> Result<(), Cause<'static>> {
        let fields = self.headers.iter();
        let sizes = fields.map(|(name, value)| name.len() + value.len());
        check_head((self.method, &self.target), sizes, limits)
    }

    /// The view that the engine reads.
    pub(super) fn raw(&self) -> RawRequest<'_, [(Cow<'f, str>, Cow<'f, str>)]> {
        let Self {
            method,
            target,
            host,
            headers,
            body: _,
        } = self;
        RawRequest {
            method,
            target,
            host: *host,
            headers,
        }
    }
}

impl<'f> ClientRequest<'f> {
    /// How it arrives.
    pub(super) fn arrival(&self) -> Arrival<'_> {
        Arrival {
            host: self.host.filter(|host| !host.is_empty()),
            ..Arrival::LOCAL
        }
    }

    /// What admission reads of it.
    #[inline]
    pub(super) fn read<'r>(
        &'r self,
        arrival: &'r Arrival<'r>,
    ) -> Request<'r, [(Cow<'f, str>, Cow<'f, str>)]> {
        let target = (self.method, &*self.target);
        let length = self.body.data.as_ref().map(Bytes::len);
        let length = length.and_then(|length| u64::try_from(length).ok());
        Request::read(arrival, target, self.headers, length)
    }
}

/// The body that an `api_request` gives its request.
#[derive(Clone, Debug)]
pub(super) struct RequestBody {
    pub(super) data: Option<Bytes>,
    /// Whether it is JSON rather than a string with any content.
    pub(super) is_json: bool,
}

impl RequestBody {
    /// A string is sent as it is, other JSON as compact text; `null` is no body.
    fn of(raw: Option<&RawValue>) -> Result<Self, Malformed> {
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
                    "`body` must be a string or other JSON, not {found}"
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

/// A required field that must be a string.
pub(super) fn required<'f>(name: &str, text: &'f Text<'_>) -> Result<&'f str, Malformed> {
    match text {
        Text::Is(text) => Ok(text),
        Text::Absent => Err(Malformed(format!("`{name}` is missing"))),
        Text::Not(found) => Err(Malformed::not_string(name, found)),
    }
}

/// The service, its version and the address of a `register` or `deregister`.
pub(super) fn membership(fields: &Fields<'_>) -> Result<(ServiceKey, Address), Malformed> {
    let service = required("service", &fields.service)?;
    if service.is_empty() {
        return Err(Malformed("`service` is empty".into()));
    }
    let backend = required("backend", &fields.backend)?;
    let address =
        Address::parse(backend).map_err(|error| Malformed(format!("`backend`: {error}")))?;
    Ok((ServiceKey::of(service, version(fields)?), address))
}

/// The optional `version`, a string or a number.
pub(super) fn version(fields: &Fields<'_>) -> Result<Option<ApiVersion>, Malformed> {
    let Some(raw) = fields.version else {
        return Ok(None);
    };
    let text = match kind(raw) {
        "null" => return Ok(None),
        "a number" => Cow::Borrowed(raw.get()),
        found => string(raw).ok_or_else(|| {
            Malformed(format!(
                "`version` must be a string such as \"v2\", not {found}"
            ))
        })?,
    };
    let parsed = ApiVersion::parse(&text);
    parsed
        .map(Some)
        .map_err(|error| Malformed(format!("`version`: {error}")))
}

/// When a registration with the `ttl` of this message ends; `None` without one.
pub(super) fn expiry(
    fields: &Fields<'_>,
    clock: fn() -> Instant,
) -> Result<Option<Instant>, Malformed> {
    let text = match &fields.ttl {
        Text::Absent => return Ok(None),
        Text::Is(text) => text,
        Text::Not(found) => {
            return Err(Malformed(format!(
                "`ttl` must be a duration such as \"30s\", not {found}"
            )));
        }
    };
    let now = clock();
    let wrong = match lifetime(text).map(|ttl| now.checked_add(ttl)) {
        Ok(Some(expiry)) => return Ok(Some(expiry)),
        Ok(None) => TOO_LONG,
        Err(wrong) => wrong,
    };
    Err(Malformed(format!("`ttl`: {:?} {wrong}", excerpt(text))))
}

fn lifetime(text: &str) -> Result<Duration, &'static str> {
    let Ok(ttl) = text.parse::<SignedDuration>() else {
        // If it parses with each number cut to one digit, its numbers are too large.
        let mut small: Vec<char> = text.chars().collect();
        small.dedup_by(|next, before| next.is_ascii_digit() && before.is_ascii_digit());
        let small: String = small.into_iter().collect();
        return Err(match small.parse::<SignedDuration>() {
            Ok(_) => TOO_LONG,
            Err(_) => NOT_A_DURATION,
        });
    };
    match Duration::try_from(ttl) {
        Ok(ttl) if !ttl.is_zero() => Ok(ttl),
        _ => Err("is not positive; use a duration such as 30s"),
    }
}

const TOO_LONG: &str = "is too long; omit `ttl` for a registration that does not end";
const NOT_A_DURATION: &str = "is not a duration; use one such as 30s, 500ms or 1h 30m (units: h, m, s, \
                              ms, us, ns; a day is 24h)";

/// The configuration in an `init`, as a JSON document.
pub(super) fn table_json(fields: &Fields<'_>) -> String {
    let parts: [(&str, Option<&RawValue>); 3] = [
        ("routes", fields.routes),
        ("services", fields.services),
        ("versioning", fields.versioning),
    ];
    let given = parts.iter().filter_map(|(key, raw)| Some((key, (*raw)?)));
    let given: Vec<String> = given
        .map(|(key, raw)| format!("\"{key}\":{}", raw.get()))
        .collect();
    format!("{{{}}}", given.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes() {
        for text in [
            "30s",
            "500ms",
            "1h 30m",
            "1us",
            "5 ns",
            "PT30S",
            "2562047788015215h",
            "1.5s",
        ] {
            assert!(lifetime(text).is_ok(), "{text}");
        }
        for (text, expected) in [
            ("0s", "is not positive"),
            ("-1s", "is not positive"),
            ("PT0S", "is not positive"),
            ("2562047788015216h", "is too long"),
            ("99999999999999999999s", "is too long"),
            ("1d", "is not a duration"),
            ("30", "is not a duration"),
            ("", "is not a duration"),
            ("soon", "is not a duration"),
        ] {
            let wrong = lifetime(text).unwrap_err();
            assert!(wrong.starts_with(expected), "{text}: {wrong}");
        }
    }
}
