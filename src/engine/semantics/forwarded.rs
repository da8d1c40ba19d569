//! Where a request comes from, as reported to backends: `X-Forwarded-For`, `-Proto` and `-Host`.
//!
//! From an untrusted peer the gateway removes these fields and all claims (`is_claim`), in all
//! spellings, and reports what it observes itself. From a trusted proxy it forwards them, except
//! claims spelled with `_`, and appends the address of the proxy to `X-Forwarded-For`. Of the
//! received `X-Forwarded-For` it keeps the longest valid tail, since it cannot verify what stands
//! to the left of an invalid hop.

use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::from_utf8;

use crate::engine::request::Headers;
use crate::engine::semantics::arrival::Arrival;
use crate::engine::semantics::authority::is_authority;
use crate::engine::semantics::edit::Edits;
use crate::engine::semantics::field_value::ValueWriter;
use crate::engine::semantics::known_fields::{KnownFields, is_claim, is_disguised};

/// Sets `X-Forwarded-For`, `-Proto` and `-Host`, and removes claims of untrusted peers.
pub fn forwarded_edits<H: Headers + ?Sized>(
    edits: &mut Edits,
    arrival: &Arrival<'_>,
    headers: &H,
    fields: &KnownFields<'_>,
) {
    if fields.claims > 0 {
        for (name, _) in headers.fields() {
            if is_disguised(name) || !arrival.is_trusted && is_claim(name) {
                edits.remove_named(name);
            }
        }
    }
    edits.set_with("x-forwarded-for", |to| {
        if arrival.is_trusted && fields.forwarded_for.is_present() {
            push_tail(to, headers);
        }
        push_address(to, arrival.peer);
    });
    let is_forwarded = |value: Option<&[u8]>, is_valid: fn(&[u8]) -> bool| {
        arrival.is_trusted && value.is_some_and(is_valid)
    };
    if !is_forwarded(fields.forwarded_proto.only(), is_scheme) {
        let scheme: &[u8] = if arrival.is_tls { b"https" } else { b"http" };
        edits.set("x-forwarded-proto", scheme);
    }
    if is_forwarded(fields.forwarded_host.only(), is_authority) {
        return;
    }
    match arrival.host {
        Some(host) if is_authority(host.as_bytes()) => {
            edits.set("x-forwarded-host", host.as_bytes());
        }
        _ if fields.forwarded_host.is_present() => edits.remove("x-forwarded-host"),
        _ => {}
    }
}

/// The verified address of the client: the rightmost address that is not a trusted proxy, in
/// `X-Forwarded-For` followed by the peer.
///
/// If all are trusted, it is the leftmost. A hop that is not an address ends the list.
#[must_use]
pub fn client_address<H: Headers + ?Sized>(
    peer: IpAddr,
    headers: &H,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return peer;
    }
    // The list is read from the left; each invalid hop restarts the search.
    let mut last_untrusted = None;
    let mut leftmost = None;
    each_hop(headers, |hop| match hop_address(hop) {
        Some(address) => {
            leftmost = leftmost.or(Some(address));
            if !is_trusted(address) {
                last_untrusted = Some(address);
            }
        }
        None => {
            leftmost = None;
            last_untrusted = None;
        }
    });
    last_untrusted.or(leftmost).unwrap_or(peer)
}

/// Writes an address; an IPv4-mapped IPv6 address as IPv4.
pub fn push_address(to: &mut ValueWriter<'_>, address: IpAddr) {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            for (place, octet) in v4.octets().into_iter().enumerate() {
                to.push(if place > 0 { b"." } else { b"" });
                to.push_decimal(octet.into());
            }
        }
        // Writing to memory cannot fail.
        IpAddr::V6(v6) => _ = write!(to, "{v6}"),
    }
}

/// Whether this is a scheme of HTTP or WebSocket.
#[must_use]
pub fn is_scheme(value: &[u8]) -> bool {
    [&b"http"[..], b"https", b"ws", b"wss"]
        .iter()
        .any(|scheme| value.eq_ignore_ascii_case(scheme))
}

/// Writes the hops to the right of the last invalid one, each followed by `, `.
fn push_tail<H: Headers + ?Sized>(to: &mut ValueWriter<'_>, headers: &H) {
    each_hop(headers, |hop| {
        if is_hop(hop) {
            to.push(hop);
            to.push(b", ");
        } else {
            to.restart();
        }
    });
}

/// Visits each element of each `X-Forwarded-For` from the left, except empty ones (RFC 9110,
/// section 5.6.1).
fn each_hop<'h, H: Headers + ?Sized>(headers: &'h H, mut visit: impl FnMut(&'h [u8])) {
    for (name, value) in headers.fields() {
        if name.len() == 15 && name.eq_ignore_ascii_case(b"x-forwarded-for") {
            for hop in value.split(|byte| *byte == b',') {
                let hop = hop.trim_ascii();
                if !hop.is_empty() {
                    visit(hop);
                }
            }
        }
    }
}

/// Whether an element is valid: an address with an optional port, or a placeholder for one (RFC
/// 7239, section 6: `unknown`, `_hidden`).
fn is_hop(hop: &[u8]) -> bool {
    if hop_address(hop).is_some() || hop.eq_ignore_ascii_case(b"unknown") {
        return true;
    }
    let is_obscure = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    matches!(hop.split_first(), Some((b'_', name)) if !name.is_empty() && name.len() < 64 && name.iter().all(is_obscure))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn hop_address(hop: &[u8]) -> Option<IpAddr> {
    let text = from_utf8(hop).ok()?;
    let address = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']')?;
            let is_fit = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
            let v6: Ipv6Addr = address.parse().ok().filter(|_| is_fit)?;
            IpAddr::V6(v6)
        }
        None => match text.split_once(':') {
            None => IpAddr::V4(text.parse().ok()?),
            Some((host, port)) if is_port(port) && host.contains('.') => {
                let v4: Ipv4Addr = host.parse().ok()?;
                IpAddr::V4(v4)
            }
            Some(_) => IpAddr::V6(text.parse().ok()?),
        },
    };
    Some(address.to_canonical())
}

fn is_port(text: &str) -> bool {
    matches!(text.len(), 1..=5) && text.parse::<u16>().is_ok() && !text.starts_with('+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::semantics::tests::{ARRIVAL, applied};

    #[test]
    fn fields_that_the_backend_gets() {
        let check = |is_trusted, headers: &[(&str, &str)], expected: &[&str]| {
            let arrival = Arrival {
                is_trusted,
                ..ARRIVAL
            };
            let mut edits = Edits::new();
            forwarded_edits(&mut edits, &arrival, headers, &KnownFields::of(headers));
            let names = ["for", "proto", "host"].map(|end| format!("x-forwarded-{end}"));
            let fields = applied(&edits, headers);
            let got: Vec<_> = fields
                .iter()
                .filter(|(name, _)| names.contains(name))
                .map(|(name, value)| format!("{}={value}", name.trim_start_matches("x-forwarded-")))
                .collect();
            assert_eq!(got, expected, "{is_trusted} {headers:?}");
        };
        let own = ["for=192.0.2.7", "proto=http", "host=shop.test"];
        check(false, &[], &own);
        check(true, &[], &own);
        let claims = [
            ("X-Forwarded-For", "1.1.1.1"),
            ("X-Forwarded-For", "unknown, 2.2.2.2:80"),
            ("X-Forwarded-Proto", "HTTPS"),
            ("X-Forwarded-Host", "a.test:8443"),
        ];
        check(false, &claims, &own);
        check(
            true,
            &claims,
            &[
                "proto=HTTPS",
                "host=a.test:8443",
                "for=1.1.1.1, unknown, 2.2.2.2:80, 192.0.2.7",
            ],
        );
        let odd = [
            ("x-forwarded-for", "1.1.1.1, <b>, , [2001:db8::1]:5, ::2"),
            ("x-forwarded-proto", "gopher"),
            ("x-forwarded-host", "a.test, b.test"),
        ];
        check(
            true,
            &odd,
            &["for=[2001:db8::1]:5, ::2, 192.0.2.7", own[1], own[2]],
        );
        let twice = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-proto", "http"),
        ];
        check(true, &twice, &own);
    }

    #[test]
    fn removed_claims() {
        let headers = [
            ("Forwarded", "for=1.1.1.1"),
            ("X_Forwarded_For", "1.1.1.1"),
            ("X-Forwarded-Port", "1"),
            ("X-Real-IP", "1.1.1.1"),
        ];
        for (is_trusted, expected) in [(false, 0), (true, 3)] {
            let arrival = Arrival {
                is_trusted,
                ..ARRIVAL
            };
            let mut edits = Edits::new();
            let headers = &headers[..];
            forwarded_edits(&mut edits, &arrival, headers, &KnownFields::of(headers));
            let left = headers
                .fields()
                .filter(|(name, _)| !edits.drops(name))
                .count();
            assert_eq!(left, expected, "{edits:?}");
        }
    }

    #[test]
    fn client_addresses() {
        let trusted = |address: IpAddr| address.to_string().starts_with("10.");
        for (peer, list, expected) in [
            ("192.0.2.7", "1.1.1.1", "192.0.2.7"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
            ("::ffff:10.0.0.1", "6.6.6.6, 1.1.1.1:5, 10.0.0.2", "1.1.1.1"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ] {
            let headers = [("x-forwarded-for", list)];
            let got = client_address(peer.parse().unwrap(), &headers[..], trusted);
            assert_eq!(got.to_string(), expected, "{peer} {list}");
        }
    }

    #[test]
    fn hops() {
        for (hop, expected) in [
            ("1.2.3.4", true),
            ("1.2.3.4:65535", true),
            ("1.2.3.4:65536", false),
            ("1.2.3.4:+1", false),
            ("::1", true),
            ("[::1]", true),
            ("[::1]x", false),
            ("[1.2.3.4]", false),
            ("Unknown", true),
            ("_hidden.1", true),
            ("_", false),
            ("a.test", false),
            ("1.2.3", false),
        ] {
            assert_eq!(is_hop(hop.as_bytes()), expected, "{hop}");
        }
    }
}
