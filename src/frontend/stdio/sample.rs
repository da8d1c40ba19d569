//! The sample upstream: it responds in place of backends where nothing is forwarded.
//!
//! It has records for the services of the built-in table (`fixtures/sample_upstream.json`), and
//! echoes the request for any other service. It never rejects a request. Its bodies become JSON
//! strings; the known records are escaped in advance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The sample services.
#[derive(Debug)]
pub struct SampleUpstream {
    services: Vec<SampleService>,
}

/// Identifies one version of a sample service.
#[derive(Clone, Copy, Debug)]
pub struct SampleVersionId {
    service: usize,
    version: usize,
}

/// A request to the sample upstream.
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

#[derive(Debug)]
struct SampleService {
    name: String,
    /// The path segment before the id.
    collection: String,
    versions: Vec<SampleVersion>,
}

#[derive(Debug)]
struct SampleVersion {
    name: String,
    /// Ids and their records, as JSON strings.
    records: Vec<(String, String)>,
    /// The template for any other id.
    other: Vec<Piece>,
}

/// A part of a template.
#[derive(Debug)]
enum Piece {
    /// Literal text, escaped for a JSON string.
    Text(String),
    /// The id as JSON: a number if it looks like one, else a string.
    IdJson,
    /// The id inside a string.
    IdText,
}

impl SampleUpstream {
    /// Loads the compiled-in data.
    ///
    /// # Panics
    /// Never: a test verifies the data.
    #[must_use]
    pub fn compiled_in() -> Self {
        const DATA: &str = include_str!("../../../fixtures/sample_upstream.json");
        let data: BTreeMap<String, ServiceData> =
            serde_json::from_str(DATA).expect("a test verifies the compiled-in data");
        let services = data.into_iter().map(|(name, data)| SampleService {
            name,
            collection: data.collection,
            versions: data.versions.into_iter().map(SampleVersion::of).collect(),
        });
        Self {
            services: services.collect(),
        }
    }

    /// Finds a version of a sample service; a neutral route gets the oldest.
    #[must_use]
    pub fn find(&self, service: &str, version: Option<&str>) -> Option<SampleVersionId> {
        let at = self
            .services
            .iter()
            .position(|known| known.name == service)?;
        let versions = &self.services.get(at)?.versions;
        let version = match version {
            Some(version) => versions.iter().position(|known| known.name == version)?,
            None => 0,
        };
        Some(SampleVersionId {
            service: at,
            version,
        })
    }

    /// Appends the body of the response as a JSON string: the record of the id, one made from the
    /// template, or an echo. `version` is the result of [`SampleUpstream::find`].
    #[inline]
    pub fn respond(
        &self,
        version: Option<SampleVersionId>,
        request: &SampleRequest<'_>,
        out: &mut Vec<u8>,
    ) {
        match (request.method, version) {
            ("HEAD", _) => out.extend_from_slice(b"\"\""),
            ("GET", Some(version)) if self.record(version, request.path, out) => {}
            _ => echo(request, out),
        }
    }

    /// Appends the record of the id in the path and returns whether there is an id.
    #[inline]
    fn record(&self, at: SampleVersionId, path: &str, out: &mut Vec<u8>) -> bool {
        let Some(service) = self.services.get(at.service) else {
            return false;
        };
        let Some(version) = service.versions.get(at.version) else {
            return false;
        };
        let Some(id) = id_of(path, &service.collection) else {
            return false;
        };
        if let Some((_, record)) = version.records.iter().find(|(known, _)| known == id) {
            out.extend_from_slice(record.as_bytes());
        } else {
            out.push(b'"');
            version.other.iter().for_each(|piece| piece.append(id, out));
            out.push(b'"');
        }
        true
    }
}

/// The last segment of the path, if the one before it is the collection.
#[inline]
fn id_of<'p>(path: &'p str, collection: &str) -> Option<&'p str> {
    let slash = memchr::memrchr(b'/', path.as_bytes())?;
    let (rest, id) = (path.get(..slash)?, path.get(slash + 1..)?);
    let is_there = rest.strip_suffix(collection)?.ends_with('/');
    (is_there && !id.is_empty()).then_some(id)
}

fn echo(request: &SampleRequest<'_>, out: &mut Vec<u8>) {
    let echo = serde_json::to_string(request).unwrap_or_default();
    out.extend_from_slice(json_string(&echo).as_bytes());
}

impl Piece {
    fn append(&self, id: &str, out: &mut Vec<u8>) {
        // A normal path contains no character that JSON must escape.
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::IdJson if is_number(id) => out.extend_from_slice(id.as_bytes()),
            Self::IdJson => {
                out.extend_from_slice(b"\\\"");
                out.extend_from_slice(id.as_bytes());
                out.extend_from_slice(b"\\\"");
            }
            Self::IdText => out.extend_from_slice(id.as_bytes()),
        }
    }
}

/// Whether an id is a valid JSON number.
fn is_number(id: &str) -> bool {
    id.len() < 16 && id.bytes().all(|b| b.is_ascii_digit()) && (id == "0" || !id.starts_with('0'))
}

/// Text as a JSON string, with quotes.
fn json_string(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A service in the data file.
#[derive(Debug, Deserialize)]
struct ServiceData {
    collection: String,
    versions: BTreeMap<String, VersionData>,
}

#[derive(Debug, Deserialize)]
struct VersionData {
    records: BTreeMap<String, String>,
    /// The template for any other id: `{id}` is the id as JSON, `{text}` the id inside a string.
    other: String,
}

impl SampleVersion {
    fn of((name, data): (String, VersionData)) -> Self {
        let records = data
            .records
            .into_iter()
            .map(|(id, record)| (id, json_string(&record)));
        let mut other = Vec::new();
        let escaped = json_string(&data.other);
        for piece in escaped.trim_matches('"').split_inclusive(['{', '}']) {
            match piece {
                "id}" | "text}" => {
                    // The opening brace belongs to the placeholder.
                    if let Some(Piece::Text(before)) = other.last_mut() {
                        before.pop();
                    }
                    other.push(if piece == "id}" {
                        Piece::IdJson
                    } else {
                        Piece::IdText
                    });
                }
                text => other.push(Piece::Text(text.to_owned())),
            }
        }
        Self {
            name,
            records: records.collect(),
            other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn respond(method: &str, service: &str, version: Option<&str>, path: &str) -> String {
        let request = SampleRequest {
            service,
            version,
            backend: "b-1",
            method,
            path,
        };
        let sample = SampleUpstream::compiled_in();
        let mut out = Vec::new();
        sample.respond(sample.find(service, version), &request, &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn records_known_and_made() {
        let users = |version, path| respond("GET", "users-service", version, path);
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
        assert_eq!(respond("GET", "x", None, "/a"), echo);
        assert_eq!(
            respond("POST", "users-service", Some("v1"), "/api/users/123"),
            r#"{"service":"users-service","version":"v1","backend":"b-1","method":"POST","path":"/api/users/123"}"#
        );
        assert!(
            respond("GET", "users-service", Some("v1"), "/api/users").starts_with(r#"{"service""#)
        );
        assert_eq!(
            respond("HEAD", "users-service", Some("v1"), "/api/users/1"),
            ""
        );
    }

    #[test]
    fn every_record_is_json_whatever_the_id() {
        for service in &SampleUpstream::compiled_in().services {
            for id in [
                "1",
                "123",
                "a%22b",
                "0",
                "007",
                "99999999999999999999",
                "{id}",
            ] {
                let path = format!("/api/{}/{id}", service.collection);
                let body = respond("GET", &service.name, None, &path);
                let record: serde_json::Value = serde_json::from_str(&body).unwrap();
                assert_eq!(record["id"].to_string().trim_matches('"'), id);
            }
        }
    }
}
