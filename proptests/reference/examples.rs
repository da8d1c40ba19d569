//! Hand-written examples of the routing rules: patterns, precedence, hosts and paths.

use crate::reference::scenario::{check, check_errors};

#[test]
fn a_subtree_ends_at_a_segment() {
    check(
        "
        /api/users/* users
        GET /api/users => /api/users/* - -> /api/users
        GET /api/users/ => /api/users/* - -> /api/users/
        GET /api/users/123 => /api/users/* - -> /api/users/123
        GET /api/users/1/2?q=1 => /api/users/* - -> /api/users/1/2
        GET /api/usersx => 404 route.not_found
        GET /api => 404 route.not_found
        ",
    );
}

#[test]
fn without_a_star_the_match_is_exact() {
    check(
        "
        /a s
        /b/ s
        /c/{id} s
        / s
        GET /a => /a - -> /a
        GET /a/ => 404 route.not_found
        GET /b => 404 route.not_found
        GET /b/ => /b/ - -> /b/
        GET /c/1 => /c/{id} - -> /c/1
        GET /c/ => 404 route.not_found
        GET /c/1/ => 404 route.not_found
        GET / => / - -> /
        ",
    );
}

#[test]
fn star_alone_matches_everything() {
    check(
        "
        /* s strip=true
        GET / => /* strip=true - -> /
        GET /a/b/ => /* strip=true - -> /a/b/
        OPTIONS * => /* strip=true - -> *
        GET * => 400 path.invalid
        ",
    );
    check(
        "
        /{a}/* s
        OPTIONS * => 404 route.not_found
        ",
    );
}

#[test]
fn literal_before_param_before_end_before_star() {
    check(
        "
        /* s
        /{a} s
        /{a}/* s
        /a/* s
        /a s
        /a/{b} s
        /{a}/b s
        GET /a => /a - -> /a
        GET /b => /{a} - -> /b
        GET /b/ => /{a}/* - -> /b/
        GET /a/b => /a/{b} - -> /a/b
        GET /a/b/c => /a/* - -> /a/b/c
        GET /c/b => /{a}/b - -> /c/b
        GET / => /* - -> /
        ",
    );
}

#[test]
fn host_exact_then_longest_suffix_then_any() {
    check(
        "
        /* s hosts=*.example.com
        /* s hosts=*.b.example.com
        /* s hosts=a.b.example.com
        /x s
        GET /x | Host: a.b.example.com => /* hosts=a.b.example.com - -> /x
        GET /x | Host: A.B.Example.com.:8080 => /* hosts=a.b.example.com - -> /x
        GET /x | Host: c.b.example.com => /* hosts=*.b.example.com - -> /x
        GET /x | Host: d.c.b.example.com => /* hosts=*.b.example.com - -> /x
        GET /x | Host: b.example.com => /* hosts=*.example.com - -> /x
        GET /x | Host: example.com => /x - -> /x
        GET /x | Host: xexample.com => /x - -> /x
        GET /x => /x - -> /x
        GET /y => 404 route.not_found
        ",
    );
}

#[test]
fn fewer_methods_then_more_headers_then_more_query() {
    check(
        "
        /a s
        /a s methods=GET,POST
        /a s methods=POST
        /a s header=x:1
        /a s header=x:1 header=y:present
        /a s query=q:1
        /a s query=q:prefix:2
        POST /a => /a methods=POST - -> /a
        GET /a => /a methods=GET,POST - -> /a
        HEAD /a => /a methods=GET,POST - -> /a
        PUT /a => /a - -> /a
        PUT /a | X: 1 => /a header=x:1 - -> /a
        PUT /a?q=1 | x: 2 | x:   1 => /a header=x:1 - -> /a
        PUT /a | x: 1 | y: 0 => /a header=x:1 header=y:present - -> /a
        PUT /a?q=%31 => /a query=q:1 - -> /a
        PUT /a?p&q=21 => /a query=q:prefix:2 - -> /a
        PUT /a?q=3 => /a - -> /a
        ",
    );
}

#[test]
fn unserved_requests_are_404_or_405() {
    check(
        "
        /a s methods=GET,POST
        /a s methods=PUT header=x:1
        /b s header=x:1
        DELETE /a => 405 method.not_allowed GET HEAD POST
        PUT /a => 405 method.not_allowed GET HEAD POST
        DELETE /a | x: 1 => 405 method.not_allowed GET HEAD POST PUT
        GET /b => 404 route.not_found
        ",
    );
    check(
        "
        /a s methods=GET
        /a t methods=HEAD
        HEAD /a => /a methods=HEAD - -> /a
        GET /a => /a methods=GET - -> /a
        PUT /a => 405 method.not_allowed GET HEAD
        ",
    );
    // No method would be admitted here.
    check(
        "
        /r/{x} s methods=GET
        POST /r/a%2Fb => 400 path.encoded_slash
        POST /r/a => 405 method.not_allowed GET HEAD
        ",
    );
}

#[test]
fn a_failing_constraint_tries_the_next() {
    check(
        "
        /a/{id} s methods=GET
        /a/* t
        /* u hosts=a.test methods=PUT
        POST /a/1 => /a/* - -> /a/1
        POST /a/1 | Host: a.test => /a/* - -> /a/1
        GET /a/1 | Host: a.test => /a/{id} methods=GET - -> /a/1
        ",
    );
}

#[test]
fn a_prefix_replaces_the_stripped_one() {
    check(
        "
        /api/users/* users strip=true rewrite=/internal
        GET /api/users/123 => /api/users/* strip=true rewrite=/internal - -> /internal/123
        GET /api/users => /api/users/* strip=true rewrite=/internal - -> /internal
        GET /api/users/ => /api/users/* strip=true rewrite=/internal - -> /internal/

        /v/users/* users strip=/v rewrite=/
        GET /v/users/1 => /v/users/* strip=/v rewrite=/ - -> /users/1

        /a/* s rewrite=/i/j
        GET /a/b => /a/* rewrite=/i/j - -> /i/j/a/b
        OPTIONS /a => /a/* rewrite=/i/j - -> /i/j/a

        /* s strip=true rewrite=/i
        GET / => /* strip=true rewrite=/i - -> /i/
        OPTIONS * => /* strip=true rewrite=/i - -> *
        ",
    );
}

/// Regression: `/v1`, which is empty without its version, had another upstream path than `/`.
#[test]
fn a_prefix_precedes_the_root_that_remains_without_the_version() {
    check(
        "
        /* s version=v1 rewrite=/i
        /v2/* s
        GET / => /* version=v1 rewrite=/i v1 -> /i/
        GET /v1 => /* version=v1 rewrite=/i v1 -> /i/
        GET /v1/ => /* version=v1 rewrite=/i v1 -> /i/
        GET /v1/a => /* version=v1 rewrite=/i v1 -> /i/a
        ",
    );
}

#[test]
fn a_prefix_is_stripped_from_the_declared_path() {
    check(
        "
        /api/users/* users strip=true
        GET /api/users/123 => /api/users/* strip=true - -> /123
        GET /api/users => /api/users/* strip=true - -> /
        GET /api/users/ => /api/users/* strip=true - -> /
        ",
    );
    check(
        "
        /api/users/* users version=v1 strip=true
        /api/v2/users/* users strip=/api
        GET /api/v1/users/1 => /api/users/* version=v1 strip=true v1 -> /1
        GET /api/users/1 | api-version: 2 => /api/v2/users/* strip=/api v2 -> /v2/users/1
        ",
    );
    check(
        "
        /a/{id}/b s strip=true
        GET /a/1/b => /a/{id}/b strip=true - -> /1/b
        ",
    );
}

#[test]
fn an_encoded_slash_needs_leave() {
    check(
        "
        /a/{id} s
        /b/{id} s keep
        GET /a/1%2F2 => 400 path.encoded_slash
        GET /b/1%2F2 => /b/{id} keep - -> /b/1%2F2
        GET /b/1%2F.. => 400 path.encoded_slash
        GET /b/.%5C2 => 400 path.encoded_slash
        GET /c/1%2F2 => 404 route.not_found
        ",
    );
}

#[test]
fn the_built_in_table() {
    check(
        "
        /api/users/* users-service version=v1
        /api/v2/users/* users-service version=v2
        /api/orders/* orders-service version=v1
        GET /api/v2/users/123 => /api/v2/users/* version=v2 v2 -> /api/v2/users/123
        GET /api/orders => /api/orders/* version=v1 v1 -> /api/orders
        GET /api/v1/orders/1 => 404 route.not_found
        GET /api/v1/users/1 => /api/users/* version=v1 v1 -> /api/users/1
        ",
    );
}

#[test]
fn what_earlier_routes_cover_together_is_unreachable() {
    let dead = "route.unreachable";
    check_errors("/ s\n/{p}/* t\n/* u", &[(dead, 2)]);
    check_errors(
        "/a s methods=GET\n/a t methods=POST\n/a u methods=GET,POST",
        &[(dead, 2)],
    );
    check_errors("/a/* s\n/a/{x} t\n/a t\n/a/ t\n/a/{x}/* t", &[(dead, 0)]);
    check_errors("/a s header=x:present\n/a t header=x:1\n/a u", &[]);
    check_errors("/a s hosts=a.test,b.test\n/* t hosts=a.test\n/a u", &[]);
    check_errors(
        "versioning: from=path\n/a s version=v1\n/a s version=v2",
        &[(dead, 1)],
    );
    check_errors("/a s version=v1\n/a s version=v2\n/a t", &[]);
}

#[test]
fn ties_need_an_overlap_without_a_subset() {
    check_errors(
        "/a s methods=GET,POST\n/a t methods=POST,PUT",
        &[("route.tie", 1)],
    );
    check_errors(
        "/a s hosts=a.test,b.test\n/a t hosts=b.test,c.test",
        &[("route.tie", 1)],
    );
    check_errors("/a s hosts=a.test,b.test\n/a t hosts=b.test", &[]);
    check_errors(
        "/a s methods=GET,POST\n/a t methods=POST,PUT header=x:1",
        &[],
    );
}
