//! `request_headers` and `response_headers`, given a meaning.

use crate::config::compile::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::raw::At;
use crate::config::raw::policy::RawHeaderRules;
use crate::engine::policy::HeaderRules;
use crate::engine::policy::headers::is_reserved;
use crate::engine::routing::method::Method;

/// Adds rules to those that are there; what is said of a name takes the place of all that was.
pub(super) fn set_header_rules(
    compiler: &mut Compiler<'_>,
    rules: &mut HeaderRules,
    raw: &RawHeaderRules,
) {
    let mut own = HeaderRules::default();
    for name in &raw.remove {
        let name = field_name(compiler, name);
        own.remove
            .extend(name.filter(|name| !own.remove.contains(name)));
    }
    for (name, value) in &raw.set {
        let text = field_value(compiler, value);
        let (Some(key), Some(text)) = (field_name(compiler, name), text) else {
            continue;
        };
        if own.set.iter().any(|(other, _)| *other == key) {
            let message = format!("`{key}` is set twice: names are without case");
            compiler.fault(name.place, CODE, message, None);
        } else {
            own.set.push((key, text));
        }
    }
    for (name, values) in &raw.add {
        let Some(key) = field_name(compiler, name) else {
            continue;
        };
        for value in values {
            let text = field_value(compiler, value);
            own.add.extend(text.map(|text| (key.clone(), text)));
        }
    }
    let states = |name: &str| {
        let pairs = own.set.iter().chain(&own.add).map(|(name, _)| name);
        own.remove.iter().chain(pairs).any(|own| **own == *name)
    };
    rules.remove.retain(|name| !states(name));
    rules.set.retain(|(name, _)| !states(name));
    rules.add.retain(|(name, _)| !states(name));
    rules.remove.extend(own.remove);
    rules.set.extend(own.set);
    rules.add.extend(own.add);
}

/// A name in lower case; a fault if it is none, or one that the gateway alone writes.
fn field_name(compiler: &mut Compiler<'_>, at: &At<String>) -> Option<Box<str>> {
    let name = at.value.to_ascii_lowercase();
    let (message, help) = if let Some(pseudo) = name.strip_prefix(':') {
        let help = match pseudo {
            "path" => "`strip_prefix` and `rewrite_prefix` change the path",
            "authority" => "`host: rewrite` changes it",
            _ => "leave it out",
        };
        (format!("`{name}` is no field, but a part of HTTP/2"), help)
    } else if Method::parse(&name).is_err() {
        let message = format!("`{}` is no name of a header", excerpt(&at.value));
        (message, "a name is a token such as X-Tenant")
    } else if name == "host" {
        let message = "`host` is written by the gateway alone".to_owned();
        (message, "write `host: rewrite` at the route")
    } else if is_reserved(&name) {
        let message = format!("`{name}` is written by the gateway alone");
        (message, "leave it out: each connection has its own")
    } else {
        return Some(name.into());
    };
    compiler.fault(at.place, CODE, message, Some(help.into()));
    None
}

fn field_value(compiler: &mut Compiler<'_>, at: &At<String>) -> Option<Box<str>> {
    let value = at.value.as_str();
    let message = if value.chars().any(char::is_control) {
        "the value of a header is a line of text without control characters"
    } else if value.trim() != value {
        "the value of a header neither begins nor ends with a space"
    } else {
        return Some(value.into());
    };
    compiler.fault(at.place, CODE, message.into(), None);
    None
}

const CODE: &str = "route.header_rules";
