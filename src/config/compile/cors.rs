//! `cors` (the Fetch standard, section 3.2).

use std::time::Duration;

use crate::config::compile::compiler::Compiler;
use crate::config::diagnostic::excerpt;
use crate::config::keys::RawCors;
use crate::config::place::{At, Place};
use crate::config::read::Either;
use crate::engine::policy::Cors;
use crate::engine::routing::Method;

/// Which pages of other origins may call a route; `None` adds nothing to responses.
pub(super) fn cors(compiler: &mut Compiler<'_>, raw: &Either<bool, At<RawCors>>) -> Option<Cors> {
    let any = Cors {
        origins: vec![ANY.into()],
        methods: Vec::new(),
        headers: Vec::new(),
        expose: Vec::new(),
        credentials: false,
        max_age: Duration::from_secs(600),
    };
    let At { value: raw, place } = match raw {
        Either::First(is_any) => return is_any.then_some(any),
        Either::Second(raw) => raw,
    };
    let tokens = |compiler: &mut Compiler<'_>, list: &Option<At<Vec<At<String>>>>, token| {
        let list = list.as_ref().map_or(&[][..], |list| &list.value);
        tokens_of(compiler, list, token)
    };
    let cors = Cors {
        methods: tokens(compiler, &raw.methods, Token::Method),
        headers: tokens(compiler, &raw.headers, Token::Header),
        expose: tokens(compiler, &raw.expose, Token::Header),
        credentials: raw.credentials.unwrap_or(any.credentials),
        max_age: raw.max_age.unwrap_or(any.max_age),
        origins: origins(compiler, raw.origins.as_ref()?),
    };
    if cors.credentials {
        reject_any(compiler, &cors, *place);
    }
    Some(cors)
}

fn origins(compiler: &mut Compiler<'_>, list: &At<Vec<At<String>>>) -> Vec<Box<str>> {
    if list.value.is_empty() {
        let message = "an empty list of origins admits no page";
        let help = Some("list an origin, or remove `cors`".into());
        compiler.error(list.place, CODE, message, help);
    }
    let mut origins: Vec<Box<str>> = Vec::new();
    for text in &list.value {
        let Some(origin) = normal_origin(&text.value) else {
            let message = format!("`{}` is not an origin", excerpt(&text.value));
            let help = match text.value.strip_suffix('/').and_then(normal_origin) {
                Some(origin) => format!("remove the path: {origin}"),
                None => "write one such as https://app.example.com, or null, or * for any".into(),
            };
            compiler.error(text.place, CODE, message, Some(help));
            continue;
        };
        if origins.contains(&origin) {
            let message = format!("origin `{origin}` is listed twice");
            let help = Some("remove one".into());
            compiler.error(text.place, CODE, message, help);
        } else if origin.as_ref() == ANY && list.value.len() > 1 {
            let message = "`*` admits any origin and must be the only one";
            let help = Some("remove it, or the others".into());
            compiler.error(text.place, CODE, message, help);
        } else {
            origins.push(origin);
        }
    }
    origins
}

/// An origin as browsers write it: lower case, without the default port of its scheme.
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

/// A kind of token in a list.
#[derive(Clone, Copy)]
enum Token {
    /// A method, case-sensitive.
    Method,
    /// A header name, case-insensitive.
    Header,
}

fn tokens_of(compiler: &mut Compiler<'_>, list: &[At<String>], kind: Token) -> Vec<Box<str>> {
    let mut tokens: Vec<Box<str>> = Vec::new();
    for text in list {
        if Method::parse(&text.value).is_err() {
            let kind = match kind {
                Token::Method => "a method",
                Token::Header => "a header name",
            };
            let message = format!("`{}` is not {kind}", excerpt(&text.value));
            compiler.error(text.place, CODE, message, None);
            continue;
        }
        let token: Box<str> = match kind {
            Token::Method => text.value.as_str().into(),
            Token::Header => text.value.to_ascii_lowercase().into(),
        };
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    tokens
}

/// Rejects `*` together with credentials: browsers then take `*` literally.
fn reject_any(compiler: &mut Compiler<'_>, cors: &Cors, place: Place) {
    let lists = [
        ("origins", &cors.origins),
        ("methods", &cors.methods),
        ("headers", &cors.headers),
        ("expose", &cors.expose),
    ];
    for (key, list) in lists {
        if list.iter().any(|one| one.as_ref() == ANY) {
            let message = format!("browsers do not accept `*` in `{key}` with `credentials`");
            let help = Some(format!("list the {key}"));
            compiler.error(place, CODE, message, help);
        }
    }
}

const ANY: &str = "*";
const CODE: &str = "route.cors";
