use super::*;
use crate::engine::routing::method::Method;

fn spec(pattern: &str) -> RouteSpec {
    RouteSpec {
        name: None,
        pattern: PathPattern::parse(pattern).unwrap(),
        hosts: Vec::new(),
        methods: MethodSet::Any,
        headers: Vec::new(),
        query: Vec::new(),
        service: "users".into(),
        version: None,
        strip_prefix: StripPrefix::Nothing,
        rewrite_prefix: None,
        is_redirect: false,
        keeps_encoded_slashes: false,
    }
}

#[test]
fn the_field_overrides_the_version_segment() {
    let version = |pattern: &str, field: Option<&str>| {
        let version = field.map(|v| ApiVersion::parse(v).unwrap());
        let route = Route::new(
            RouteSpec {
                version,
                ..spec(pattern)
            },
            true,
        )
        .unwrap();
        let at = Some(route.version_at()).filter(|at| *at != NO_SEGMENT);
        (route.version().map(|v| v.to_string()), at)
    };
    assert_eq!(version("/api/users/*", None), (None, None));
    assert_eq!(
        version("/api/v2/users/*", None),
        (Some("v2".into()), Some(1))
    );
    assert_eq!(
        version("/api/v2/users/*", Some("2")),
        (Some("v2".into()), Some(1))
    );
    assert_eq!(
        version("/api/v2/users/*", Some("v3")),
        (Some("v3".into()), None)
    );
    assert_eq!(
        version("/api/users/*", Some("v1")),
        (Some("v1".into()), None)
    );
}

#[test]
fn strip_prefix_is_whole_leading_literals() {
    let strip = |pattern: &str, strip_prefix: StripPrefix| {
        Route::new(
            RouteSpec {
                strip_prefix,
                ..spec(pattern)
            },
            true,
        )
        .map(|route| route.stripped_prefix().unwrap_or("").to_owned())
        .map_err(|error| error.to_string())
    };
    let text = |text: &str| StripPrefix::Text(text.into());
    assert_eq!(
        strip("/api/users/*", StripPrefix::Literals),
        Ok("/api/users".into())
    );
    assert_eq!(
        strip("/api/{id}/x", StripPrefix::Literals),
        Ok("/api".into())
    );
    assert_eq!(strip("/api/users/*", text("/api")), Ok("/api".into()));
    assert_eq!(strip("/api/users/*", text("/api/")), Ok("/api".into()));
    assert_eq!(strip("/*", StripPrefix::Literals), Ok(String::new()));
    assert_eq!(
        strip("/api/users/*", text("/ap")).unwrap_err(),
        "`/ap` is not a leading part of `/api/users/*` in whole literal segments; at most `/api/users` can be stripped"
    );
    assert!(strip("/api/{id}/x", text("/api/{id}")).is_err());
}

#[test]
fn a_rewrite_prefix_is_a_clean_path_of_literals() {
    let rewrite = |text: &str| {
        let spec = RouteSpec {
            rewrite_prefix: Some(text.into()),
            ..spec("/a/*")
        };
        Route::new(spec, true).map(|route| route.rewrite_prefix().to_owned())
    };
    for (text, expected) in [
        ("/", ""),
        ("/internal", "/internal"),
        ("/internal/", "/internal"),
        ("/a/b%20c", "/a/b%20c"),
    ] {
        assert_eq!(rewrite(text).as_deref(), Ok(expected), "{text}");
    }
    for wrong in [
        "",
        "a",
        "*",
        "//",
        "//a",
        "/a//",
        "/a//b",
        "/a/../b",
        "/a/.",
        "/{id}",
        "/a/*",
        "/*",
        "/a?b",
        "/a#b",
        "/a b",
        "/%61",
        "/a%2Fb",
        "/a%2F..",
        "/\r\nX: y",
        "http://a.test",
    ] {
        assert!(rewrite(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_default_name_is_the_whole_match_and_the_service() {
    let post = Method::parse("POST").unwrap();
    let full = RouteSpec {
        hosts: vec![
            HostPattern::parse("*.b.test").unwrap(),
            HostPattern::parse("a.test").unwrap(),
        ],
        methods: MethodSet::listed([post]),
        ..spec("/api/v2/users/*")
    };
    let route = Route::new(full, true).unwrap();
    assert_eq!(
        route.name(),
        "POST a.test,*.b.test/api/v2/users/* v2 -> users"
    );
}
