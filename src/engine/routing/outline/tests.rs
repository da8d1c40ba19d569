use super::*;

fn outline(patterns: &[PathPattern]) -> Outline {
    let mut builder = OutlineBuilder::default();
    for (at, pattern) in patterns.iter().enumerate() {
        assert_eq!(builder.group(pattern), Index::new(at));
    }
    builder.finish()
}

fn patterns(texts: &[&str]) -> Vec<PathPattern> {
    texts
        .iter()
        .map(|text| PathPattern::parse(text).unwrap())
        .collect()
}

#[test]
fn matches_come_best_first() {
    let texts = [
        "/*", "/a/*", "/a/{x}", "/{y}/b", "/a/b", "/a", "/a/", "/{y}/*",
    ];
    let outline = outline(&patterns(&texts));
    let found = |path: &str| {
        let mut found = Vec::new();
        let _ = outline.each_match(path, &mut |group| {
            found.push(texts[group.get()]);
            ControlFlow::Continue(())
        });
        found
    };
    assert_eq!(
        found("/a/b"),
        ["/a/b", "/a/{x}", "/a/*", "/{y}/b", "/{y}/*", "/*"]
    );
    assert_eq!(found("/a"), ["/a", "/a/*", "/{y}/*", "/*"]);
    assert_eq!(found("/a/"), ["/a/", "/a/*", "/{y}/*", "/*"]);
    assert_eq!(found("/z/b/c"), ["/{y}/*", "/*"]);
    assert_eq!(found("/"), ["/*"]);
    assert_eq!(found("*"), ["/*"]);
}

#[test]
fn a_subtree_beside_a_parameter_moves_below_it() {
    let keys = |texts: &[&str]| {
        let mut keys = Vec::new();
        outline(&patterns(texts)).each_key(&mut |key, group| {
            keys.push(format!("{key} = {}", texts[group.get()]));
        });
        keys
    };
    assert_eq!(
        keys(&["/u/*"]),
        ["/u = /u/*", "/u/ = /u/*", "/u/{*z} = /u/*"]
    );
    assert_eq!(
        keys(&["/u/*", "/u/{id}"]),
        [
            "/u = /u/*",
            "/u/ = /u/*",
            "/u/{a} = /u/{id}",
            "/u/{a}/ = /u/*",
            "/u/{a}/{*z} = /u/*",
        ]
    );
    assert_eq!(keys(&["/"]), ["/ = /"]);
    assert_eq!(keys(&["/*"]), ["/ = /*", "/{*z} = /*"]);
}

#[test]
fn patterns_that_match_the_same_paths_share_a_group() {
    let patterns = patterns(&["/a/{x}", "/a/{y}"]);
    let mut builder = OutlineBuilder::default();
    let groups: Vec<_> = patterns.iter().map(|p| builder.group(p)).collect();
    assert_eq!(groups, [Index::new(0), Index::new(0)]);
}
