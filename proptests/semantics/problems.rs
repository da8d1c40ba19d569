//! Error responses of the gateway, parsed by naive readers of the standards.

use proptest::prelude::*;
use serde_json::Value;
use tollgate::engine::routing::{ApiVersion, Rejection};
use tollgate::engine::semantics::{
    Cause, Edits, GatewayError, Problem, RequestError, RequestId, TlsReason, UpstreamError,
};

fn cause() -> impl Strategy<Value = Cause<'static>> {
    let upstream = prop::sample::select(vec![
        UpstreamError::ConnectFailed,
        UpstreamError::ConnectTimeout,
        UpstreamError::TlsFailed(TlsReason::UnknownIssuer),
        UpstreamError::TlsFailed(TlsReason::WrongName),
        UpstreamError::TlsFailed(TlsReason::NotValidNow),
        UpstreamError::TlsFailed(TlsReason::BadCertificate),
        UpstreamError::TlsFailed(TlsReason::Refused),
        UpstreamError::TlsFailed(TlsReason::Protocol),
        UpstreamError::TlsFailed(TlsReason::Setup),
        UpstreamError::NameUnresolved,
        UpstreamError::Reset,
        UpstreamError::Timeout,
        UpstreamError::BadResponse,
        UpstreamError::HeaderTooLarge,
        UpstreamError::Incomplete,
        UpstreamError::BodyTooLarge { limit_bytes: 9 },
        UpstreamError::Overloaded,
    ]);
    let request = prop::sample::select(vec![
        RequestError::Malformed("a \"quoted\" reason"),
        RequestError::HeaderTooLarge,
        RequestError::TargetTooLong,
        RequestError::BodyTooLarge { limit_bytes: 9 },
        RequestError::Timeout,
        RequestError::PlainHttp,
    ]);
    let gateway = prop::sample::select(vec![GatewayError::Draining, GatewayError::Internal]);
    let text = || prop_oneof![".{0,40}", "[\\x00-\\x7f%\"\\\\]{0,20}", ".{600}"];
    let versions = prop::collection::vec(1..99_u32, 0..4).prop_map(|numbers| {
        let version = |number: u32| ApiVersion::parse(&number.to_string()).unwrap();
        numbers.into_iter().map(version).collect::<Vec<_>>()
    });
    let rejection = prop_oneof![
        Just(Rejection::Asterisk),
        text().prop_map(Rejection::VersionInvalid),
        text().prop_map(Rejection::VersionConflict),
        text().prop_map(|service| Rejection::NoBackend { service }),
        versions.prop_map(|available| Rejection::VersionRequired { available }),
        (text(), prop::collection::vec("[A-Z]{1,9}", 0..4))
            .prop_map(|(method, allow)| Rejection::MethodNotAllowed { method, allow }),
    ];
    let codec = text().prop_map(|message| Cause::Codec {
        code: "http1.obs_fold",
        status: 400,
        message,
    });
    prop_oneof![
        codec,
        rejection.prop_map(Cause::from),
        upstream.prop_map(Cause::from),
        request.prop_map(Cause::from),
        gateway.prop_map(Cause::from),
    ]
}

proptest! {
    #[test]
    fn a_problem_reports_its_cause(cause in cause(), pseudonym in ".{0,20}", is_generated in any::<bool>()) {
        let generated = RequestId::Generated(*b"a5a5a5a5-a5a5-45a5-a5a5-a5a5a5a5a5a5");
        let id = if is_generated { generated } else { RequestId::Received(b"a=1") };
        let problem = Problem { cause: &cause, id: &id, pseudonym: &pseudonym, grpc: None };
        let (mut edits, mut body) = (Edits::new(), Vec::new());
        let status = problem.write(&mut edits, &mut body);

        let document: Value = serde_json::from_slice(&body).unwrap();
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        prop_assert_eq!(document.get("status"), Some(&Value::from(status)));
        prop_assert_eq!(text("code"), Some(cause.code()));
        prop_assert_eq!(text("detail"), Some(&*cause.to_string()));
        prop_assert_eq!(text("request_id").map(str::as_bytes), Some(id.as_bytes()));
        prop_assert_eq!(text("instance").is_some(), is_generated);
        prop_assert_ne!(text("title"), Some("Unknown"));
        prop_assert_eq!(edits.value_of("content-type"), Some(&b"application/problem+json"[..]));
        prop_assert_eq!(edits.value_of("allow").is_some(), status == 405);
        prop_assert_eq!(edits.value_of("retry-after").is_some(), status == 503);

        let field = edits.value_of("proxy-status").unwrap();
        let (name, parameters) = read_item(std::str::from_utf8(field).unwrap()).unwrap();
        let fit = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
        prop_assert_eq!(name, pseudonym.chars().map(fit).collect::<String>());
        let expected = [
            ("error".to_owned(), cause.proxy_error().to_owned()),
            ("details".to_owned(), cause.code().to_owned()),
        ];
        prop_assert_eq!(parameters, expected);
        prop_assert!(ERRORS.contains(&cause.proxy_error()), "{}", cause.proxy_error());
    }

    #[test]
    fn a_grpc_client_reads_the_message(cause in cause()) {
        let (mut edits, mut body) = (Edits::new(), Vec::new());
        let id = RequestId::Received(b"a");
        let grpc = Some("application/grpc");
        let problem = Problem { cause: &cause, id: &id, pseudonym: "tollgate", grpc };
        prop_assert_eq!(problem.write(&mut edits, &mut body), 200);
        prop_assert!(body.is_empty());
        let number = std::str::from_utf8(edits.value_of("grpc-status").unwrap()).unwrap();
        prop_assert!(matches!(number.parse(), Ok(1..=16_u8)), "{}", number);
        let encoded = edits.value_of("grpc-message").unwrap();
        prop_assert!(encoded.iter().all(|byte| matches!(byte, b' '..=b'~')));
        let expected: String = cause.to_string().chars().take(500).collect();
        prop_assert_eq!(decoded(encoded), expected);
    }
}

proptest! {
    #[test]
    fn the_documentation_has_each_code(cause in cause()) {
        if !matches!(cause, Cause::Codec { .. }) {
            let number = cause.grpc_status().number();
            let row = format!("| `{}` | {} | {number} | ", cause.code(), cause.status());
            prop_assert!(include_str!("../../docs/errors.md").contains(&row), "{}", row);
        }
    }
}

/// The error types of RFC 9209, section 2.3, that the gateway sends.
const ERRORS: [&str; 19] = [
    "connection_limit_reached",
    "connection_refused",
    "connection_terminated",
    "connection_timeout",
    "destination_not_found",
    "destination_unavailable",
    "dns_error",
    "http_protocol_error",
    "http_request_error",
    "http_response_body_size",
    "http_response_header_section_size",
    "http_response_incomplete",
    "http_response_timeout",
    "proxy_configuration_error",
    "proxy_internal_error",
    "proxy_internal_response",
    "tls_alert_received",
    "tls_certificate_error",
    "tls_protocol_error",
];

/// Percent-decodes: a naive reader that expects two digits after every `%`.
fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// An item and its parameters (RFC 9651, sections 4.2.3 and 4.2.3.2), each a token or a string.
fn read_item(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let mut rest: Vec<char> = text.chars().rev().collect();
    let item = read_bare(&mut rest)?;
    let mut parameters = Vec::new();
    while rest.pop_if(|c| *c == ';').is_some() {
        while rest.pop_if(|c| *c == ' ').is_some() {}
        let mut key = String::new();
        while let Some(c) = rest.pop_if(|c| c.is_ascii_lowercase() || *c == '_') {
            key.push(c);
        }
        rest.pop_if(|c| *c == '=')?;
        parameters.push((key, read_bare(&mut rest)?));
    }
    rest.is_empty().then_some((item, parameters))
}

fn read_bare(rest: &mut Vec<char>) -> Option<String> {
    let mut text = String::new();
    if rest.pop_if(|c| *c == '"').is_none() {
        let first = rest.pop_if(|c| c.is_ascii_alphabetic() || *c == '*')?;
        text.push(first);
        let is_fit = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c);
        while let Some(c) = rest.pop_if(|c| is_fit(*c)) {
            text.push(c);
        }
        return Some(text);
    }
    loop {
        match rest.pop()? {
            '"' => return Some(text),
            '\\' => text.push(rest.pop_if(|c| matches!(c, '"' | '\\'))?),
            c @ ' '..='~' => text.push(c),
            _ => return None,
        }
    }
}
