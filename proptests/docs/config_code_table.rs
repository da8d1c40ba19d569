//! What `docs/errors.md` says about each code of a configuration diagnostic.

/// A code of a configuration error, warning or note.
pub(crate) struct ConfigCode {
    pub(crate) name: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) action: &'static str,
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
