//! Edits, whoever makes them: clean, and meaning the same however they are applied.

use proptest::prelude::*;
use tollgate::engine::policy::{Cors, HeaderRules, ResponseContext, RouteOptions, RoutePolicy};
use tollgate::engine::semantics::edit::{Edit, Edits};
use tollgate::engine::semantics::{Request, RequestId};
use tollgate::http1::may_be_edited;

use crate::strategies::{Fields, applied, arrival, fields, name, value};

/// One edit as it is asked for.
#[derive(Clone, Debug)]
enum Asked {
    Remove(String),
    Set(String, String),
    Add(String, String),
}

fn asked() -> impl Strategy<Value = Asked> {
    let lower = || name().prop_map(|name| name.to_ascii_lowercase());
    prop_oneof![
        lower().prop_map(Asked::Remove),
        (lower(), value()).prop_map(|(name, value)| Asked::Set(name, value)),
        (lower(), value()).prop_map(|(name, value)| Asked::Add(name, value)),
    ]
}

/// What the edits mean, carried out one after the other.
fn carried_out(fields: &Fields, asked: &[Asked]) -> Fields {
    let clean = |value: &str| value.replace(|c: char| c.is_control() && c != '\t', " ");
    let mut header: Fields = fields
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    for edit in asked {
        match edit {
            Asked::Remove(name) => header.retain(|(own, _)| own != name),
            Asked::Set(name, value) => {
                header.retain(|(own, _)| own != name);
                header.push((name.clone(), clean(value)));
            }
            Asked::Add(name, value) => header.push((name.clone(), clean(value))),
        }
    }
    header
}

fn assert_clean(edits: &Edits) -> Result<(), TestCaseError> {
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

/// The codec relies on it.
fn assert_fit_for_the_codec(edits: &Edits) -> Result<(), TestCaseError> {
    assert_clean(edits)?;
    for (name, _) in edits.added() {
        prop_assert!(may_be_edited(name), "{:?}", edits);
    }
    Ok(())
}

proptest! {
    #[test]
    fn edits_mean_what_is_asked_for(
        fields in fields(),
        asked in prop::collection::vec(asked(), 0..12),
    ) {
        let mut edits = Edits::new();
        for edit in &asked {
            match edit {
                Asked::Remove(name) => edits.remove_named(name.as_bytes()),
                Asked::Set(name, value) => edits.set_named(name.as_bytes(), value.as_bytes()),
                Asked::Add(name, value) => edits.add_named(name.as_bytes(), value.as_bytes()),
            }
        }
        assert_clean(&edits)?;
        prop_assert_eq!(applied(&edits, &fields), carried_out(&fields, &asked));
    }

    #[test]
    fn no_request_and_no_rule_makes_an_unclean_edit(
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
        let id = RequestId::of(&request.noted, &random);
        let mut edits = Edits::new();
        request.edits(&mut edits, &id, &random);
        policy.chain().on_forward(&mut edits);
        let backend = tollgate::engine::upstream::backend::Address::parse("b:81").unwrap();
        let mut buffer = String::new();
        _ = request.upstream_host(&policy.forwarding().host, &backend, &mut buffer);
        assert_fit_for_the_codec(&edits)?;
        edits.clear();
        let context = ResponseContext { origin: Some(origin.as_bytes()) };
        policy.chain().on_response(&context, &mut edits);
        assert_fit_for_the_codec(&edits)?;
    }
}
