//! The descriptions of all codes, for `docs/errors.md`.

/// A code of a response, or of a line of the access log.
pub(crate) struct Code {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) action: &'static str,
}

/// A group of codes with the same origin.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) introduction: &'static str,
    pub(crate) codes: &'static [Code],
}

const fn code(name: &'static str, meaning: &'static str, action: &'static str) -> Code {
    Code {
        name,
        meaning,
        action,
    }
}

pub(crate) const GROUPS: &[Group] = &[
    Group {
        title: "Routing",
        introduction: "The gateway cannot decide on a route and a backend. `tollgate explain` shows the same code.",
        codes: &[
            code(
                "path.invalid",
                "the path has no normal form, or is `*` with a method other than `OPTIONS`",
                "send a path that starts with `/`, with valid percent-escapes, that does not leave the root",
            ),
            code(
                "path.encoded_slash",
                "the path contains `%2F` or `%5C` and the route does not keep them, or they hide a dot segment",
                "send a plain slash, or set `encoded_slashes: keep` for the route",
            ),
            code(
                "query.invalid",
                "the query contains a byte that must be percent-encoded",
                "percent-encode it",
            ),
            code(
                "host.invalid",
                "the host is not a host, perhaps with a port; or the redirect to https needs a host and the request has no valid one",
                "send a valid `Host`",
            ),
            code("host.conflict", "two hosts that differ", "send one `Host`"),
            code(
                "method.invalid",
                "the method is not a token",
                "send a method such as `GET`",
            ),
            code(
                "method.not_allowed",
                "routes match, but none with this method; also on the admin listener",
                "use a method of the `Allow` field",
            ),
            code(
                "route.not_found",
                "no route matches the host, path, headers and query",
                "compare with `tollgate routes`, ask `tollgate explain`",
            ),
            code(
                "version.invalid",
                "a header field should state a version, but is invalid",
                "send a version such as `v2`",
            ),
            code(
                "version.conflict",
                "the request states two different versions",
                "state one version",
            ),
            code(
                "version.unsupported",
                "no route serves the stated version here",
                "use one of the versions that the response lists",
            ),
            code(
                "version.required",
                "the request states no version, and `versioning.default` is `require`",
                "state one of the versions that the response lists",
            ),
            code(
                "backend.none",
                "the service has no backend available",
                "add or register a backend; the client may retry after 5 seconds",
            ),
        ],
    },
    Group {
        title: "Upstream",
        introduction: "The gateway got no usable response from a backend. The key `detail` of the access log has the cause.",
        codes: &[
            code(
                "upstream.connect_failed",
                "the connection was refused, or the host is unreachable",
                "check that the backend runs and listens on its port",
            ),
            code(
                "upstream.connect_timeout",
                "no connection within `connect_timeout`",
                "check the network and firewalls",
            ),
            code(
                "upstream.tls_failed",
                "the TLS handshake failed, or the certificate is not valid for the backend",
                "read the log on standard error, which names the cause; check `tls.ca` and `tls.server_name`",
            ),
            code(
                "upstream.name_unresolved",
                "the host name has no address",
                "check the name and DNS",
            ),
            code(
                "upstream.reset",
                "the backend closed the connection before a complete response head",
                "read the log of the backend",
            ),
            code(
                "upstream.timeout",
                "no response, or no further part of it, in time",
                "raise `timeout`, `try_timeout` or `idle_timeout`, or make the backend faster",
            ),
            code(
                "upstream.bad_response",
                "the response violates the protocol",
                "read `detail` in the access log; fix the backend",
            ),
            code(
                "upstream.header_too_large",
                "the response head exceeds the limit",
                "send smaller header fields",
            ),
            code(
                "upstream.incomplete",
                "the response ended too early; if a part of it was already sent, only the access log has this code",
                "read the log of the backend",
            ),
            code(
                "upstream.body_too_large",
                "the response body exceeds `--max-body-bytes` of `stdio --forward`",
                "raise the limit",
            ),
            code(
                "upstream.overloaded",
                "the backend has as many requests in flight as `max_in_flight` or `limits.in_flight_per_backend` allows",
                "add backends or raise the limit; the client may retry after 1 second",
            ),
        ],
    },
    Group {
        title: "Request",
        introduction: "The request is invalid or exceeds a limit, whatever its route.",
        codes: &[
            code(
                "request.malformed",
                "the request violates its protocol; HTTP/1.1 has [codes of its own](#http11)",
                "fix the client",
            ),
            code(
                "request.plain_http",
                "cleartext HTTP on a TLS listener",
                "use `https://`",
            ),
            code(
                "request.timeout",
                "the request did not arrive in time",
                "send faster, or raise `limits.header_timeout` or `idle_timeout`",
            ),
            code(
                "request.body_too_large",
                "the body exceeds `max_body` of the route",
                "send less, or raise `max_body`",
            ),
            code(
                "request.target_too_long",
                "path and query exceed the limit",
                "send a shorter target",
            ),
            code(
                "request.header_too_large",
                "too many header fields, or too large ones",
                "send fewer or smaller fields",
            ),
            code(
                "http2.connect",
                "`CONNECT` over HTTP/2; the gateway is not a forward proxy",
                "send a request to a route",
            ),
        ],
    },
    Group {
        title: "Gateway",
        introduction: "The gateway itself cannot serve the request.",
        codes: &[
            code(
                "gateway.draining",
                "the gateway is stopping, and `drain_timeout` passed before the response",
                "retry; another process may be listening already",
            ),
            code("gateway.internal", "a bug in the gateway", "report it"),
            code(
                "client.left",
                "access log only: the client disconnected, stopped reading, or broke off its request",
                "none; a high rate indicates slow backends",
            ),
            code(
                "admin.not_found",
                "the admin listener has no such path",
                "use `/health/live`, `/health/ready` or `/stats`",
            ),
        ],
    },
    Group {
        title: "HTTP/1.1",
        introduction: "The request violates RFC 9112, or exceeds a limit of the parser. The message names the place. The connection closes. Fix the client; for a limit, send less.",
        codes: &[
            code(
                "http1.bad_request_line",
                "the request line is not `METHOD target HTTP/1.1`",
                "separate the parts with single spaces",
            ),
            code(
                "http1.method_too_long",
                "the method is longer than any registered one",
                "use a registered method",
            ),
            code(
                "http1.connect",
                "`CONNECT`; the gateway is not a forward proxy",
                "send a request to a route",
            ),
            code(
                "http1.bad_target",
                "the target has none of the forms of RFC 9112, section 3.2",
                "send a path, an absolute URI, or `*` with `OPTIONS`",
            ),
            code(
                "http1.target_too_long",
                "the target exceeds the limit",
                "send a shorter target",
            ),
            code(
                "http1.version_not_supported",
                "neither HTTP/1.1 nor HTTP/1.0",
                "send HTTP/1.1",
            ),
            code(
                "http1.head_too_large",
                "the head or the trailer section exceeds the limit",
                "send smaller fields",
            ),
            code(
                "http1.too_many_fields",
                "more field lines than the limit",
                "send fewer fields",
            ),
            code(
                "http1.too_many_options",
                "`Connection` names too many fields",
                "name fewer",
            ),
            code(
                "http1.bare_lf",
                "a line ends in LF alone",
                "end lines with CR LF",
            ),
            code("http1.bare_cr", "a CR without LF", "end lines with CR LF"),
            code(
                "http1.obs_fold",
                "a field value continues on the next line",
                "send it on one line",
            ),
            code(
                "http1.leading_space",
                "white space before the first field",
                "remove it",
            ),
            code(
                "http1.space_after_name",
                "white space between field name and colon",
                "remove it",
            ),
            code(
                "http1.no_colon",
                "a field line without a colon",
                "send `name: value`",
            ),
            code(
                "http1.bad_field_name",
                "a field name is empty or not a token",
                "use letters, digits and `-`",
            ),
            code(
                "http1.bad_field_value",
                "a control character in a field value",
                "remove it",
            ),
            code(
                "http1.host_missing",
                "HTTP/1.1 without `Host`",
                "send `Host`",
            ),
            code("http1.host_twice", "more than one `Host`", "send it once"),
            code(
                "http1.bad_host",
                "`Host` is not a host with an optional port",
                "send a valid `Host`",
            ),
            code(
                "http1.bad_content_length",
                "`Content-Length` is not a number",
                "send one to eighteen digits",
            ),
            code(
                "http1.content_length_twice",
                "more than one `Content-Length`",
                "send it once",
            ),
            code(
                "http1.length_and_chunked",
                "both `Transfer-Encoding` and `Content-Length`",
                "send one of them",
            ),
            code(
                "http1.chunked_in_http10",
                "`Transfer-Encoding` in HTTP/1.0",
                "send HTTP/1.1",
            ),
            code(
                "http1.transfer_encoding_twice",
                "more than one `Transfer-Encoding`",
                "send `chunked`, once",
            ),
            code(
                "http1.bad_transfer_encoding",
                "an invalid `Transfer-Encoding`",
                "send `chunked`",
            ),
            code(
                "http1.unknown_coding",
                "a transfer coding other than `chunked`",
                "send `chunked`",
            ),
            code(
                "http1.bad_chunk_size",
                "an invalid chunk size",
                "send 1 to 16 hexadecimal digits",
            ),
            code(
                "http1.bad_chunk_extension",
                "an invalid chunk extension",
                "send `;name=value`, or none",
            ),
            code(
                "http1.chunk_extensions_too_large",
                "the chunk extensions outweigh the data",
                "send none",
            ),
            code(
                "http1.bad_chunk_end",
                "no CR LF after the chunk data",
                "send as many bytes as the chunk size says",
            ),
            code(
                "http1.bad_trailers",
                "an invalid trailer section, or one that exceeds a limit",
                "send valid trailers, or none",
            ),
            code(
                "http1.body_cut_off",
                "the connection closed before the end of the body",
                "send the whole body",
            ),
        ],
    },
];

/// Codes of the HTTP/1.1 codec that no client, log or diagnostic shows: the message of the error is
/// the `detail` of `upstream.bad_response` or `upstream.incomplete`.
pub(crate) const CODEC_ONLY: &[&str] = &[
    "http1.bad_status",
    "http1.bad_status_line",
    "http1.send_field",
    "http1.send_method",
    "http1.send_status",
    "http1.send_target",
    "http1.send_until_close",
    "http1.upgrade_unasked",
];
