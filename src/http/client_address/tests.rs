//! Which headers of which peers are trusted.

use actix_web::http::header::{
    FORWARDED, HeaderMap, HeaderName, HeaderValue, X_FORWARDED_FOR, X_FORWARDED_PROTO,
};

use super::*;
use crate::config::Network;

/// Trusts 10/8 and fd00::/8.
fn proxies() -> TrustedProxies {
    let networks = ["10.0.0.0/8", "fd00::/8"].map(|text| Network::parse(text).expect(text));
    TrustedProxies::new(networks.to_vec())
}

fn map(headers: &[(&HeaderName, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        map.append((*name).clone(), value);
    }
    map
}

/// The client of a request from `peer` with these headers.
#[track_caller]
fn client(peer: &str, headers: &[(&HeaderName, &str)]) -> String {
    let peer = peer.parse().expect(peer);
    proxies().client(peer, &map(headers)).to_string()
}

/// Whether the client of such a request uses TLS.
#[track_caller]
fn by_tls(peer: &str, headers: &[(&HeaderName, &str)]) -> Option<bool> {
    let peer = peer.parse().expect(peer);
    proxies().client_tls(peer, &map(headers))
}

#[test]
fn headers_of_untrusted_peer_are_ignored() {
    let headers = [
        (&X_FORWARDED_FOR, "192.0.2.1"),
        (&FORWARDED, "for=192.0.2.1"),
    ];
    assert_eq!(client("198.51.100.9", &headers), "198.51.100.9");
    assert_eq!(client("::ffff:198.51.100.9", &headers), "198.51.100.9");
}

#[test]
fn client_is_first_untrusted_address_from_the_right() {
    for (value, expected) in [
        ("192.0.2.1", "192.0.2.1"),
        ("203.0.113.5, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, 10.2.2.2, fd00::7", "192.0.2.1"),
        ("203.0.113.5, 192.0.2.1, 10.2.2.2", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        // If all are trusted proxies, the leftmost is the client.
        ("10.9.9.9, 10.2.2.2", "10.9.9.9"),
        // An entry that cannot be parsed ends the walk.
        ("192.0.2.1, unknown, 10.2.2.2", "10.2.2.2"),
        ("192.0.2.1, nonsense", "10.1.1.1"),
        ("192.0.2.1, é", "10.1.1.1"),
        ("é, 192.0.2.1", "192.0.2.1"),
        ("", "10.1.1.1"),
        (" , ,", "10.1.1.1"),
    ] {
        let found = client("10.1.1.1", &[(&X_FORWARDED_FOR, value)]);
        assert_eq!(found, expected, "{value}");
    }
    assert_eq!(client("10.1.1.1", &[]), "10.1.1.1");
    let lines = [
        (&X_FORWARDED_FOR, "203.0.113.5"),
        (&X_FORWARDED_FOR, "192.0.2.1, 10.2.2.2"),
    ];
    assert_eq!(client("10.1.1.1", &lines), "192.0.2.1");
}

#[test]
fn forwarded_header_is_parsed_with_quotes() {
    for (value, expected) in [
        ("for=192.0.2.1", "192.0.2.1"),
        ("For=192.0.2.1;proto=https;by=10.1.1.1", "192.0.2.1"),
        ("proto=http; for=\"192.0.2.1:80\"", "192.0.2.1"),
        ("for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
        ("for=\"[2001:db8::1]\", for=10.2.2.2", "2001:db8::1"),
        ("for=203.0.113.5, for=192.0.2.1", "192.0.2.1"),
        ("for=\"19\\2.0.2.1\"", "192.0.2.1"),
        // A quoted comma or semicolon does not separate elements.
        (
            "for=192.0.2.1;host=\"a,for=203.0.113.5;for=203.0.113.6\"",
            "192.0.2.1",
        ),
        // Obfuscated, unknown, missing, repeated or invalid: the client is the proxy that wrote it.
        ("for=192.0.2.1, for=_hidden", "10.1.1.1"),
        ("for=192.0.2.1, for=unknown", "10.1.1.1"),
        ("for=192.0.2.1, proto=https", "10.1.1.1"),
        ("for=192.0.2.1;for=203.0.113.5", "10.1.1.1"),
        ("for=\"192.0.2.1", "10.1.1.1"),
        ("nonsense", "10.1.1.1"),
    ] {
        let found = client("10.1.1.1", &[(&FORWARDED, value)]);
        assert_eq!(found, expected, "{value}");
    }
}

#[test]
fn contradicting_headers_are_ignored() {
    let both = |standard, common| {
        client(
            "10.1.1.1",
            &[(&FORWARDED, standard), (&X_FORWARDED_FOR, common)],
        )
    };
    assert_eq!(both("for=192.0.2.1", "203.0.113.5, 192.0.2.1"), "192.0.2.1");
    assert_eq!(both("for=192.0.2.1", "203.0.113.5"), "10.1.1.1");
}

#[test]
fn scheme_is_that_of_the_proxy_of_the_client() {
    let (proto, hops) = (&X_FORWARDED_PROTO, &X_FORWARDED_FOR);
    for (headers, expected) in [
        (vec![], None),
        (vec![(proto, "https")], Some(true)),
        (vec![(proto, "HTTPS")], Some(true)),
        (vec![(proto, "http")], Some(false)),
        (vec![(proto, "httpss")], Some(false)),
        (vec![(proto, "")], None),
        // One value for two proxies, and one value for each.
        (
            vec![(proto, "https"), (hops, "192.0.2.1, 10.2.2.2")],
            Some(true),
        ),
        (
            vec![(proto, "https, http"), (hops, "192.0.2.1, 10.2.2.2")],
            Some(true),
        ),
        (
            vec![(proto, "http, https"), (hops, "192.0.2.1, 10.2.2.2")],
            Some(false),
        ),
        // Values further left may be made up by the client, also on a line of their own.
        (
            vec![(proto, "https, http"), (hops, "192.0.2.1")],
            Some(false),
        ),
        (vec![(proto, "https"), (proto, "http")], Some(false)),
        (vec![(&FORWARDED, "for=192.0.2.1;proto=https")], Some(true)),
        (
            vec![(&FORWARDED, "Proto=\"HTTPS\"; for=192.0.2.1")],
            Some(true),
        ),
        (vec![(&FORWARDED, "for=192.0.2.1")], None),
        (vec![(&FORWARDED, "for=_hidden;proto=https")], Some(true)),
        (vec![(&FORWARDED, "proto=https")], Some(true)),
        (
            vec![(&FORWARDED, "for=192.0.2.1;proto=https;proto=https")],
            None,
        ),
        (
            vec![(&FORWARDED, "for=192.0.2.1;host=\"a;proto=https\"")],
            None,
        ),
        (
            vec![(&FORWARDED, "proto=https, for=192.0.2.1;proto=http")],
            Some(false),
        ),
        (
            vec![(
                &FORWARDED,
                "for=192.0.2.1;proto=https, for=10.2.2.2;proto=http",
            )],
            Some(true),
        ),
        (
            vec![
                (&FORWARDED, "for=192.0.2.1;proto=https"),
                (&FORWARDED, "for=10.2.2.2"),
            ],
            Some(true),
        ),
        // One of two headers may lack the value, but they must not contradict each other.
        (
            vec![(&FORWARDED, "for=192.0.2.1"), (proto, "https")],
            Some(true),
        ),
        (vec![(&FORWARDED, "proto=http"), (proto, "https")], None),
    ] {
        assert_eq!(by_tls("10.1.1.1", &headers), expected, "{headers:?}");
        assert_eq!(by_tls("198.51.100.9", &headers), None, "{headers:?}");
    }
}
