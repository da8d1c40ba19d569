//! The head of a request for a backend that speaks HTTP/2 (RFC 9113, section 8.3.1).

use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, header};

use crate::engine::semantics::edit::Edits;
use crate::engine::upstream::backend::{Address, Scheme};
use crate::runtime::edits::apply_edits;
use crate::runtime::upstream::UpstreamError;

/// What the gateway says of a request that it passes on.
pub(super) struct StreamHead<'a> {
    pub(super) method: &'a str,
    /// Path and query in pieces.
    pub(super) target: &'a [&'a str],
    /// What the backend is asked for; it is not empty.
    pub(super) host: &'a str,
    /// Whether the client takes trailers; who speaks gRPC insists on being told.
    pub(super) te_trailers: bool,
    pub(super) edits: &'a Edits,
}

impl StreamHead<'_> {
    /// The whole head, with the fields that came and are passed on.
    pub(super) fn request(
        &self,
        backend: &Address,
        mut fields: HeaderMap,
    ) -> Result<Request<()>, UpstreamError> {
        let bad = |what: &str| UpstreamError::BadResponse(format!("the request has {what}"));
        let scheme = match backend.scheme() {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(self.host)
            .path_and_query(self.target.concat());
        let uri = uri
            .build()
            .map_err(|_| bad("a target that HTTP/2 cannot say"))?;
        let method = Method::from_bytes(self.method.as_bytes());
        apply_edits(&mut fields, self.edits);
        if self.te_trailers {
            fields.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        let mut request = Request::new(());
        *request.method_mut() = method.map_err(|_| bad("a method that HTTP/2 cannot say"))?;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = fields;
        Ok(request)
    }
}
