//! Request headers: a value with any bytes that HTTP allows is accepted completely or rejected.

use actix_web::FromRequest as _;
use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::test::TestRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use upload_broker::http::extract::idempotency::IdempotencyKey;
use upload_broker::http::middleware::request_id;

/// A header value of any allowed bytes.
fn value() -> impl Strategy<Value = HeaderValue> {
    let likely = "[!-~]{0,300}".prop_map(String::into_bytes);
    let bytes = prop_oneof![likely, vec(any::<u8>(), 0..300)];
    bytes.prop_filter_map("no header value", |bytes| {
        HeaderValue::from_bytes(&bytes).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn idempotency_key_is_accepted_unchanged_or_rejected(values in vec(value(), 0..3)) {
        let mut request = TestRequest::default();
        for value in &values {
            request = request.append_header(("idempotency-key", value.clone()));
        }
        let request = request.to_http_request();
        let key = IdempotencyKey::from_request(&request, &mut Payload::None).into_inner();
        let is_key = |value: &HeaderValue| {
            let bytes = value.as_bytes();
            (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
        };
        match (&values[..], key) {
            ([], key) => prop_assert!(key.is_ok_and(|key| key.0.is_none())),
            ([one], Ok(IdempotencyKey(Some(key)))) => {
                prop_assert!(is_key(one));
                prop_assert_eq!(key.as_bytes(), one.as_bytes());
            }
            ([one], Err(_)) => prop_assert!(!is_key(one), "{:?}", one),
            (_, key) => prop_assert!(values.len() > 1 && key.is_err(), "{:?}", values),
        }
    }

    /// The request id is the caller's own or a new one, and always safe for a log and a header.
    #[test]
    fn request_id_is_always_safe_for_logs_and_headers(value in value()) {
        let mut headers = HeaderMap::new();
        headers.insert(request_id::HEADER, value.clone());
        let name = request_id::choose(&headers);
        let is_sane = |name: &[u8]| {
            (1..=128).contains(&name.len())
                && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
        };
        prop_assert!(is_sane(name.as_bytes()), "{name:?}");
        prop_assert_eq!(name.as_bytes() == value.as_bytes(), is_sane(value.as_bytes()));
    }
}
