//! Where a request comes from, as reported to backends.

use std::net::{IpAddr, Ipv6Addr};

use proptest::prelude::*;
use tollgate::engine::semantics::forwarded::client_address;
use tollgate::engine::semantics::identity::is_traceparent;
use tollgate::engine::semantics::{Edits, Request, RequestId};

use crate::strategies::{Fields, applied, arrival, fields};

const RANDOM: [u8; 24] = [7; 24];

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
        any::<[u8; 4]>().prop_map(|v4| IpAddr::V6(std::net::Ipv4Addr::from(v4).to_ipv6_mapped())),
        Just(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ]
}

/// The header after one gateway.
fn through(fields: &Fields, peer: IpAddr, is_trusted: bool, host: Option<&str>) -> Fields {
    let arrival = arrival(peer, is_trusted, host);
    let request = Request::read(&arrival, ("GET", "/"), &fields[..], None);
    let id = RequestId::of(&request.fields, &RANDOM);
    let mut edits = Edits::new();
    request.edits(&mut edits, &id, &RANDOM);
    applied(&edits, fields)
}

fn values<'f>(fields: &'f Fields, name: &str) -> Vec<&'f str> {
    let own = fields.iter().filter(|(own, _)| own == name);
    own.map(|(_, value)| &**value).collect()
}

proptest! {
    #[test]
    fn an_untrusted_client_chooses_nothing(fields in fields(), peer in address()) {
        let forwarded = through(&fields, peer, false, Some("shop.test"));
        let bare = through(&Fields::new(), peer, false, Some("shop.test"));
        let of_origin = |fields: &Fields| -> Fields {
            let is_claim = |name: &str| {
                let name = name.replace('_', "-");
                name.starts_with("x-forwarded-") || name == "x-real-ip" || name == "forwarded"
            };
            fields.iter().filter(|(name, _)| is_claim(name)).cloned().collect()
        };
        prop_assert_eq!(of_origin(&forwarded), of_origin(&bare));
    }

    #[test]
    fn after_some_hops_the_list_is_the_naive_one(
        client in fields(),
        peers in prop::collection::vec(address(), 1..6),
    ) {
        let mut fields = client;
        for (place, peer) in peers.iter().enumerate() {
            fields = through(&fields, *peer, place > 0, Some("shop.test"));
        }
        let naive: Vec<_> = peers.iter().map(|peer| peer.to_canonical().to_string()).collect();
        prop_assert_eq!(values(&fields, "x-forwarded-for"), [naive.join(", ")]);
        let via = values(&fields, "via").join(", ");
        prop_assert!(via.ends_with(&vec!["1.1 tollgate"; peers.len()].join(", ")), "{}", via);

        // The client is the first address from the right that is not a trusted proxy.
        let (last, proxies) = peers.split_last().unwrap();
        let is_trusted = |address| peers.iter().skip(1).any(|own| own.to_canonical() == address);
        let before: Fields = vec![(
            "X-Forwarded-For".into(),
            proxies.iter().map(|peer| peer.to_canonical().to_string()).collect::<Vec<_>>().join(","),
        )];
        let found = client_address(*last, &before[..], is_trusted);
        let mut from_right = peers.iter().rev().map(IpAddr::to_canonical);
        let expected = from_right.find(|address| !is_trusted(*address));
        prop_assert_eq!(found, expected.unwrap_or_else(|| peers[0].to_canonical()));
    }

    #[test]
    fn every_request_has_one_id_and_one_trace(fields in fields(), is_trusted in any::<bool>()) {
        let forwarded = through(&fields, [192, 0, 2, 7].into(), is_trusted, None);
        let ids = values(&forwarded, "x-request-id");
        prop_assert_eq!(ids.len(), 1);
        prop_assert!(matches!(ids[0].trim().len(), 1..=128));
        let traces = values(&forwarded, "traceparent");
        prop_assert_eq!(traces.len(), 1);
        prop_assert!(is_traceparent(traces[0].trim().as_bytes()), "{:?}", traces);
        // The next gateway accepts both.
        let again = through(&forwarded, [192, 0, 2, 8].into(), true, None);
        prop_assert_eq!(values(&again, "x-request-id"), ids);
        prop_assert_eq!(values(&again, "traceparent"), traces);
    }

    #[test]
    fn a_forwarded_list_has_only_valid_hops(fields in fields(), peer in address()) {
        let forwarded = through(&fields, peer, true, None);
        let list = values(&forwarded, "x-forwarded-for");
        prop_assert_eq!(list.len(), 1);
        for hop in list[0].split(", ") {
            let bare = hop.trim_start_matches('[').split(']').next().unwrap();
            let is_address = bare.parse::<IpAddr>().is_ok()
                || bare.parse::<std::net::SocketAddr>().is_ok();
            let is_hidden = hop.eq_ignore_ascii_case("unknown") || hop.starts_with('_');
            prop_assert!(is_address || is_hidden, "{}", hop);
        }
    }
}
