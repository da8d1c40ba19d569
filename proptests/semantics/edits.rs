//! Edits are valid whatever the input, and a list of edits is equivalent to applying them one by
//! one.

use proptest::prelude::*;
use tollgate::engine::policy::{Cors, HeaderRules, ResponseContext, RouteOptions, RoutePolicy};
use tollgate::engine::semantics::{Edit, Edits, Request, RequestId};
use tollgate::http1::may_be_edited;

use crate::strategies::{Fields, applied, arrival, fields, name, value};

/// A requested edit.
#[derive(Clone, Debug)]
enum Requested {
    Remove(String),
    Set(String, String),
    Add(String, String),
}

fn requested() -> impl Strategy<Value = Requested> {
    let lower = || name().prop_map(|name| name.to_ascii_lowercase());
    prop_oneof![
        lower().prop_map(Requested::Remove),
        (lower(), value()).prop_map(|(name, value)| Requested::Set(name, value)),
        (lower(), value()).prop_map(|(name, value)| Requested::Add(name, value)),
    ]
}

/// The header after applying the edits one by one.
fn applied_one_by_one(fields: &Fields, requested: &[Requested]) -> Fields {
    let clean = |value: &str| value.replace(|c: char| c.is_control() && c != '\t', " ");
    let mut header: Fields = fields
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    for edit in requested {
        match edit {
            Requested::Remove(name) => header.retain(|(own, _)| own != name),
            Requested::Set(name, value) => {
                header.retain(|(own, _)| own != name);
                header.push((name.clone(), clean(value)));
            }
            Requested::Add(name, value) => header.push((name.clone(), clean(value))),
        }
    }
    header
}

fn assert_valid(edits: &Edits) -> Result<(), TestCaseError> {
    let is_odd = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    for edit in edits.iter() {
        let (name, value) = match edit {
            Edit::Remove { name } => (name, &b""[..]),
            Edit::Set { name, value } | Edit::Add { name, value } => (name, value),
        };
        prop_assert!(!name.is_empty() && !name.iter().any(u8::is_ascii_uppercase));
        prop_assert!(!name.iter().chain(value).any(is_odd), "{:?}", edit);
    }
    Ok(())
}

/// The codec relies on these properties.
fn assert_fit_for_the_codec(edits: &Edits) -> Result<(), TestCaseError> {
    assert_valid(edits)?;
    for (name, _) in edits.added() {
        prop_assert!(may_be_edited(name), "{:?}", edits);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_list_of_edits_equals_its_edits(
        fields in fields(),
        requested in prop::collection::vec(requested(), 0..12),
    ) {
        let mut edits = Edits::new();
        for edit in &requested {
            match edit {
                Requested::Remove(name) => edits.remove_named(name.as_bytes()),
                Requested::Set(name, value) => edits.set_named(name.as_bytes(), value.as_bytes()),
                Requested::Add(name, value) => edits.add_named(name.as_bytes(), value.as_bytes()),
            }
        }
        assert_valid(&edits)?;
        prop_assert_eq!(applied(&edits, &fields), applied_one_by_one(&fields, &requested));
    }

    #[test]
    fn no_request_and_no_rule_makes_an_invalid_edit(
        fields in fields(),
        host in prop::option::of(value()),
        method in prop::sample::select(vec!["GET", "OPTIONS", "TRACE"]),
        is_trusted in any::<bool>(),
        rules in prop::collection::vec((name(), value()), 0..3),
        origin in value(),
        random in any::<[u8; 24]>(),
    ) {
        let rules: Vec<(Box<str>, Box<str>)> =
            rules.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let rules = HeaderRules { remove: Vec::new(), set: rules.clone(), add: rules };
        let cors = Cors {
            origins: vec![origin.as_str().into()],
            methods: Vec::new(),
            headers: Vec::new(),
            expose: vec![origin.as_str().into()],
            credentials: true,
            max_age: std::time::Duration::ZERO,
        };
        let policy = RoutePolicy::compile(&RouteOptions {
            request_headers: rules.clone(),
            response_headers: rules,
            cors: Some(cors),
            ..RouteOptions::default()
        });
        let arrival = arrival([192, 0, 2, 7].into(), is_trusted, host.as_deref());
        let request = Request::read(&arrival, (method, "/"), &fields[..], None);
        let id = RequestId::of(&request.fields, &random);
        let mut edits = Edits::new();
        request.edits(&mut edits, &id, &random);
        policy.chain().on_forward(&mut edits);
        let backend = tollgate::engine::upstream::Address::parse("b:81").unwrap();
        let mut buffer = String::new();
        _ = request.upstream_host(&policy.forwarding().host, &backend, &mut buffer);
        assert_fit_for_the_codec(&edits)?;
        edits.clear();
        let context = ResponseContext { origin: Some(origin.as_bytes()) };
        policy.chain().on_response(&context, &mut edits);
        assert_fit_for_the_codec(&edits)?;
    }
}
