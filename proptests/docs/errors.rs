//! Generates `docs/errors.md` from the table of codes, and checks the table against the program: it
//! lists exactly the codes in `src/`, with the statuses of the error types.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use tollgate::engine::routing::{
    ApiVersion, EncodedSlashError, MethodError, NormalPath, PathError, Rejection, RequestHostError,
};
use tollgate::engine::semantics::{Cause, GatewayError, RequestError, TlsReason, UpstreamError};
use tollgate::http1::{BodyError, FieldError, FramingError, RequestHeadError};

use crate::config_code_table::CONFIG;
use crate::error_table::{CODEC_ONLY, Code, GROUPS};
use crate::page::root;

const PAGE: &str = "docs/errors.md";

#[test]
fn the_page_is_generated() {
    let expected = page();
    let path = root().join(PAGE);
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "{PAGE} is out of date; UPDATE_FIXTURES=1 cargo test --test docs writes it"
    );
}

#[test]
fn every_code_in_the_source_is_documented() {
    let documented: BTreeSet<&str> = GROUPS
        .iter()
        .flat_map(|group| group.codes)
        .map(|code| code.name)
        .chain(CONFIG.iter().map(|code| code.name))
        .chain(CODEC_ONLY.iter().copied())
        .collect();
    let source = source();
    let used: BTreeSet<&str> = source.iter().flat_map(|text| codes_in(text)).collect();
    assert!(used.len() > 80, "only {} codes were found", used.len());
    let missing: Vec<_> = used.difference(&documented).collect();
    assert!(missing.is_empty(), "no entry in the table for {missing:?}");
    let stale: Vec<_> = documented.difference(&used).collect();
    assert!(stale.is_empty(), "no code in src/ is one of {stale:?}");
}

#[test]
fn every_response_code_has_a_status() {
    let statuses = statuses();
    for code in GROUPS.iter().flat_map(|group| group.codes) {
        let is_known = statuses.contains_key(code.name);
        assert_eq!(is_known, code.name != LOG_ONLY, "{}", code.name);
    }
}

#[test]
fn the_codes_in_a_source_are_found() {
    let text = "/// \"a.b\"\nconst A: &str = r#\"{\"code\":\"c.d\"}\"#; // \"e f.g\"\nmatch x { \"h1.i_j\" => 2.5, \"k.\" => \"l.m.n\" }";
    assert_eq!(codes_in(text), ["c.d", "h1.i_j"]);
}

/// The status and, for codes that gRPC clients can get, the gRPC status.
type Statuses = (BTreeSet<u16>, Option<u32>);

/// The statuses of all response codes, as the program returns them.
fn statuses() -> BTreeMap<&'static str, Statuses> {
    let mut statuses: BTreeMap<&'static str, Statuses> = BTreeMap::new();
    let mut add = |code, status, grpc| {
        let (statuses, number) = statuses.entry(code).or_default();
        statuses.insert(status);
        *number = grpc;
    };
    for cause in causes() {
        let grpc = u32::try_from(cause.grpc_status().number()).ok();
        add(cause.code(), cause.status(), grpc);
    }
    for (code, status) in http1_errors() {
        add(code, status, None);
    }
    for (code, status, literal) in LITERALS {
        let is_there = |text: &String| without_space(text).contains(literal);
        assert!(source().iter().any(is_there), "{literal} is not in src/");
        add(code, status, None);
    }
    statuses
}

/// Codes that stand beside their statuses in the source, outside of an error type.
const LITERALS: [(&str, u16, &str); 2] = [
    (
        "admin.not_found",
        404,
        r#""status":404,"code":"admin.not_found""#,
    ),
    ("http2.connect", 501, r#"code:"http2.connect",status:501"#),
];

/// The only code without a response.
const LOG_ONLY: &str = "client.left";

/// One of each, so that every code of the engine occurs.
fn causes() -> Vec<Cause<'static>> {
    let rejections = [
        Rejection::Path(PathError::Empty),
        Rejection::Path(PathError::QueryByte { byte: 0, at: 0 }),
        Rejection::Asterisk,
        Rejection::Host(RequestHostError::Conflict("a".into(), "b".into())),
        Rejection::Host(RequestHostError::Invalid(" ".into())),
        Rejection::Method(MethodError::Empty),
        Rejection::EncodedSlash(EncodedSlashError::NotAllowed),
        Rejection::NotFound {
            path: NormalPath::parse("/").unwrap(),
            host: None,
        },
        Rejection::MethodNotAllowed {
            method: "PUT".into(),
            allow: Vec::new(),
        },
        Rejection::VersionUnsupported {
            stated: ApiVersion::parse("v1").unwrap(),
            available: Vec::new(),
        },
        Rejection::VersionConflict(String::new()),
        Rejection::VersionInvalid(String::new()),
        Rejection::VersionRequired {
            available: Vec::new(),
        },
        Rejection::NoBackend { service: "".into() },
    ];
    let upstream = [
        UpstreamError::ConnectFailed,
        UpstreamError::ConnectTimeout,
        UpstreamError::TlsFailed(TlsReason::Protocol),
        UpstreamError::NameUnresolved,
        UpstreamError::Reset,
        UpstreamError::Timeout,
        UpstreamError::BadResponse,
        UpstreamError::HeaderTooLarge,
        UpstreamError::Incomplete,
        UpstreamError::BodyTooLarge { limit_bytes: 1 },
        UpstreamError::Overloaded,
    ];
    let requests = [
        RequestError::Malformed(""),
        RequestError::HeaderTooLarge,
        RequestError::TargetTooLong,
        RequestError::BodyTooLarge { limit_bytes: 1 },
        RequestError::Timeout,
        RequestError::NoHostToRedirect,
        RequestError::PlainHttp,
    ];
    let gateway = [GatewayError::Draining, GatewayError::Internal];
    rejections
        .into_iter()
        .map(Cause::from)
        .chain(upstream.map(Cause::from))
        .chain(requests.map(Cause::from))
        .chain(gateway.map(Cause::from))
        .collect()
}

/// One of each error of the HTTP/1.1 codec about a request: its code and its status.
fn http1_errors() -> Vec<(&'static str, u16)> {
    let name = || "a".into();
    let fields = [
        FieldError::BareLf { at: 0 },
        FieldError::BareCr { at: 0 },
        FieldError::ObsFold { name: name() },
        FieldError::LeadingSpace,
        FieldError::SpaceAfterName { name: name() },
        FieldError::EmptyName { at: 0 },
        FieldError::NoColon { name: name() },
        FieldError::ValueByte {
            name: name(),
            byte: 0,
        },
        FieldError::TooMany { max: 1 },
        FieldError::TooLarge { max: 1 },
    ];
    let framing = [
        FramingError::ContentLength,
        FramingError::DuplicateContentLength,
        FramingError::LengthAndTransferEncoding,
        FramingError::TransferEncodingInHttp10,
        FramingError::DuplicateTransferEncoding,
        FramingError::TransferEncoding,
        FramingError::UnknownCoding,
    ];
    let heads = [
        RequestHeadError::RequestLine { what: "" },
        RequestHeadError::MethodTooLong { max: 1 },
        RequestHeadError::Connect,
        RequestHeadError::TargetTooLong { max: 1 },
        RequestHeadError::Target { what: "" },
        RequestHeadError::Version {
            major: '2',
            minor: '0',
        },
        RequestHeadError::MissingHost,
        RequestHeadError::DuplicateHost,
        RequestHeadError::Host { what: "" },
        RequestHeadError::TooManyOptions { max: 1 },
    ];
    let bodies = [
        BodyError::ChunkSize,
        BodyError::ChunkExtension,
        BodyError::ChunkExtensions { max: 1 },
        BodyError::ChunkEnd,
        BodyError::Trailers(FieldError::LeadingSpace),
        BodyError::Trailers(FieldError::TooLarge { max: 1 }),
        BodyError::Incomplete,
    ];
    let heads = heads
        .into_iter()
        .chain(fields.map(RequestHeadError::from))
        .chain(framing.map(RequestHeadError::from));
    heads
        .map(|error| (error.code(), error.status()))
        .chain(bodies.map(|error| (error.code(), error.status())))
        .collect()
}

fn page() -> String {
    let statuses = statuses();
    let mut page = String::from(INTRODUCTION);
    for group in GROUPS {
        let has_grpc = group.codes.iter().any(|code| {
            let face = statuses.get(code.name);
            face.is_some_and(|(_, grpc)| grpc.is_some())
        });
        let _ = write!(page, "\n## {}\n\n{}\n\n", group.title, group.introduction);
        page.push_str(if has_grpc {
            "| code | status | gRPC | meaning | what to do |\n|---|---|---|---|---|\n"
        } else {
            "| code | status | meaning | what to do |\n|---|---|---|---|\n"
        });
        for code in group.codes {
            page.push_str(&row(code, statuses.get(code.name), has_grpc));
        }
    }
    page.push_str(CONFIG_INTRODUCTION);
    for code in CONFIG {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            code.name, code.severity, code.meaning, code.action
        );
    }
    page
}

fn row(code: &Code, face: Option<&Statuses>, has_grpc: bool) -> String {
    let (statuses, grpc) = face.cloned().unwrap_or_default();
    let statuses: Vec<_> = statuses.iter().map(u16::to_string).collect();
    let grpc = match (has_grpc, grpc) {
        (true, Some(number)) => format!(" {number} |"),
        (true, None) => " |".to_owned(),
        (false, _) => String::new(),
    };
    let Code {
        name,
        meaning,
        action,
    } = code;
    let status = statuses.join(" or ");
    let space = if status.is_empty() { "" } else { " " };
    format!("| `{name}` |{space}{status} |{grpc} {meaning} | {action} |\n")
}

/// The code of every file in `src/`, without tests.
fn source() -> Vec<String> {
    fn collect(folder: &Path, texts: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.file_stem().is_some_and(|name| name == "tests");
            if path.is_dir() && !is_test {
                collect(&path, texts);
            } else if path.extension().is_some_and(|it| it == "rs") && !is_test {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                texts.push(code.to_owned());
            }
        }
    }
    let mut texts = Vec::new();
    collect(&root().join("src"), &mut texts);
    texts
}

/// Every text between quotes that has the form of a code: `word.word`, in lower case.
fn codes_in(text: &str) -> Vec<&str> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let is_code = |quoted: &&str| {
        let words = quoted.split_once('.');
        words.is_some_and(|(family, name)| is_word(family) && is_word(name))
    };
    let lines = text.lines();
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split('"').filter(is_code))
        .collect()
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

const INTRODUCTION: &str = "\
# Errors

<!-- Generated from proptests/docs/error_table.rs: UPDATE_FIXTURES=1 cargo test --test docs -->

Every error has a stable code. The code of a response that the gateway makes itself is the same everywhere:

- in the body `application/problem+json` (RFC 9457), as `code`;
- in the header field `Proxy-Status` (RFC 9209), as `details`;
- on stdio, as `error.code`;
- in the access log, as `code`.

A gRPC client gets status 200 with the number in `grpc-status`. A 503 has `Retry-After`: 5 seconds for `backend.none`,
otherwise 1 second. A 405 has `Allow`.
";

const CONFIG_INTRODUCTION: &str = "
## Configuration

`tollgate check`, `tollgate serve` and an `init` on stdio report these codes with file, line and column. An error
prevents the configuration from loading; a warning or a note does not.

| code | severity | meaning | what to do |
|---|---|---|---|
";
