//! `cors`, given a meaning (the Fetch standard, section 3.2).

use std::time::Duration;

use crate::config::compile::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::document::Place;
use crate::config::quantity::{NONE, UP_TO_A_DAY_OR_NONE};
use crate::config::raw::At;
use crate::config::raw::policy::RawCors;
use crate::engine::policy::Cors;
use crate::engine::routing::method::Method;

/// What pages of other origins may do; none if nothing is to be added, or nothing could be read.
pub(super) fn cors(compiler: &mut Compiler<'_>, raw: &RawCors) -> Option<Cors> {
    let mut cors = Cors {
        origins: vec![ANY.into()],
        methods: Vec::new(),
        headers: Vec::new(),
        expose: Vec::new(),
        credentials: false,
        max_age: Duration::from_secs(600),
    };
    match raw {
        RawCors::Word(word) => compiler
            .choose(word, &[("any", true), (NONE, false)])
            .unwrap_or_default()
            .then_some(cors),
        RawCors::Rules {
            place,
            origins,
            methods,
            headers,
            expose,
            credentials,
            max_age,
        } => {
            cors.methods = tokens(compiler, methods, "method", false);
            cors.headers = tokens(compiler, headers, "header", true);
            cors.expose = tokens(compiler, expose, "header", true);
            cors.credentials = credentials.as_ref().is_some_and(|at| at.value);
            let max_age = max_age.as_ref();
            compiler.set_duration(&mut cors.max_age, max_age, UP_TO_A_DAY_OR_NONE);
            cors.origins = self::origins(compiler, origins.as_ref()?);
            if cors.credentials {
                refuse_any(compiler, &cors, *place);
            }
            Some(cors)
        }
    }
}

fn origins(compiler: &mut Compiler<'_>, list: &At<Vec<At<String>>>) -> Vec<Box<str>> {
    if list.value.is_empty() {
        let help = Some("write `cors: none` for nobody, or leave it out".into());
        let message = "an empty list of origins admits no page".into();
        compiler.fault(list.place, CODE, message, help);
    }
    let mut origins: Vec<Box<str>> = Vec::new();
    for text in &list.value {
        let Some(origin) = normal_origin(&text.value) else {
            let message = format!("`{}` is no origin", excerpt(&text.value));
            let help = match text.value.strip_suffix('/').and_then(normal_origin) {
                Some(origin) => format!("an origin has no path: write {origin}"),
                None => "write one such as https://app.example.com, or null, or * for any".into(),
            };
            compiler.fault(text.place, CODE, message, Some(help));
            continue;
        };
        if origins.contains(&origin) {
            let message = format!("the origin {origin} stands there twice");
            compiler.fault(text.place, CODE, message, None);
        } else if origin.as_ref() == ANY && list.value.len() > 1 {
            let message = "`*` is any origin, and stands alone".into();
            let help = Some("leave the others out, or this one".into());
            compiler.fault(text.place, CODE, message, help);
        } else {
            origins.push(origin);
        }
    }
    origins
}

/// An origin as browsers write it: lower case, without the port that its scheme implies.
fn normal_origin(text: &str) -> Option<Box<str>> {
    let text = text.to_ascii_lowercase();
    if text == ANY || text == "null" {
        return Some(text.into());
    }
    let (scheme, authority) = text.split_once("://")?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let is_bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
    let is_host = |c: char| {
        c.is_ascii_alphanumeric() || "-_.".contains(c) || is_bracketed && "[]:".contains(c)
    };
    if !is_scheme || host.is_empty() || !host.chars().all(is_host) {
        return None;
    }
    let port = match port {
        None => None,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(port.parse::<u16>().ok().filter(|port| *port > 0)?)
        }
        Some(_) => return None,
    };
    Some(match (scheme, port) {
        (_, None) | ("http", Some(80)) | ("https", Some(443)) => {
            format!("{scheme}://{host}").into()
        }
        (_, Some(port)) => format!("{scheme}://{host}:{port}").into(),
    })
}

fn tokens(
    compiler: &mut Compiler<'_>,
    list: &[At<String>],
    what: &str,
    lower: bool,
) -> Vec<Box<str>> {
    let mut tokens: Vec<Box<str>> = Vec::new();
    for text in list {
        if Method::parse(&text.value).is_err() {
            let message = format!("`{}` is no name of a {what}", excerpt(&text.value));
            compiler.fault(text.place, CODE, message, None);
            continue;
        }
        let token: Box<str> = if lower {
            text.value.to_ascii_lowercase().into()
        } else {
            text.value.as_str().into()
        };
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    tokens
}

/// With credentials a browser takes `*` for a name, and an answer that has it for a refusal.
fn refuse_any(compiler: &mut Compiler<'_>, cors: &Cors, place: Place) {
    let lists = [
        ("origins", &cors.origins),
        ("methods", &cors.methods),
        ("headers", &cors.headers),
        ("expose", &cors.expose),
    ];
    for (key, list) in lists {
        if list.iter().any(|one| one.as_ref() == ANY) {
            let message = format!("with `credentials` browsers refuse `*` in `{key}`");
            let help = Some(format!("list the {key} that are meant"));
            compiler.fault(place, CODE, message, help);
        }
    }
}

const ANY: &str = "*";
const CODE: &str = "route.cors";
