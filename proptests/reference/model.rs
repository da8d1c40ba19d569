//! The inputs and outputs of the tests: a table, a request and an outcome, with plain fields.

use serde_json::{Map, Value, json};

/// A table of routes, as a configuration states it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Table {
    pub(crate) routes: Vec<Route>,
    pub(crate) versioning: Versioning,
}

/// The `versioning` section; `None` fields are omitted and have their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Versioning {
    /// `oldest` (the default), `newest` or `require`.
    pub(crate) default: Option<String>,
    /// The sources of a version to read; all five by default.
    pub(crate) from: Option<Vec<String>>,
    /// Whether to derive entries within families; true by default.
    pub(crate) derive: Option<bool>,
}

impl Versioning {
    /// Whether this source of a version is read.
    pub(crate) fn reads(&self, source: &str) -> bool {
        self.from
            .as_ref()
            .is_none_or(|from| from.iter().any(|listed| listed == source))
    }

    pub(crate) fn derives(&self) -> bool {
        self.derive != Some(false) && self.reads("path")
    }

    pub(crate) fn newest_first(&self) -> bool {
        self.default.as_deref() == Some("newest")
    }

    pub(crate) fn requires(&self) -> bool {
        self.default.as_deref() == Some("require")
    }
}

/// A route; an empty list is omitted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) pattern: String,
    pub(crate) service: String,
    pub(crate) version: Option<String>,
    pub(crate) hosts: Vec<String>,
    pub(crate) methods: Vec<String>,
    pub(crate) headers: Vec<(String, Constraint)>,
    pub(crate) query: Vec<(String, Constraint)>,
    pub(crate) strip_prefix: Strip,
    /// The `rewrite_prefix`, without a final slash but for `/` alone.
    pub(crate) rewrite_prefix: Option<String>,
    /// Whether `encoded_slashes: keep` is stated.
    pub(crate) encoded_slashes: bool,
}

/// A constraint on a header or query parameter. The order is that of the sorted values (rank 6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Constraint {
    Exact(String),
    Prefix(String),
    Present,
}

/// The `strip_prefix` of a route.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Strip {
    #[default]
    Off,
    /// `true`: the literal segments before the first parameter or `*`.
    Literals,
    /// These leading literal segments, such as `/api`.
    Prefix(String),
}

/// One request; `path` is a normal path, or `*`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) host: Option<String>,
    /// Without `Host`.
    pub(crate) headers: Vec<(String, String)>,
}

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Hit {
        route: String,
        /// The canonical text: `v2` or `2026-01-31`.
        version: Option<String>,
        /// Without the query, which is always forwarded unchanged.
        upstream_path: String,
    },
    Rejected {
        code: &'static str,
        status: u16,
        /// Sorted; only of `method.not_allowed`.
        allow: Vec<String>,
        /// From the oldest on; only of `version.unsupported` and `version.required`.
        versions: Vec<String>,
    },
}

/// An error of a table: its code and the index of the route, if it concerns one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Diagnostic {
    pub(crate) code: String,
    pub(crate) route: Option<usize>,
}

/// The table as the fields of an `init` message.
pub(crate) fn to_json(table: &Table) -> String {
    let routes: Vec<Value> = table.routes.iter().map(route_json).collect();
    let mut versioning = Map::new();
    let stated = &table.versioning;
    put(
        &mut versioning,
        "default",
        stated.default.as_ref().map(|default| json!(default)),
    );
    put(
        &mut versioning,
        "from",
        stated.from.as_ref().map(|from| json!(from)),
    );
    put(
        &mut versioning,
        "derive",
        stated.derive.map(|derive| json!(derive)),
    );
    let mut top = Map::new();
    put(&mut top, "routes", Some(json!(routes)));
    put(
        &mut top,
        "versioning",
        (!versioning.is_empty()).then_some(Value::Object(versioning)),
    );
    Value::Object(top).to_string()
}

fn route_json(route: &Route) -> Value {
    let strip = match &route.strip_prefix {
        // Beside a `rewrite_prefix` the default is `true`.
        Strip::Off => route.rewrite_prefix.as_ref().map(|_| json!(false)),
        Strip::Literals => Some(json!(true)),
        Strip::Prefix(prefix) => Some(json!(prefix)),
    };
    let mut fields = Map::new();
    put(&mut fields, "name", Some(json!(route.name)));
    put(&mut fields, "path_pattern", Some(json!(route.pattern)));
    put(&mut fields, "service", Some(json!(route.service)));
    put(
        &mut fields,
        "version",
        route.version.as_ref().map(|version| json!(version)),
    );
    put(&mut fields, "hosts", list_json(&route.hosts));
    put(&mut fields, "methods", list_json(&route.methods));
    put(&mut fields, "headers", constraints_json(&route.headers));
    put(&mut fields, "query", constraints_json(&route.query));
    put(&mut fields, "strip_prefix", strip);
    let rewrite = route.rewrite_prefix.as_ref();
    put(
        &mut fields,
        "rewrite_prefix",
        rewrite.map(|prefix| json!(prefix)),
    );
    put(
        &mut fields,
        "encoded_slashes",
        route.encoded_slashes.then(|| json!("keep")),
    );
    put(&mut fields, "backends", Some(json!(["backend-1:8080"])));
    Value::Object(fields)
}

fn put(fields: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        fields.insert(key.to_owned(), value);
    }
}

fn list_json(values: &[String]) -> Option<Value> {
    (!values.is_empty()).then(|| json!(values))
}

fn constraints_json(constraints: &[(String, Constraint)]) -> Option<Value> {
    let mut fields = Map::new();
    for (name, constraint) in constraints {
        let value = match constraint {
            Constraint::Exact(value) => json!(value),
            Constraint::Prefix(prefix) => json!({"prefix": prefix}),
            Constraint::Present => json!({"present": true}),
        };
        fields.insert(name.clone(), value);
    }
    (!fields.is_empty()).then_some(Value::Object(fields))
}
