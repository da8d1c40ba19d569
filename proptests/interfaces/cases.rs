//! Requests whose result is known, with the rule that determines it: requests on which interfaces once
//! differed, and requests that reach each result of admission.

use crate::request::ClientRequest;

/// A request, the status, and the code of a rejection or the name of the route.
pub(crate) type Case = (ClientRequest, u64, &'static str);

fn get(target: &str) -> ClientRequest {
    ClientRequest::new("GET", target)
}

fn options(target: &str) -> ClientRequest {
    ClientRequest::new("OPTIONS", target)
}

/// Requests on which the interfaces once differed.
pub(crate) fn differences() -> Vec<Case> {
    let last_hop = |target: &str| options(target).field("Max-Forwards", "0");
    vec![
        // RFC 9110, section 7.6.2: it is not forwarded, whatever route it would take.
        (last_hop("/nowhere"), 204, ""),
        (last_hop("/search"), 204, ""),
        (last_hop("*"), 204, ""),
        // RFC 9112, section 3.2: a server rejects every request with an invalid `Host`, also one that
        // ends here. stdio and HTTP/2 accepted invalid ports.
        (get("/search").host("a.test:x"), 400, "host.invalid"),
        (get("/search").host("a.test:808080"), 400, "host.invalid"),
        (get("/search").host("a.test,b.test"), 400, "host.invalid"),
        (
            get("/search").absolute("http", "a.test:x"),
            400,
            "host.invalid",
        ),
        (last_hop("/search").host("a.test:x"), 400, "host.invalid"),
        (last_hop("/search").host("a b"), 400, "host.invalid"),
        (
            get("/search").host("a.test:x").absolute("http", "a.test"),
            400,
            "host.invalid",
        ),
        // RFC 9110, section 4.2.4: a user in an authority is an error. stdio ignored it.
        (
            get("/search").absolute("http", "user@a.test"),
            400,
            "host.invalid",
        ),
        // RFC 9110, section 15.5.15: stdio had no limit.
        (
            get(&format!("/{}", "x".repeat(9000))),
            414,
            "request.target_too_long",
        ),
        // RFC 9112, section 3.2.4: the asterisk form. stdio took it for `/`.
        (options("").absolute("http", "catch.test"), 200, "catch-all"),
        // RFC 9110, section 4.2.1: a URI without a host is invalid. stdio served it.
        (get("/search").absolute("http", ""), 400, "path.invalid"),
    ]
}

/// Requests that reach every result of admission.
pub(crate) fn results() -> Vec<Case> {
    let preflight = |target: &str, method: &str| {
        let request = options(target).field("Origin", "https://app.test");
        request.field("Access-Control-Request-Method", method)
    };
    let long = "x".repeat(17);
    let post = |target: &str, body: &str| ClientRequest::new("POST", target).body(body);
    vec![
        (get("/api/users/1"), 200, "users-v1"),
        (
            get("/api/users/1").field("Accept-Version", "2"),
            200,
            "users-v2",
        ),
        (
            get("/dated").field("Api-Version", "2026-01-31"),
            200,
            "dated-new",
        ),
        (get("/orders/1"), 200, "order"),
        (post("/orders/1", "x"), 200, "order-post"),
        (get("/tenant/1").field("x-tenant", "acme"), 200, "acme"),
        (get("/tenant/1").field("x-tenant", "beta"), 200, "b-tenants"),
        (get("/search?page"), 200, "page"),
        (get("/host/1").host("shop.test"), 200, "shop"),
        (get("/host/1").host("WWW.shop.test.:80"), 200, "shops"),
        (get("/host/1").host(""), 200, "any-host"),
        (get("/host/1").absolute("HTTP", "shop.test"), 200, "shop"),
        (options("*").host("catch.test"), 200, "catch-all"),
        (get("/raw/a%2Fb"), 200, "raw"),
        (post("/upload", "0123456789abcdef"), 200, "upload"),
        (preflight("/cors/1", "PUT"), 204, ""),
        (get("/old/1?x"), 301, ""),
        (get("/moved/1"), 308, ""),
        (get("/api/users/%zz"), 400, "path.invalid"),
        (get("/api/../.."), 400, "path.invalid"),
        (get("/api/users/a%2Fb"), 400, "path.encoded_slash"),
        (
            get("/api/users/1").field("Api-Version", "x"),
            400,
            "version.invalid",
        ),
        (
            get("/api/users/1").field("Api-Version", "v9"),
            400,
            "version.unsupported",
        ),
        (
            get("/api/v1/users/1").field("Api-Version", "v2"),
            400,
            "version.conflict",
        ),
        (options("*"), 404, "route.not_found"),
        (preflight("/cors/1", "DELETE"), 405, "method.not_allowed"),
        (
            ClientRequest::new("PATCH", "/orders/1"),
            405,
            "method.not_allowed",
        ),
        (
            ClientRequest::new("get", "/orders/1"),
            405,
            "method.not_allowed",
        ),
        (post("/upload", &long), 413, "request.body_too_large"),
        (get("/empty/1"), 503, "backend.none"),
    ]
}
