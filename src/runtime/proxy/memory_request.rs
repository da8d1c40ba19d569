//! A request in memory, made within this process.

use bytes::Bytes;

use crate::engine::semantics::{Cause, RequestError};
use crate::http1::{self, BodyLength, FieldKind, HeadLimits, is_protected_field};

/// A request in memory.
#[derive(Debug)]
pub(crate) struct MemoryRequest {
    /// The method.
    pub(crate) method: String,
    /// Path and query, or `*`.
    pub(crate) target: String,
    /// The host that it names, if it names one.
    pub(crate) host: Option<String>,
    /// The header fields, without white space around the values.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub(crate) body: Option<Bytes>,
    /// The fields that `Connection` names.
    connection_options: Vec<String>,
}

impl MemoryRequest {
    /// A request with these header fields; white space around values is removed.
    pub(crate) fn new(
        (method, target, host): (&str, &str, Option<&str>),
        fields: impl Iterator<Item = (String, String)>,
        body: Option<Bytes>,
    ) -> Self {
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut connection_options = Vec::new();
        for (name, value) in fields {
            if name.eq_ignore_ascii_case("connection") {
                let options = value.split(',').map(str::trim);
                let options = options.filter(|it| !is_protected_field(it.as_bytes()));
                connection_options.extend(options.map(Into::into));
            }
            headers.push((name, value.trim_matches([' ', '\t']).to_owned()));
        }
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            host: host.map(ToOwned::to_owned),
            headers,
            body,
            connection_options,
        }
    }

    /// The length of the body. A method that usually has one states that it has none (RFC 9110,
    /// section 8.6).
    pub(crate) fn body_length(&self) -> BodyLength {
        match &self.body {
            Some(body) => BodyLength::Length(u64::try_from(body.len()).unwrap_or(u64::MAX)),
            None if matches!(&*self.method, "POST" | "PUT" | "PATCH") => BodyLength::Length(0),
            None => BodyLength::None,
        }
    }

    /// All fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let fields = self.headers.iter();
        fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    }

    /// The fields that are forwarded.
    pub(super) fn end_to_end_fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let fields = self.headers.iter().filter(|(name, _)| {
            let mut options = self.connection_options.iter();
            let is_named = options.any(|it| it.eq_ignore_ascii_case(name));
            FieldKind::of(name.as_bytes()).is_end_to_end() && !is_named
        });
        fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    }

    /// Whether trailers are accepted.
    pub(super) fn te_trailers(&self) -> bool {
        let mut fields = self.headers.iter();
        fields.any(|(name, value)| {
            name.eq_ignore_ascii_case("te") && value.eq_ignore_ascii_case("trailers")
        })
    }

    /// Checks the head; see [`check_head`].
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check_head(&self, limits: &HeadLimits) -> Result<(), Cause<'static>> {
        let fields = self.headers.iter();
        let sizes = fields.map(|(name, value)| name.len() + value.len());
        check_head((&self.method, &self.target), sizes, limits)
    }
}

/// Checks a head that no codec has read against the limits that it would have over HTTP. `sizes` are
/// the bytes of each field, name and value.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_head(
    (method, target): (&str, &str),
    sizes: impl ExactSizeIterator<Item = usize>,
    limits: &HeadLimits,
) -> Result<(), Cause<'static>> {
    if method == "CONNECT" {
        let error = http1::RequestHeadError::Connect;
        return Err(Cause::Codec {
            code: error.code(),
            status: error.status(),
            message: error.to_string(),
        });
    }
    if target.len() > limits.max_target_bytes {
        return Err(RequestError::TargetTooLong.into());
    }
    let count = sizes.len();
    // As HTTP/1.1 lines, each with a colon, a space and a line end.
    let bytes: usize = sizes.map(|bytes| bytes + 4).sum();
    if count > limits.max_fields || bytes > limits.max_head_bytes {
        return Err(RequestError::HeaderTooLarge.into());
    }
    Ok(())
}
