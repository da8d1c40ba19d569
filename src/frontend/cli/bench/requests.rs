//! The requests of `tollgate bench`, generated from the routes that it measures.

use crate::engine::plan::decide;
use crate::engine::request::RawRequest;
use crate::engine::routing::versioning::VersionSources;
use crate::engine::routing::{
    ApiVersion, Constraint, HostPattern, ListedEntry, RouteId, VersionSource,
};
use crate::engine::snapshot::Snapshot;

/// A generated request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    method: String,
    target: String,
    host: Option<String>,
    headers: Vec<(String, String)>,
}

/// Requests that a route matches, and requests that no route matches.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub(super) hits: Vec<Sample>,
    pub(super) misses: Vec<Sample>,
}

impl Sample {
    /// The request for the engine.
    pub(super) fn request(&self) -> RawRequest<'_, [(String, String)]> {
        RawRequest {
            method: &self.method,
            target: &self.target,
            host: self.host.as_deref(),
            headers: &self.headers,
        }
    }

    /// A request for one form of a route. It states a version in its path only.
    fn for_form(form: &ListedEntry<'_>) -> Self {
        let route = form.route;
        let headers = route.headers().iter();
        Self {
            method: route
                .methods()
                .as_listed()
                .first()
                .map_or_else(|| "GET".into(), |method| method.to_string()),
            target: form.pattern.example() + &query(route.query()),
            host: match form.host {
                HostPattern::Exact(host) => Some(host.to_string()),
                HostPattern::Suffix(suffix) => Some(format!("bench.{suffix}")),
                HostPattern::Any => None,
            },
            headers: headers
                .map(|header| (header.name.to_string(), header.test.example().into()))
                .collect(),
        }
    }

    fn with_version(mut self, version: ApiVersion, from: VersionSources) -> Self {
        let source = VersionSource::ALL
            .into_iter()
            .filter(|source| from.contains(*source))
            .find(|source| !matches!(source, VersionSource::Path | VersionSource::Accept));
        if let Some(source) = source {
            let field = (source.name().to_owned(), version.to_string());
            self.headers.push(field);
        } else if from.contains(VersionSource::Accept) {
            let media_type = format!("application/vnd.bench.{version}");
            self.headers.push(("accept".into(), media_type));
        }
        self
    }

    /// The same request with an unknown last segment.
    fn with_unknown_segment(&self) -> Self {
        let path = self.target.split('?').next().unwrap_or_default();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        Self {
            target: format!("{parent}/{UNKNOWN}"),
            ..self.clone()
        }
    }

    /// The same request for an unknown host.
    fn with_unknown_host(&self) -> Self {
        Self {
            host: Some(format!("{UNKNOWN}.invalid")),
            ..self.clone()
        }
    }
}

impl Samples {
    /// Requests for every form of the table, or for [`MAX_FORMS`] of them if there are more.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let listing = snapshot.table().listing();
        let stride = listing.len().div_ceil(MAX_FORMS).max(1);
        let mut samples = Self::default();
        for form in listing.iter().step_by(stride) {
            let hit = samples.add_hit(form, snapshot);
            let misses = [hit.with_unknown_segment(), hit.with_unknown_host()];
            let miss = misses
                .into_iter()
                .find(|miss| decide(snapshot, &miss.request()).is_err());
            samples.misses.extend(miss);
        }
        shuffle(&mut samples.hits);
        shuffle(&mut samples.misses);
        samples
    }

    fn add_hit(&mut self, form: &ListedEntry<'_>, snapshot: &Snapshot) -> Sample {
        let plain = Sample::for_form(form);
        let from = snapshot.table().versioning().from;
        let hit = match form.version {
            Some(version) if winner(snapshot, &plain) != Some(form.route_id) => {
                plain.with_version(version, from)
            }
            _ => plain,
        };
        if winner(snapshot, &hit).is_some() {
            self.hits.push(hit.clone());
        }
        hit
    }
}

fn winner(snapshot: &Snapshot, sample: &Sample) -> Option<RouteId> {
    let plan = decide(snapshot, &sample.request()).ok();
    plan.map(|plan| plan.route_id())
}

/// A query that satisfies all constraints, such as `?page=1&q=x%20y`.
fn query(constraints: &[Constraint]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
                b => format!("%{b:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = constraints
        .iter()
        .map(|one| format!("{}={}", encode(&one.name), encode(one.test.example())))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

/// Shuffles in a fixed order, with the random number generator of Knuth's MMIX.
fn shuffle(samples: &mut [Sample]) {
    let mut state = INCREMENT;
    for last in (1..samples.len()).rev() {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
        let below = u64::try_from(last).unwrap_or(u64::MAX) + 1;
        // The high bits: the low bits of a linear congruential generator have short periods.
        let other = usize::try_from((state >> 32) % below).unwrap_or(0);
        samples.swap(last, other);
    }
}

/// The maximum number of forms to generate requests for.
const MAX_FORMS: usize = 65_536;

const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
const INCREMENT: u64 = 1_442_695_040_888_963_407;

/// A segment and host label that no configuration has.
const UNKNOWN: &str = "tollgate-bench-unknown";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LoadOptions, builtin, load_file};

    fn samples(text: &str) -> Samples {
        let loaded = load_file(text, LoadOptions::FILE).unwrap();
        Samples::of(&loaded.into_snapshot())
    }

    #[test]
    fn the_built_in_table() {
        let samples = samples(builtin::TEXT);
        // Five declared patterns, and two derived from the versions of the users service.
        assert_eq!((samples.hits.len(), samples.misses.len()), (7, 7));
        let states = |sample: &&Sample| !sample.headers.is_empty();
        let stated: Vec<_> = samples.hits.iter().filter(states).collect();
        assert_eq!(stated.len(), 1);
        assert_eq!(stated[0].target, "/api/users");
        let field = ("accept-version".to_owned(), "v2".to_owned());
        assert_eq!(stated[0].headers, [field]);
    }

    #[test]
    fn requests_satisfy_all_constraints() {
        let samples = samples(
            "routes: [{path_pattern: '/a/{id}', hosts: ['*.a.test'], methods: [POST],
            headers: {x: b}, query: {'q r': {prefix: 'ä'}}, service: s, backends: [a]}]",
        );
        let expected = Sample {
            method: "POST".into(),
            target: "/a/1?q%20r=%C3%A4".into(),
            host: Some("bench.a.test".into()),
            headers: vec![("x".into(), "b".into())],
        };
        assert_eq!(samples.hits, [expected]);
        assert_eq!(samples.misses.len(), 1);
    }

    #[test]
    fn a_route_for_every_path_has_no_misses() {
        let samples = samples("routes: [{path_pattern: /*, service: s, backends: [a]}]");
        assert_eq!((samples.hits.len(), samples.misses.len()), (1, 0));
    }

    #[test]
    fn the_shuffle_is_deterministic() {
        let sample = |at: usize| Sample {
            method: at.to_string(),
            ..samples_of_one().hits.remove(0)
        };
        let mut shuffled: Vec<Sample> = (0..50).map(sample).collect();
        let in_order = shuffled.clone();
        shuffle(&mut shuffled);
        assert_ne!(shuffled, in_order);
        let mut again = in_order.clone();
        shuffle(&mut again);
        assert_eq!(again, shuffled);
        shuffled.sort_by_key(|sample| sample.method.parse::<u32>().unwrap());
        assert_eq!(shuffled, in_order);
    }

    fn samples_of_one() -> Samples {
        samples("routes: [{path_pattern: /*, service: s, backends: [a]}]")
    }
}
