//! Hand-written examples of the routing rules: versions and families.

use crate::reference::scenario::check;

#[test]
fn a_stated_version_does_not_fall_to_a_catch_all() {
    check(
        "
        /users/* users version=v1
        /* pages
        GET /users/1 | Accept-Version: v9 => 400 version.unsupported v1
        GET /users/1 | Accept-Version: v1 => /users/* version=v1 v1 -> /users/1
        GET /users/1 => /users/* version=v1 v1 -> /users/1
        GET /home | Accept-Version: v9 => /* - -> /home
        GET /home | Accept-Version: nonsense => /* - -> /home
        GET /users/1 | Accept-Version: nonsense => 400 version.invalid
        GET /users/1 | Accept-Version: 1 | Api-Version: V1 => /users/* version=v1 v1 -> /users/1
        GET /users/1 | Accept-Version: 1 | Api-Version: V2 => 400 version.conflict
        ",
    );
}

#[test]
fn a_stated_version_may_fall_to_its_service_or_pattern() {
    check(
        "
        /a/{id} s version=v1
        /a/* s version=v2
        /* t
        GET /a/1 | X-API-Version: 2 => /a/* version=v2 v2 -> /a/1
        GET /a/1 | X-API-Version: 3 => 400 version.unsupported v1 v2
        ",
    );
    check(
        "
        /a s version=v1
        /a t version=v2 hosts=a.test
        GET /a | Host: a.test | Accept-Version: v1 => /a version=v1 v1 -> /a
        ",
    );
}

#[test]
fn a_family_is_reached_by_path_and_by_header() {
    check(
        "
        /api/users/* users version=v1
        /api/v2/users/* users
        GET /api/users/1 | Accept-Version: v2 => /api/v2/users/* v2 -> /api/v2/users/1
        GET /api/users/1 | Accept-Version: v1 => /api/users/* version=v1 v1 -> /api/users/1
        GET /api/v1/users/1 => /api/users/* version=v1 v1 -> /api/users/1
        GET /api/v2/users/1 => /api/v2/users/* v2 -> /api/v2/users/1
        GET /api/users/1 => /api/users/* version=v1 v1 -> /api/users/1
        GET /api/v3/users/9 => 404 route.not_found
        GET /api/users/9 | Accept-Version: v3 => 400 version.unsupported v1 v2
        GET /api/v2/users/1 | Accept-Version: v1 => 400 version.conflict
        GET /api/v2/users/1 | Accept-Version: v2 => /api/v2/users/* v2 -> /api/v2/users/1
        GET /api/users => /api/users/* version=v1 v1 -> /api/users
        GET /api/v1/users => /api/users/* version=v1 v1 -> /api/users
        ",
    );
}

#[test]
fn without_derivation_each_form_stands_alone() {
    check(
        "
        versioning: derive=false
        /api/users/* users version=v1
        /api/v2/users/* users
        GET /api/v1/users/1 => 404 route.not_found
        GET /api/users/1 | Accept-Version: v2 => 400 version.unsupported v1
        GET /api/v2/users/1 => /api/v2/users/* v2 -> /api/v2/users/1
        ",
    );
    check(
        "
        /api/users/* users version=v1
        GET /api/users/v2/1 => /api/users/* version=v1 v1 -> /api/users/v2/1
        GET /api/v1/users/1 => 404 route.not_found
        ",
    );
}

#[test]
fn the_default_version_is_the_oldest_unless_configured() {
    check(
        "
        /api/v1/users/* users
        /api/v2/users/* users
        GET /api/users/9 => /api/v1/users/* v1 -> /api/v1/users/9
        GET /api/users/9 | api-version: 2 => /api/v2/users/* v2 -> /api/v2/users/9
        ",
    );
    check(
        "
        versioning: default=newest
        /api/v1/users/* users
        /api/v2/users/* users
        GET /api/users/9 => /api/v2/users/* v2 -> /api/v2/users/9
        ",
    );
    check(
        "
        versioning: default=require
        /api/v1/users/* users
        /api/v2/users/* users
        GET /api/users/9 => 400 version.required v1 v2
        GET /api/v1/users/9 => /api/v1/users/* v1 -> /api/v1/users/9
        GET /api/users/9 | api-version: 2 => /api/v2/users/* v2 -> /api/v2/users/9
        ",
    );
}

#[test]
fn a_declared_plain_route_comes_before_the_default() {
    check(
        "
        versioning: default=newest
        /api/users/* users version=v1
        /api/v2/users/* users
        GET /api/users/1 => /api/users/* version=v1 v1 -> /api/users/1
        ",
    );
    check(
        "
        versioning: default=require
        /api/users/* users version=v1
        /api/v2/users/* users
        GET /api/users/1 => /api/users/* version=v1 v1 -> /api/users/1
        ",
    );
}

#[test]
fn numbers_order_as_numbers_and_before_dates() {
    check(
        "
        /a s version=v10
        /a s version=v9
        /a s version=2026-01-31
        GET /a => /a version=v9 v9 -> /a
        GET /a | Accept-Version: 2026-01-31 => /a version=2026-01-31 2026-01-31 -> /a
        GET /a | Accept-Version: v3 => 400 version.unsupported v9 v10 2026-01-31
        ",
    );
    check(
        "
        versioning: default=newest
        /a s version=v10
        /a s version=2026-01-31
        GET /a => /a version=2026-01-31 2026-01-31 -> /a
        ",
    );
}

#[test]
fn field_and_segment_that_differ_leave_plain_text() {
    check(
        "
        /v1/a s version=v2
        /v1/b s version=v1
        GET /v1/a => /v1/a version=v2 v2 -> /v1/a
        GET /v1/a | Accept-Version: v2 => /v1/a version=v2 v2 -> /v1/a
        GET /v1/a | Accept-Version: v1 => 400 version.unsupported v2
        GET /v1/b | Accept-Version: v2 => 400 version.conflict
        ",
    );
}

#[test]
fn only_the_named_sources_count() {
    check(
        "
        versioning: from=x-api-version
        /v1/a s
        /v2/a s
        /b s version=v1
        GET /v1/a | Accept-Version: v2 => /v1/a - -> /v1/a
        GET /a => 404 route.not_found
        GET /b | Accept-Version: v2 => /b version=v1 v1 -> /b
        GET /b | X-API-Version: v2 => 400 version.unsupported v1
        ",
    );
}

#[test]
fn accept_is_a_preference_only() {
    check(
        "
        /users/* users version=v1
        /v2/users/* users
        GET /users/1 | Accept: application/vnd.acme.v2+json => /v2/users/* v2 -> /v2/users/1
        GET /users/1 | Accept: application/vnd.acme.v2 => /v2/users/* v2 -> /v2/users/1
        GET /users/1 | Accept: application/vnd.acme.v9+json => /users/* version=v1 v1 -> /users/1
        GET /users/1 | Accept: application/vnd.acme.v9, application/vnd.acme.v2;q=0.1 => /v2/users/* v2 -> /v2/users/1
        GET /users/1 | Accept: application/vnd.acme.v2;q=0.4, application/vnd.acme.v1;q=0.5 => /users/* version=v1 v1 -> /users/1
        GET /users/1 | Accept: application/vnd.acme.v2;q=0 => /users/* version=v1 v1 -> /users/1
        GET /users/1 | Accept: application/vnd.acme.v2 | Accept-Version: v1 => /users/* version=v1 v1 -> /users/1
        GET /v1/users/1 | Accept: application/vnd.acme.v2 => /users/* version=v1 v1 -> /users/1
        ",
    );
    check(
        "
        versioning: default=require
        /a s version=v1
        /a s version=v2
        GET /a | Accept: application/vnd.acme.v2+json => /a version=v2 v2 -> /a
        GET /a | Accept: */* => 400 version.required v1 v2
        ",
    );
}
