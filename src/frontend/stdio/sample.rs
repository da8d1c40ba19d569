//! The sample upstream: it stands in for the backends where nothing is really forwarded.
//!
//! It plays the services of the built-in table from `fixtures/sample_upstream.json`, and answers
//! for any other with an echo of what it was asked. It never refuses.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

/// The services that the sample upstream plays.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct SampleUpstream {
    services: HashMap<String, SampleService>,
}

/// What a request looks like to it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SampleRequest<'a> {
    /// The service.
    pub service: &'a str,
    /// The version, if the route has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'a str>,
    /// The backend's name.
    pub backend: &'a str,
    /// The method.
    pub method: &'a str,
    /// The normal path, without the query.
    pub path: &'a str,
}

#[derive(Debug, Deserialize)]
struct SampleService {
    /// The segment after which an id stands.
    collection: String,
    versions: BTreeMap<String, SampleVersion>,
}

#[derive(Debug, Deserialize)]
struct SampleVersion {
    records: HashMap<String, String>,
    /// The record of any other id: `{id}` is its JSON, `{text}` its text.
    other: String,
}

impl SampleUpstream {
    /// The one that is compiled in.
    ///
    /// # Panics
    /// Never: a test holds that the data is well formed.
    #[must_use]
    pub fn compiled_in() -> Self {
        const DATA: &str = include_str!("../../../fixtures/sample_upstream.json");
        serde_json::from_str(DATA).expect("the data compiled in is well formed")
    }

    /// The body of the answer: a known record, one made of the id, or an echo.
    #[must_use]
    pub fn answer(&self, request: &SampleRequest<'_>) -> Cow<'_, str> {
        match request.method {
            "HEAD" => Cow::Borrowed(""),
            "GET" => self.record(request).unwrap_or_else(|| echo(request)),
            _ => echo(request),
        }
    }

    fn record(&self, request: &SampleRequest<'_>) -> Option<Cow<'_, str>> {
        let service = self.services.get(request.service)?;
        let (rest, id) = request.path.rsplit_once('/')?;
        let collection = rest.rsplit_once('/').map_or(rest, |(_, segment)| segment);
        if id.is_empty() || *collection != *service.collection {
            return None;
        }
        // A neutral route has the oldest version answer.
        let version = match request.version {
            Some(version) => service.versions.get(version)?,
            None => service.versions.values().next()?,
        };
        if let Some(record) = version.records.get(id) {
            return Some(Cow::Borrowed(record));
        }
        let is_number = id.len() < 16
            && id.bytes().all(|b| b.is_ascii_digit())
            && (id == "0" || !id.starts_with('0'));
        let quoted = serde_json::to_string(id).ok()?;
        let text = quoted.trim_matches('"');
        let json = if is_number { id } else { &quoted };
        Some(Cow::Owned(
            version.other.replace("{id}", json).replace("{text}", text),
        ))
    }
}

fn echo(request: &SampleRequest<'_>) -> Cow<'static, str> {
    Cow::Owned(serde_json::to_string(request).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, service: &str, version: Option<&str>, path: &str) -> String {
        let request = SampleRequest {
            service,
            version,
            backend: "b-1",
            method,
            path,
        };
        SampleUpstream::compiled_in().answer(&request).into_owned()
    }

    #[test]
    fn records_known_and_made() {
        let users = |version, path| answer("GET", "users-service", version, path);
        assert_eq!(
            users(Some("v1"), "/api/users/123"),
            r#"{"id": 123, "name": "Alice"}"#
        );
        assert_eq!(
            users(Some("v2"), "/api/v2/users/123"),
            r#"{"id": 123, "name": "Alice", "email": "alice@example.com"}"#
        );
        assert_eq!(users(None, "/users/123"), r#"{"id": 123, "name": "Alice"}"#);
        assert_eq!(
            users(Some("v1"), "/api/users/9"),
            r#"{"id": 9, "name": "User 9"}"#
        );
        assert_eq!(
            users(Some("v1"), "/api/users/007"),
            r#"{"id": "007", "name": "User 007"}"#
        );
    }

    #[test]
    fn everything_else_is_echoed() {
        let echo = r#"{"service":"x","backend":"b-1","method":"GET","path":"/a"}"#;
        assert_eq!(answer("GET", "x", None, "/a"), echo);
        assert_eq!(
            answer("POST", "users-service", Some("v1"), "/api/users/123"),
            r#"{"service":"users-service","version":"v1","backend":"b-1","method":"POST","path":"/api/users/123"}"#
        );
        assert!(
            answer("GET", "users-service", Some("v1"), "/api/users").starts_with(r#"{"service""#)
        );
        assert_eq!(
            answer("HEAD", "users-service", Some("v1"), "/api/users/1"),
            ""
        );
    }

    #[test]
    fn every_record_is_json_whatever_the_id() {
        for service in SampleUpstream::compiled_in().services.keys() {
            for id in ["1", "123", "a%22b", "0", "007", "99999999999999999999"] {
                let path = format!(
                    "/api/{}/{id}",
                    SampleUpstream::compiled_in().services[service].collection
                );
                let body = answer("GET", service, None, &path);
                serde_json::from_str::<serde_json::Value>(&body).unwrap();
            }
        }
    }
}
