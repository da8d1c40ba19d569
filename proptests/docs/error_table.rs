//! What `docs/errors.md` says about each code: the one place where a code is described.

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

/// A code of a configuration error, warning or note.
pub(crate) struct ConfigCode {
    pub(crate) name: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) action: &'static str,
}

const fn code(name: &'static str, meaning: &'static str, action: &'static str) -> Code {
    Code {
        name,
        meaning,
        action,
    }
}

const fn error(name: &'static str, meaning: &'static str, action: &'static str) -> ConfigCode {
    ConfigCode {
        name,
        severity: "error",
        meaning,
        action,
    }
}

const fn of_severity(severity: &'static str, code: ConfigCode) -> ConfigCode {
    ConfigCode { severity, ..code }
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
                "the host contains an invalid byte, or the redirect to https needs a host and there is none",
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

pub(crate) const CONFIG: &[ConfigCode] = &[
    error(
        "config.unreadable",
        "the file cannot be read",
        "check its name and permissions",
    ),
    error(
        "config.syntax",
        "not YAML or JSON, not UTF-8, a number out of range, too large, or nested too deeply",
        "fix the text at the place shown",
    ),
    error(
        "config.unknown_key",
        "an unknown key; in an `init` a warning",
        "use the suggested key",
    ),
    error(
        "config.not_built",
        "a key for a feature that does not exist yet; in an `init` a warning",
        "remove it",
    ),
    error(
        "config.duplicate_key",
        "a key or a version that occurs twice",
        "remove one",
    ),
    error("config.missing_key", "a required key is missing", "add it"),
    error(
        "config.type",
        "a value of the wrong type",
        "write the type that the message names; quote numbers that are text",
    ),
    error(
        "config.value",
        "an unknown word, or a duration, size, number or name that is invalid or out of range",
        "use one of the values that the message lists",
    ),
    of_severity(
        "warning",
        error(
            "config.of_process",
            "a process setting in an `init`, where it has no effect",
            "set it in the file that the process starts with",
        ),
    ),
    of_severity(
        "note",
        error(
            "config.more",
            "more diagnostics of the same severity, which are not shown",
            "fix those shown first",
        ),
    ),
    error(
        "listen.address",
        "an invalid address, or an empty list",
        "write `host:port`",
    ),
    error(
        "listen.duplicate",
        "an address that occurs twice",
        "remove one",
    ),
    error(
        "listen.tls",
        "TLS without a certificate, beside a redirect to https, or with contradictory settings",
        "see the message",
    ),
    error(
        "route.path_pattern",
        "an invalid pattern, or one that no normal path can match",
        "write one such as `/api/users/*`",
    ),
    error(
        "route.name",
        "an empty name, or one with several lines",
        "write a short name",
    ),
    error(
        "route.name_taken",
        "the name of another route",
        "choose another name",
    ),
    error(
        "route.hosts",
        "an invalid or duplicate host, or an empty list",
        "write one such as `*.example.com`",
    ),
    error(
        "route.methods",
        "an invalid or duplicate method, or an empty list",
        "write one such as `GET`",
    ),
    error(
        "route.headers",
        "an invalid or duplicate header name",
        "write one such as `x-tenant`",
    ),
    error(
        "route.strip_prefix",
        "not made of whole literal segments at the start of the pattern",
        "strip `/api` of `/api/users/*`, for example",
    ),
    error(
        "route.rewrite_prefix",
        "not a path of literal segments in its normal form",
        "write one such as `/internal`",
    ),
    error(
        "route.redirect",
        "an invalid target, a `*` without counterpart, or a redirect beside settings for forwarding",
        "see the message",
    ),
    error(
        "route.header_rules",
        "an invalid name or value, or a field that only the gateway writes",
        "see the message",
    ),
    error(
        "route.cors",
        "an invalid origin, method or header; `*` beside others or with `credentials`",
        "see the message",
    ),
    error(
        "route.duplicate",
        "two routes with the same conditions",
        "remove one",
    ),
    error(
        "route.tie",
        "two routes that match the same requests, without an order between them",
        "make one more specific",
    ),
    error(
        "route.unreachable",
        "a route that can never win; a warning with `--allow-unreachable`",
        "remove it, or make the other route more specific",
    ),
    of_severity(
        "note",
        error(
            "route.overlap",
            "two routes whose different constraints can both hold",
            "none, if the order shown is intended",
        ),
    ),
    of_severity(
        "note",
        error(
            "route.derived",
            "a derived pattern takes paths from a wider route of another service",
            "none, if intended",
        ),
    ),
    error(
        "service.name",
        "an empty service name, or one with several lines",
        "write a short name",
    ),
    error(
        "service.unknown",
        "a service that is not configured",
        "add it to `services`, or list `backends`",
    ),
    error(
        "service.no_version",
        "a version that the service does not have",
        "add it to the service",
    ),
    error(
        "service.upstream",
        "`tls` for backends without TLS, or `protocol`, `tls`, `max_in_flight` without backends",
        "see the message",
    ),
    of_severity(
        "warning",
        error(
            "service.unused",
            "a service without a route",
            "remove it or add a route",
        ),
    ),
    error(
        "backend.address",
        "an invalid address",
        "write `host:port` or `https://host:port`",
    ),
    error(
        "backend.duplicate",
        "an address that occurs twice in one list",
        "remove one",
    ),
    error(
        "backend.twice",
        "`backends` at both the route and its service",
        "remove one",
    ),
    error(
        "version.invalid",
        "an invalid version",
        "write one such as `v1`",
    ),
    error(
        "version.lifecycle",
        "an invalid date or link, a sunset before the deprecation, or a link without either",
        "see the message",
    ),
];
