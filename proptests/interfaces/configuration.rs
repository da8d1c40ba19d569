//! One configuration that covers everything that admission decides.

use serde_json::{Value, json};

use crate::backend::Recorder;

/// The field by which a backend learns the name of the route.
pub(crate) const ROUTE_FIELD: &str = "x-route";

/// The configuration as text, with backends of the recorder.
pub(crate) fn configuration(recorder: &Recorder) -> String {
    let routes = [
        plain_routes(),
        constrained_routes(),
        policy_routes(),
        path_routes(),
    ];
    let mut routes: Vec<Value> = routes.into_iter().flatten().collect();
    for route in &mut routes {
        if route.get("redirect").is_none() {
            let name = route["name"].clone();
            route["request_headers"]["set"][ROUTE_FIELD] = name;
        }
    }
    let mut services = services(recorder);
    for route in &routes {
        let Some(service) = route["service"].as_str() else {
            continue;
        };
        if services.get(service).is_none() {
            services[service] = json!({"backends": backends(recorder, service)});
        }
    }
    json!({"routes": routes, "services": services}).to_string()
}

/// Two backends of a cluster, so that the cursor of a route moves. Which of the two gets a request
/// depends on the requests before it; the cluster does not.
fn backends(recorder: &Recorder, cluster: &str) -> [String; 2] {
    [recorder.backend(cluster), recorder.backend(cluster)]
}

/// The services with versions, or without backends; each cluster is named `service version`.
fn services(recorder: &Recorder) -> Value {
    json!({
        "users": {"versions": {
            "v1": {"backends": backends(recorder, "users v1"), "deprecated": "2026-01-31",
                   "sunset": "2036-12-31", "link": "https://a.test/v2"},
            "v2": {"backends": backends(recorder, "users v2")},
        }},
        "dated": {"versions": {
            "v1": {"backends": backends(recorder, "dated v1")},
            "2026-01-31": {"backends": backends(recorder, "dated 2026-01-31")},
        }},
        "modern": {"protocol": "h2", "backends": [recorder.backend_of_http2("modern")]},
        "empty": {"backends": []},
    })
}

/// Versions, families, methods.
fn plain_routes() -> Vec<Value> {
    vec![
        json!({"name": "users-v1", "path_pattern": "/api/users/*", "service": "users", "version": "v1"}),
        json!({"name": "users-v2", "path_pattern": "/api/v2/users/*", "service": "users"}),
        json!({"name": "dated-v1", "path_pattern": "/dated", "service": "dated", "version": "v1"}),
        json!({"name": "dated-new", "path_pattern": "/dated", "service": "dated",
               "version": "2026-01-31", "methods": ["GET", "OPTIONS"]}),
        json!({"name": "order", "path_pattern": "/orders/{id}", "service": "orders",
               "methods": ["GET", "PUT", "DELETE"]}),
        json!({"name": "order-post", "path_pattern": "/orders/{id}", "service": "new-orders",
               "methods": ["POST"]}),
        json!({"name": "modern", "path_pattern": "/modern/*", "service": "modern"}),
        json!({"name": "empty", "path_pattern": "/empty/*", "service": "empty", "cors": "any",
               "max_body": 16}),
    ]
}

/// Hosts, header and query constraints.
fn constrained_routes() -> Vec<Value> {
    vec![
        json!({"name": "acme", "path_pattern": "/tenant/*", "service": "acme",
               "headers": {"x-tenant": "acme"}}),
        json!({"name": "b-tenants", "path_pattern": "/tenant/*", "service": "b-tenants",
               "headers": {"x-tenant": {"prefix": "b"}}}),
        json!({"name": "page", "path_pattern": "/search", "service": "page",
               "query": {"page": {"present": true}}}),
        json!({"name": "search", "path_pattern": "/search", "service": "search"}),
        json!({"name": "shop", "path_pattern": "/host/*", "service": "shop", "hosts": ["shop.test"]}),
        json!({"name": "shops", "path_pattern": "/host/*", "service": "shops",
               "hosts": ["*.shop.test"]}),
        json!({"name": "any-host", "path_pattern": "/host/*", "service": "any-host"}),
        json!({"name": "catch-all", "path_pattern": "/*", "service": "catch-all",
               "hosts": ["catch.test"]}),
    ]
}

/// CORS, body limits, header rules, redirects.
fn policy_routes() -> Vec<Value> {
    let cors = json!({"origins": ["https://app.test"], "credentials": true, "max_age": "5m",
                      "expose": ["x-total"], "headers": ["x-a", "x-b"]});
    vec![
        json!({"name": "cors", "path_pattern": "/cors/*", "service": "cors",
               "methods": ["GET", "PUT"], "cors": cors}),
        json!({"name": "open", "path_pattern": "/open/*", "service": "open", "cors": "any",
               "max_body": 16}),
        json!({"name": "upload", "path_pattern": "/upload", "service": "upload",
               "methods": ["POST", "PUT"], "max_body": 16}),
        json!({"name": "rules", "path_pattern": "/rules/*", "service": "rules", "host": "rewrite",
               "request_headers": {"set": {"x-set": "new"}, "add": {"x-add": ["b", "c"]},
                                   "remove": ["x-gone"]},
               "response_headers": {"set": {"x-set": "new"}, "add": {"x-add": "2"},
                                    "remove": ["server"]}}),
        json!({"name": "old", "path_pattern": "/old/*", "cors": "any",
               "redirect": {"to": "/api/users/*", "status": 301}}),
        json!({"name": "moved", "path_pattern": "/moved/{id}", "methods": ["GET"],
               "redirect": "https://new.test/x"}),
    ]
}

/// Prefixes and encoded slashes.
fn path_routes() -> Vec<Value> {
    vec![
        json!({"name": "strip", "path_pattern": "/strip/*", "service": "strip",
               "strip_prefix": true}),
        json!({"name": "strip-some", "path_pattern": "/strip/some/{id}", "service": "strip-some",
               "strip_prefix": "/strip"}),
        json!({"name": "rewrite", "path_pattern": "/shop/*", "service": "rewrite",
               "rewrite_prefix": "/in/ner"}),
        json!({"name": "raw", "path_pattern": "/raw/*", "service": "raw",
               "encoded_slashes": "keep"}),
        json!({"name": "raw-strip", "path_pattern": "/raw/strip/*", "service": "raw-strip",
               "encoded_slashes": "keep", "strip_prefix": true}),
    ]
}
