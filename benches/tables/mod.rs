//! The tables of the benches, generated deterministically.

#![allow(dead_code, reason = "each bench uses some of it")]

use std::sync::Arc;

use tollgate::config::{LoadOptions, load_json};
use tollgate::engine::snapshot::Snapshot;
use tollgate::engine::upstream::Registry;

/// A compiled table and paths to look up in it.
pub(crate) struct Scene {
    /// The table with its backends.
    pub(crate) snapshot: Snapshot,
    /// Paths that match a route, in random order.
    pub(crate) hits: Vec<String>,
    /// Paths that match no route, in random order.
    pub(crate) misses: Vec<String>,
}

impl Scene {
    fn new(json: &str, hits: Vec<String>, misses: Vec<String>) -> Self {
        let loaded = load_json(json, LoadOptions::INIT).expect("the table loads");
        let mut registry = Registry::default();
        let configured = loaded.configured.into();
        let snapshot = Snapshot::new(Arc::new(loaded.table), configured, &mut registry, None);
        Self {
            snapshot,
            hits: shuffled(hits),
            misses: shuffled(misses),
        }
    }

    /// A bare matchit trie with the same keys, cloned like that of the router.
    pub(crate) fn bare_trie(&self) -> matchit::Router<u32> {
        let mut trie = matchit::Router::new();
        for (key, value) in self
            .snapshot
            .table()
            .trie_keys()
            .concat()
            .into_iter()
            .zip(0..)
        {
            trie.insert(key, value)
                .expect("the keys are those of a trie");
        }
        trie.clone()
    }
}

/// `count` services, each with `/api/NAME/*` (v1) and `/api/v2/NAME/*`: twice as many routes.
pub(crate) fn services(count: usize) -> Scene {
    let names: Vec<String> = (0..count).map(service_name).collect();
    let hit = |name: &String| {
        [
            format!("/api/{name}/items/12345"),
            format!("/api/v2/{name}/12345"),
        ]
    };
    let miss = |name: &String| {
        [
            format!("/api/{name}x/items/12345"),
            format!("/apiv2/{name}"),
        ]
    };
    let hits = names.iter().flat_map(hit).collect();
    let misses = names.iter().flat_map(miss).collect();
    Scene::new(&services_json(count), hits, misses)
}

/// The table of [`services`] as JSON.
pub(crate) fn services_json(count: usize) -> String {
    let routes: Vec<String> = (0..count)
        .flat_map(|at| {
            let name = service_name(at);
            [
                format!(
                    r#"{{"path_pattern":"/api/{name}/*","service":"{name}","version":"v1","backends":["{name}-1:8080","{name}-2:8080"]}}"#
                ),
                format!(
                    r#"{{"path_pattern":"/api/v2/{name}/*","service":"{name}","backends":["{name}-v2-1:8080"]}}"#
                ),
            ]
        })
        .collect();
    format!(r#"{{"routes":[{}]}}"#, routes.join(","))
}

/// Routes like those of a large public REST API, one per path.
pub(crate) fn github() -> Scene {
    let patterns: Vec<&str> = GITHUB_LIKE.split_whitespace().collect();
    let route = |pattern: &&str| {
        format!(r#"{{"path_pattern":"{pattern}","service":"api","backends":["api-1:8080"]}}"#)
    };
    let routes: Vec<String> = patterns.iter().map(route).collect();
    let json = format!(r#"{{"routes":[{}]}}"#, routes.join(","));
    let fill = |pattern: &&str| {
        let parts = pattern.split('/').map(|part| {
            if part.starts_with('{') {
                "value42"
            } else {
                part
            }
        });
        parts.collect::<Vec<_>>().join("/")
    };
    let hits: Vec<String> = patterns.iter().map(fill).collect();
    let misses = hits
        .iter()
        .map(|path| format!("{path}/no/such/thing"))
        .collect();
    Scene::new(&json, hits, misses)
}

fn service_name(at: usize) -> String {
    const STEMS: [&str; 10] = [
        "users",
        "orders",
        "products",
        "payments",
        "inventory",
        "shipping",
        "billing",
        "search",
        "reviews",
        "notifications",
    ];
    let stem = STEMS.iter().cycle().nth(at % STEMS.len()).unwrap_or(&"x");
    format!("{stem}-{at}")
}

/// A Fisher-Yates shuffle with a fixed linear congruential generator.
fn shuffled(mut paths: Vec<String>) -> Vec<String> {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    for at in (1..paths.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bound = u64::try_from(at + 1).unwrap_or(1);
        let other = usize::try_from((state >> 33) % bound).unwrap_or(0);
        paths.swap(at, other);
    }
    paths
}

const GITHUB_LIKE: &str = "
/authorizations /authorizations/{id} /applications/{client_id}/tokens/{access_token} /events
/repos/{owner}/{repo}/events /networks/{owner}/{repo}/events /orgs/{org}/events
/users/{user}/received_events /users/{user}/received_events/public /users/{user}/events
/users/{user}/events/public /users/{user}/events/orgs/{org} /feeds /notifications
/repos/{owner}/{repo}/notifications /notifications/threads/{id}
/notifications/threads/{id}/subscription /repos/{owner}/{repo}/stargazers /users/{user}/starred
/user/starred /user/starred/{owner}/{repo} /repos/{owner}/{repo}/subscribers
/users/{user}/subscriptions /user/subscriptions /repos/{owner}/{repo}/subscription
/user/subscriptions/{owner}/{repo} /users/{user}/gists /gists /gists/{id} /gists/{id}/star
/repos/{owner}/{repo}/git/blobs/{sha} /repos/{owner}/{repo}/git/commits/{sha}
/repos/{owner}/{repo}/git/refs /repos/{owner}/{repo}/git/tags/{sha}
/repos/{owner}/{repo}/git/trees/{sha} /issues /user/issues /orgs/{org}/issues
/repos/{owner}/{repo}/issues /repos/{owner}/{repo}/issues/{number}
/repos/{owner}/{repo}/assignees /repos/{owner}/{repo}/assignees/{assignee}
/repos/{owner}/{repo}/issues/{number}/comments /repos/{owner}/{repo}/issues/{number}/events
/repos/{owner}/{repo}/labels /repos/{owner}/{repo}/labels/{name}
/repos/{owner}/{repo}/issues/{number}/labels /repos/{owner}/{repo}/milestones/{number}/labels
/repos/{owner}/{repo}/milestones /repos/{owner}/{repo}/milestones/{number} /emojis
/gitignore/templates /gitignore/templates/{name} /meta /rate_limit /users/{user}/orgs /user/orgs
/orgs/{org} /orgs/{org}/members /orgs/{org}/members/{user} /orgs/{org}/public_members
/orgs/{org}/public_members/{user} /orgs/{org}/teams /teams/{id} /teams/{id}/members
/teams/{id}/members/{user} /teams/{id}/repos /teams/{id}/repos/{owner}/{repo} /user/teams
/repos/{owner}/{repo}/pulls /repos/{owner}/{repo}/pulls/{number}
/repos/{owner}/{repo}/pulls/{number}/commits /repos/{owner}/{repo}/pulls/{number}/files
/repos/{owner}/{repo}/pulls/{number}/merge /repos/{owner}/{repo}/pulls/{number}/comments
/user/repos /users/{user}/repos /orgs/{org}/repos /repositories /repos/{owner}/{repo}
/repos/{owner}/{repo}/contributors /repos/{owner}/{repo}/languages /repos/{owner}/{repo}/teams
/repos/{owner}/{repo}/tags /repos/{owner}/{repo}/branches
/repos/{owner}/{repo}/branches/{branch} /repos/{owner}/{repo}/collaborators
/repos/{owner}/{repo}/collaborators/{user} /repos/{owner}/{repo}/comments
/repos/{owner}/{repo}/commits/{sha}/comments /repos/{owner}/{repo}/commits
/repos/{owner}/{repo}/commits/{sha} /repos/{owner}/{repo}/readme /repos/{owner}/{repo}/keys
/repos/{owner}/{repo}/keys/{id} /repos/{owner}/{repo}/downloads
/repos/{owner}/{repo}/downloads/{id} /repos/{owner}/{repo}/forks /repos/{owner}/{repo}/hooks
/repos/{owner}/{repo}/hooks/{id} /repos/{owner}/{repo}/releases
/repos/{owner}/{repo}/releases/{id} /repos/{owner}/{repo}/releases/{id}/assets
/repos/{owner}/{repo}/stats/contributors /repos/{owner}/{repo}/stats/commit_activity
/repos/{owner}/{repo}/stats/code_frequency /repos/{owner}/{repo}/stats/participation
/repos/{owner}/{repo}/stats/punch_card /repos/{owner}/{repo}/statuses/{ref}
/search/repositories /search/code /search/issues /search/users
/legacy/issues/search/{owner}/{repo}/{state}/{keyword} /legacy/repos/search/{keyword}
/legacy/user/search/{keyword} /legacy/user/email/{email} /users/{user} /user /users /user/emails
/users/{user}/followers /user/followers /users/{user}/following /user/following
/user/following/{user} /users/{user}/following/{target_user} /users/{user}/keys /user/keys
/user/keys/{id}
";
