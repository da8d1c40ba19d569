//! `headers` and `query` of a route.

use crate::config::compile::compiler::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::keys::RawMatch;
use crate::config::place::At;
use crate::config::read::Either;
use crate::engine::routing::{Constraint, Method, ValueTest};

type RawConstraints = [(At<String>, Either<At<String>, RawMatch>)];

/// The constraints on header fields.
pub(super) fn headers(compiler: &mut Compiler<'_>, raw: &RawConstraints) -> Vec<Constraint> {
    let mut constraints: Vec<Constraint> = Vec::new();
    for (name, raw) in raw {
        let key = name.value.to_ascii_lowercase();
        if Method::parse(&key).is_err() {
            let message = format!("`{}` is not a header name", excerpt(&name.value));
            let help = Some("write a token such as X-Tenant".into());
            compiler.error(name.place, "route.headers", message, help);
        } else if constraints.iter().any(|other| *other.name == *key) {
            let message = format!("header `{key}` is listed twice; names are case-insensitive");
            let help = Some("remove one".into());
            compiler.error(name.place, "route.headers", message, help);
        } else if let Some(test) = test(compiler, raw) {
            let name = key.into();
            constraints.push(Constraint { name, test });
        }
    }
    constraints
}

/// The constraints on query parameters.
pub(super) fn query(compiler: &mut Compiler<'_>, raw: &RawConstraints) -> Vec<Constraint> {
    let mut constraints = Vec::with_capacity(raw.len());
    for (name, raw) in raw {
        let name = name.value.as_str().into();
        constraints.extend(test(compiler, raw).map(|test| Constraint { name, test }));
    }
    constraints
}

fn test(compiler: &mut Compiler<'_>, raw: &Either<At<String>, RawMatch>) -> Option<ValueTest> {
    match raw {
        Either::First(exact) => Some(ValueTest::Exact(exact.value.as_str().into())),
        Either::Second(RawMatch {
            present: Some(()),
            prefix: Some(prefix),
        }) => {
            let message = "`present` and `prefix` exclude each other";
            let help = Some("remove `present`: a value with a prefix is present".into());
            compiler.error(prefix.place, "config.type", message, help);
            None
        }
        Either::Second(RawMatch {
            prefix: Some(prefix),
            ..
        }) => Some(ValueTest::Prefix(prefix.value.as_str().into())),
        Either::Second(RawMatch {
            present: Some(()), ..
        }) => Some(ValueTest::Present),
        Either::Second(RawMatch {
            present: None,
            prefix: None,
        }) => None,
    }
}
