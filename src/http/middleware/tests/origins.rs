//! CORS: only configured origins may read responses.

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;

use super::{ORIGIN, call, problem};

#[actix_web::test]
async fn only_configured_origin_may_read_problems() {
    let get = |origin: &str| {
        TestRequest::get()
            .uri("/nowhere")
            .insert_header(("origin", origin.to_owned()))
    };
    let (headers, _) = problem(get(ORIGIN), 404, "not-found").await;
    assert_eq!(headers["access-control-allow-origin"], ORIGIN);
    assert!(headers["access-control-expose-headers"].contains("etag"));
    let (headers, _) = problem(get("https://app.example.org.evil"), 404, "not-found").await;
    assert!(!headers.contains_key("access-control-allow-origin"));
    assert_eq!(headers["vary"], "Origin");
}

/// The request, and its extensions, no longer exist then.
#[actix_web::test]
async fn origin_may_read_problems_of_panic_and_timeout() {
    for (place, status, code) in [
        ("/panics", 500, "internal-error"),
        ("/hangs", 503, "service-unavailable"),
    ] {
        let get = TestRequest::get().uri(place);
        let (headers, _) = problem(get.insert_header(("origin", ORIGIN)), status, code).await;
        assert_eq!(headers["access-control-allow-origin"], ORIGIN);
        assert!(headers["access-control-expose-headers"].contains("retry-after"));
        assert_eq!(headers["vary"], "Origin");
    }
}

#[actix_web::test]
async fn preflight_requires_no_credential() {
    let request = TestRequest::default()
        .method(Method::OPTIONS)
        .uri("/guarded")
        .insert_header(("origin", ORIGIN))
        .insert_header(("access-control-request-method", "POST"));
    let (status, headers, _) = call(request).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(headers["access-control-allow-origin"], ORIGIN);
    assert!(headers["access-control-allow-headers"].contains("authorization"));
}

#[actix_web::test]
async fn preflight_allows_headers_of_tracing_libraries() {
    let asked = "Baggage, sentry-trace,traceparent,tracestate,x-requested-with,\
        x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-tags,\
        x-datadog-trace-id,X-Datadog-Sampled,x-other";
    let request = TestRequest::default()
        .method(Method::OPTIONS)
        .uri("/guarded")
        .insert_header(("origin", ORIGIN))
        .insert_header(("access-control-request-method", "POST"))
        .insert_header(("access-control-request-headers", asked));
    let (status, headers, _) = call(request).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let allowed: Vec<_> = (headers["access-control-allow-headers"].split(','))
        .map(str::trim)
        .collect();
    for name in asked.split(',').map(|name| name.trim().to_lowercase()) {
        let is_known = name != "x-other";
        assert_eq!(allowed.contains(&&*name), is_known, "{name}: {allowed:?}");
    }
}
