use super::*;

fn pattern(text: &str) -> PathPattern {
    PathPattern::parse(text).unwrap()
}

#[test]
fn matches_and_misses() {
    for (text, hits, misses) in [
        (
            "/api/users/*",
            &[
                "/api/users",
                "/api/users/",
                "/api/users/123",
                "/api/users/1/2",
            ][..],
            &["/api/usersx", "/api", "/", "/api/user"][..],
        ),
        ("/a", &["/a"], &["/a/", "/ab", "/a/b", "/"]),
        ("/a/", &["/a/"], &["/a", "/a/b"]),
        ("/", &["/"], &["/a", "*"]),
        ("/*", &["/", "/a", "/a/b/c/", "*"], &[]),
        ("/{x}", &["/a", "/v1"], &["/", "/a/", "/a/b"]),
        ("/{x}/*", &["/a", "/a/", "/a/b"], &["/"]),
        ("/a/{id}/c", &["/a/b/c"], &["/a//c", "/a/b", "/a/b/c/"]),
    ] {
        let parsed = pattern(text);
        for path in hits {
            assert!(parsed.matches(path), "{text} {path}");
        }
        for path in misses {
            assert!(!parsed.matches(path), "{text} {path}");
        }
        assert!(parsed.matches(&parsed.example()), "{text}");
    }
}

#[test]
fn errors_contain_the_fix() {
    let check = |text: &str, expected: &str| {
        assert_eq!(
            PathPattern::parse(text).unwrap_err().to_string(),
            expected,
            "{text}"
        );
    };
    let star = "`*` is allowed only as the whole last segment, as in /api/users/*";
    check("api", "the pattern must begin with `/`");
    check("", "the pattern must begin with `/`");
    check("/a/*/b", star);
    check("/a*", star);
    check("/a/{*rest}", star);
    check(
        "/a/x{id}",
        "braces must enclose a whole segment, as in /users/{id}; the segment is `x{id}`",
    );
    check(
        "/a/{{x}}",
        "braces must enclose a whole segment, as in /users/{id}; the segment is `{{x}}`",
    );
    check(
        "/a/{}",
        "the parameter name `` is invalid; use letters, digits, `_`, `-` and `.`",
    );
    check("/{a}/{a}", "the parameter `a` occurs twice; rename one");
    check(
        "/a?b=1",
        "the pattern has `?`, but matches the path only; remove it and what follows (`query:` matches queries)",
    );
    check(
        "/a//b",
        "no request would match: paths are compared in normal form; write `/a/b`",
    );
    check(
        "/%7euser",
        "no request would match: paths are compared in normal form; write `/~user`",
    );
    check(
        "/a/../b",
        "no request would match: paths are compared in normal form; write `/b`",
    );
    let many: String = (0..25).map(|i| format!("/{{p{i}}}")).collect();
    check(
        &many,
        "the pattern has 25 parameters; at most 24 are allowed",
    );
    assert!(matches!(
        PathPattern::parse("/a b"),
        Err(PatternError::Impossible(_))
    ));
}

#[test]
fn rank_goes_segment_by_segment() {
    let ranked = ["/a/b", "/a/{x}", "/a", "/a/*", "/{x}/b", "/{x}", "/*"].map(pattern);
    assert!(
        ranked
            .windows(2)
            .all(|pair| pair[0].cmp_rank(&pair[1]) == Ordering::Less)
    );
    assert_eq!(
        pattern("/a/{x}").cmp_rank(&pattern("/b/{y}")),
        Ordering::Equal
    );
}

#[test]
fn versions_in_patterns() {
    let v2 = ApiVersion::parse("v2").unwrap();
    assert_eq!(pattern("/api/v2/users/*").version_segment(), Some((1, v2)));
    assert_eq!(pattern("/v2/v3").version_segment(), Some((0, v2)));
    assert_eq!(pattern("/api/V2/{v1}").version_segment(), None);
    assert_eq!(
        pattern("/api/v2/*").without_segment(1),
        Some(pattern("/api/*"))
    );
    assert_eq!(pattern("/v2/*").without_segment(0), Some(pattern("/*")));
    assert_eq!(pattern("/v2/").without_segment(0), Some(pattern("/")));
    assert_eq!(pattern("/v2").without_segment(0), None);
    assert_eq!(
        pattern("/api/*").with_segment(1, "v2"),
        pattern("/api/v2/*")
    );
    assert_eq!(pattern("/a").with_segment(1, "v2"), pattern("/a/v2"));
}

#[test]
fn literal_prefixes() {
    for (text, prefix) in [
        ("/api/users/*", "/api/users"),
        ("/api/users/", "/api/users"),
        ("/api/{x}/y", "/api"),
        ("/*", ""),
        ("/", ""),
        ("/{x}", ""),
    ] {
        assert_eq!(pattern(text).literal_prefix(), prefix, "{text}");
    }
}
