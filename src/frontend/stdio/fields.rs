//! The fields of a message, as each type of message needs them; what is wrong names the field.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::value::RawValue;

use crate::config::diagnostic::excerpt;
use crate::engine::request::{RawRequest, split_absolute_form};
use crate::engine::routing::version::ApiVersion;
use crate::engine::semantics::{Arrival, Protocol, Request};
use crate::engine::upstream::backend::Address;
use crate::frontend::stdio::message::Fields;
use crate::frontend::stdio::text::{Text, compact, kind, string};

/// A message that cannot be carried out, in words.
#[derive(Debug)]
pub(super) struct Malformed(pub(super) String);

/// The request that an `api_request` or an `explain` describes.
#[derive(Debug)]
pub(super) struct ClientRequest<'f> {
    pub(super) method: &'f str,
    target: Cow<'f, str>,
    host: Option<&'f str>,
    headers: &'f [(Cow<'f, str>, Cow<'f, str>)],
    content_length: Option<u64>,
}

/// How an `api_request` arrives: from this machine, in cleartext.
const ARRIVAL: Arrival<'static> = Arrival {
    peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
    is_trusted: false,
    is_tls: false,
    protocol: Protocol::Http11,
    host: None,
    pseudonym: "tollgate",
    https_port: None,
};

impl<'f> ClientRequest<'f> {
    #[inline]
    pub(super) fn of(fields: &'f Fields<'f>) -> Result<Self, Malformed> {
        let method = match &fields.method {
            Text::Is(method) => &**method,
            Text::Absent => "GET",
            Text::Not(found) => return Err(not_text("method", found)),
        };
        if let Some(fault) = &fields.headers.fault {
            return Err(Malformed(fault.to_string()));
        }
        let headers = &*fields.headers.list;
        let host = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = host.map(|(_, host)| &**host);
        let target = required("path", &fields.path)?;
        let content_length = fields.body.and_then(body_length);
        if target.starts_with('/') {
            return Ok(Self {
                method,
                target: Cow::Borrowed(target),
                host,
                headers,
                content_length,
            });
        }
        let (target, authority) = split_absolute_form(target);
        Ok(Self {
            method,
            target,
            host: authority.or(host),
            headers,
            content_length,
        })
    }

    pub(super) fn raw(&self) -> RawRequest<'_, [(Cow<'f, str>, Cow<'f, str>)]> {
        let Self {
            method,
            target,
            host,
            headers,
            content_length: _,
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
            ..ARRIVAL
        }
    }

    /// What admission reads of it.
    #[inline]
    pub(super) fn read<'r>(
        &'r self,
        arrival: &'r Arrival<'r>,
    ) -> Request<'r, [(Cow<'f, str>, Cow<'f, str>)]> {
        let target = (self.method, &*self.target);
        Request::read(arrival, target, self.headers, self.content_length)
    }
}

/// The length of a request body in bytes: a string is sent as it is, other JSON as compact text.
fn body_length(raw: &RawValue) -> Option<u64> {
    let length = match raw.get() {
        "null" => return None,
        text if text.starts_with('"') => string(raw)?.len(),
        _ => {
            let mut json = Vec::with_capacity(raw.get().len());
            compact(raw.get(), &mut json);
            json.len()
        }
    };
    u64::try_from(length).ok()
}

/// A field that must be there, and be a text.
pub(super) fn required<'f>(name: &str, text: &'f Text<'_>) -> Result<&'f str, Malformed> {
    match text {
        Text::Is(text) => Ok(text),
        Text::Absent => Err(Malformed(format!("`{name}` is missing"))),
        Text::Not(found) => Err(not_text(name, found)),
    }
}

/// The service, version and address of a `register` or `deregister`.
pub(super) fn membership<'f>(
    fields: &'f Fields<'_>,
) -> Result<(&'f str, Option<ApiVersion>, Address), Malformed> {
    let service = required("service", &fields.service)?;
    if service.is_empty() {
        return Err(Malformed("`service` is empty".into()));
    }
    let backend = required("backend", &fields.backend)?;
    let address =
        Address::parse(backend).map_err(|fault| Malformed(format!("`backend`: {fault}")))?;
    Ok((service, version(fields)?, address))
}

/// The `version`, which may be left out and may be a number.
pub(super) fn version(fields: &Fields<'_>) -> Result<Option<ApiVersion>, Malformed> {
    let Some(raw) = fields.version else {
        return Ok(None);
    };
    let text = match kind(raw) {
        "null" => return Ok(None),
        "a number" => Cow::Borrowed(raw.get()),
        found => string(raw).ok_or_else(|| {
            Malformed(format!(
                "`version` should be a text such as \"v2\", but is {found}"
            ))
        })?,
    };
    let parsed = ApiVersion::parse(&text);
    parsed
        .map(Some)
        .map_err(|fault| Malformed(format!("`version`: {fault}")))
}

/// The `ttl`, which may be left out, and the time from which it counts.
pub(super) fn ttl(
    fields: &Fields<'_>,
    clock: fn() -> Instant,
) -> Result<Option<(Duration, Instant)>, Malformed> {
    let text = match &fields.ttl {
        Text::Absent => return Ok(None),
        Text::Is(text) => text,
        Text::Not(found) => {
            return Err(Malformed(format!(
                "`ttl` should be a duration such as \"30s\", but is {found}"
            )));
        }
    };
    let now = clock();
    let wrong = match lifetime(text) {
        Ok(ttl) if now.checked_add(ttl).is_some() => return Ok(Some((ttl, now))),
        Ok(_) => TOO_LONG,
        Err(wrong) => wrong,
    };
    Err(Malformed(format!("`ttl`: {:?} {wrong}", excerpt(text))))
}

fn lifetime(text: &str) -> Result<Duration, &'static str> {
    let Ok(ttl) = text.parse::<SignedDuration>() else {
        // With small numbers it would be one.
        let mut small: Vec<char> = text.chars().collect();
        small.dedup_by(|next, before| next.is_ascii_digit() && before.is_ascii_digit());
        let small: String = small.into_iter().collect();
        return Err(match small.parse::<SignedDuration>() {
            Ok(_) => TOO_LONG,
            Err(_) => NO_DURATION,
        });
    };
    match Duration::try_from(ttl) {
        Ok(ttl) if !ttl.is_zero() => Ok(ttl),
        _ => Err("is not longer than zero; write a duration such as 30s"),
    }
}

const TOO_LONG: &str = "is longer than the clock can tell; leave `ttl` out for no end";
const NO_DURATION: &str = "is no duration; write one such as 30s, 500ms or 1h 30m (the units are h, \
                           m, s, ms, us and ns; a day is 24h)";

/// The configuration in an `init`, as a document of its own.
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

fn not_text(name: &str, found: &str) -> Malformed {
    Malformed(format!("`{name}` should be a text, but is {found}"))
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
            ("0s", "is not longer than zero"),
            ("-1s", "is not longer than zero"),
            ("PT0S", "is not longer than zero"),
            ("2562047788015216h", "is longer than the clock can tell"),
            ("99999999999999999999s", "is longer than the clock can tell"),
            ("1d", "is no duration"),
            ("30", "is no duration"),
            ("", "is no duration"),
            ("soon", "is no duration"),
        ] {
            let wrong = lifetime(text).unwrap_err();
            assert!(wrong.starts_with(expected), "{text}: {wrong}");
        }
    }
}
