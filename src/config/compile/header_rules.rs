//! `request_headers` and `response_headers`.

use crate::config::compile::compiler::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::keys::RawHeaderRules;
use crate::config::place::At;
use crate::engine::policy::{HeaderRules, is_reserved};
use crate::engine::routing::Method;

/// Adds rules. Rules for a name replace the present rules for that name.
pub(super) fn set_header_rules(
    compiler: &mut Compiler<'_>,
    rules: &mut HeaderRules,
    raw: &RawHeaderRules,
) {
    let mut new = HeaderRules::default();
    for name in raw.remove.iter().flat_map(|list| &list.value) {
        let name = field_name(compiler, name);
        new.remove
            .extend(name.filter(|name| !new.remove.contains(name)));
    }
    for (name, value) in raw.set.iter().flatten() {
        let text = field_value(compiler, value);
        let (Some(key), Some(text)) = (field_name(compiler, name), text) else {
            continue;
        };
        if new.set.iter().any(|(other, _)| *other == key) {
            let message = format!("header `{key}` is set twice; names are case-insensitive");
            let help = Some("remove one".into());
            compiler.error(name.place, CODE, message, help);
        } else {
            new.set.push((key, text));
        }
    }
    for (name, values) in raw.add.iter().flatten() {
        let Some(key) = field_name(compiler, name) else {
            continue;
        };
        for value in &values.value {
            let text = field_value(compiler, value);
            new.add.extend(text.map(|text| (key.clone(), text)));
        }
    }
    let states = |name: &str| {
        let pairs = new.set.iter().chain(&new.add).map(|(name, _)| name);
        new.remove
            .iter()
            .chain(pairs)
            .any(|stated| **stated == *name)
    };
    rules.remove.retain(|name| !states(name));
    rules.set.retain(|(name, _)| !states(name));
    rules.add.retain(|(name, _)| !states(name));
    rules.remove.extend(new.remove);
    rules.set.extend(new.set);
    rules.add.extend(new.add);
}

/// A header name in lower case. Reports one that rules cannot change.
fn field_name(compiler: &mut Compiler<'_>, at: &At<String>) -> Option<Box<str>> {
    let name = at.value.to_ascii_lowercase();
    let (message, help) = if let Some(pseudo) = name.strip_prefix(':') {
        let help = match pseudo {
            "path" => "use `strip_prefix` or `rewrite_prefix` to change the path",
            "authority" => "use `host: rewrite` to change it",
            _ => "remove it",
        };
        (
            format!("`{name}` is a pseudo-header of HTTP/2, not a header field"),
            help,
        )
    } else if Method::parse(&name).is_err() {
        let message = format!("`{}` is not a header name", excerpt(&at.value));
        (message, "write a token such as X-Tenant")
    } else if name == "host" {
        let message = "header rules cannot change `host`".to_owned();
        (message, "use `host: rewrite`")
    } else if is_reserved(&name) {
        let message = format!("header rules cannot change `{name}`: the gateway sets it");
        (message, "remove it")
    } else {
        return Some(name.into());
    };
    compiler.error(at.place, CODE, message, Some(help.into()));
    None
}

fn field_value(compiler: &mut Compiler<'_>, at: &At<String>) -> Option<Box<str>> {
    let value = at.value.as_str();
    let message = if value.chars().any(char::is_control) {
        "a header value must not contain control characters"
    } else if value.trim() != value {
        "a header value must not begin or end with a space"
    } else {
        return Some(value.into());
    };
    compiler.error(at.place, CODE, message, None);
    None
}

const CODE: &str = "route.header_rules";
