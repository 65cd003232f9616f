//! Who is believed about whom.

use actix_web::http::header::HeaderValue;

use super::*;

/// The client of a request from `peer` with these headers, where 10/8 and fd00::/8 are proxies.
#[track_caller]
fn client(peer: &str, headers: &[(&HeaderName, &str)]) -> String {
    let networks = ["10.0.0.0/8", "fd00::/8"].map(|text| Network::parse(text).expect(text));
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        map.append((*name).clone(), value);
    }
    let peer = peer.parse().expect(peer);
    TrustedProxies::new(networks.to_vec())
        .client(peer, &map)
        .to_string()
}

#[test]
fn a_stranger_is_not_believed() {
    let headers = [
        (&X_FORWARDED_FOR, "192.0.2.1"),
        (&FORWARDED, "for=192.0.2.1"),
    ];
    assert_eq!(client("198.51.100.9", &headers), "198.51.100.9");
    assert_eq!(client("::ffff:198.51.100.9", &headers), "198.51.100.9");
}

#[test]
fn trusted_proxies_are_walked_past_and_no_further() {
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
        // All are proxies: the first of them is the client.
        ("10.9.9.9, 10.2.2.2", "10.9.9.9"),
        // What cannot be read ends the walk.
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
fn the_standard_header_is_read_with_its_quotes() {
    for (value, expected) in [
        ("for=192.0.2.1", "192.0.2.1"),
        ("For=192.0.2.1;proto=https;by=10.1.1.1", "192.0.2.1"),
        ("proto=http; for=\"192.0.2.1:80\"", "192.0.2.1"),
        ("for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
        ("for=\"[2001:db8::1]\", for=10.2.2.2", "2001:db8::1"),
        ("for=203.0.113.5, for=192.0.2.1", "192.0.2.1"),
        ("for=\"19\\2.0.2.1\"", "192.0.2.1"),
        // A quoted comma or semicolon divides nothing.
        (
            "for=192.0.2.1;host=\"a,for=203.0.113.5;for=203.0.113.6\"",
            "192.0.2.1",
        ),
        // Hidden, unknown, silent, twofold or broken: the proxy that said so is as near as we get.
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
fn two_headers_that_contradict_each_other_are_worth_nothing() {
    let both = |standard, common| {
        client(
            "10.1.1.1",
            &[(&FORWARDED, standard), (&X_FORWARDED_FOR, common)],
        )
    };
    assert_eq!(both("for=192.0.2.1", "203.0.113.5, 192.0.2.1"), "192.0.2.1");
    assert_eq!(both("for=192.0.2.1", "203.0.113.5"), "10.1.1.1");
}
