//! Tests of the layers around handlers, without a broker.

mod origins;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::dev::Service as _;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpResponse, web};
use futures::FutureExt as _;
use serde::Deserialize;
use serde_json::Value;

use super::auth::{self, Authenticator};
use super::cors::{self, Origins};
use super::edge::{self, RequestTimeout};
use crate::domain::bounds::Bounds;
use crate::domain::jail::Jail;
use crate::domain::principal::{Credential, Principal, Scope};
use crate::http::extract::caller::{Caller, UploadsRead, UploadsWrite};
use crate::http::extract::json::Json;
use crate::http::problem::Problem;

type Headers = BTreeMap<String, String>;

const ORIGIN: &str = "https://app.example.org";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    size: u64,
}

async fn write(caller: Caller<UploadsWrite>, body: Json<Body>) -> HttpResponse {
    HttpResponse::Ok().body(format!("{} {}", caller.tenant, body.0.size))
}

async fn panics() -> HttpResponse {
    panic!("the secret words")
}

async fn fails() -> Result<HttpResponse, Problem> {
    let cause = std::io::Error::other("db.internal:5432 refused");
    Err(Problem::unavailable("Postgres", cause))
}

/// Knows the tokens `reader`, which may not write, and `writer`.
fn authenticator() -> Authenticator {
    Authenticator::new(|token| {
        let scopes = match token {
            Some("reader") => vec![Scope::UploadsRead],
            Some("writer") => vec![Scope::UploadsWrite],
            _ => return async { Err(Problem::unauthenticated()) }.boxed_local(),
        };
        let principal = Principal {
            tenant: "default".into(),
            jail: Jail::new("", vec![]),
            policy: Arc::default(),
            scopes,
            key_id: None,
            credential: Credential::AuthenticationOff,
            bounds: Bounds::default(),
        };
        async { Ok(Arc::new(principal)) }.boxed_local()
    })
}

/// The status, the headers and the body of a response, also of one that is an error of the service.
async fn call(request: TestRequest) -> (StatusCode, Headers, String) {
    let guarded = web::scope("/guarded")
        .wrap(from_fn(auth::authenticate_caller))
        .service(
            web::resource("")
                .route(web::post().to(write))
                .route(web::get().to(async |_: Caller<UploadsRead>| "read")),
        );
    let app = App::new()
        .app_data(web::Data::new(authenticator()))
        .app_data(web::Data::new(RequestTimeout(Duration::from_secs(3))))
        .app_data(web::Data::new(Origins::new(vec![ORIGIN.to_owned()], &[])))
        .wrap(from_fn(cors::cors))
        .wrap(from_fn(edge::edge))
        .service(guarded)
        .service(web::resource("/hello").route(web::get().to(async || "hello")))
        .service(web::resource("/panics").route(web::get().to(panics)))
        .service(web::resource("/hangs").route(web::get().to(std::future::pending::<&str>)))
        .service(web::resource("/fails").route(web::get().to(fails)));
    let response = match init_service(app).await.call(request.to_request()).await {
        Ok(response) => response.into_parts().1,
        Err(error) => error.error_response(),
    };
    let status = response.status();
    let text_of = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), value.to_str().expect("text").to_owned())
    };
    let headers = response.headers().iter().map(text_of).collect();
    let body = to_bytes(response.into_body()).await.expect("a body");
    let text = String::from_utf8(body.to_vec()).expect("text");
    (status, headers, text)
}

/// Asserts that the response is a complete problem with this status and code.
async fn problem(request: TestRequest, status: u16, code: &str) -> (Headers, Value) {
    let request = request.insert_header(("x-request-id", "test-1"));
    let (found, headers, text) = call(request).await;
    assert_eq!(found.as_u16(), status, "{text}");
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["x-request-id"], "test-1");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(body["request_id"], "test-1", "{text}");
    assert_eq!(body["code"], code, "{text}");
    assert_eq!(body["type"], format!("/problems/{code}"), "{text}");
    assert_eq!(body["status"], status, "{text}");
    (headers, body)
}

fn post(token: &str) -> TestRequest {
    TestRequest::post()
        .uri("/guarded?q=1")
        .insert_header(("authorization", format!("bearer {token}")))
}

#[actix_web::test]
async fn errors_of_framework_are_problems() {
    problem(TestRequest::get().uri("/nowhere"), 404, "not-found").await;
    let (headers, body) =
        problem(TestRequest::post().uri("/hello"), 405, "method-not-allowed").await;
    assert_eq!(headers["allow"], "GET");
    assert_eq!(body["instance"], "/hello");
}

#[actix_web::test]
async fn internal_faults_do_not_reveal_their_cause() {
    let (_, body) = problem(TestRequest::get().uri("/panics"), 500, "internal-error").await;
    assert!(!body.to_string().contains("secret"), "{body}");
    let (headers, body) =
        problem(TestRequest::get().uri("/fails"), 503, "service-unavailable").await;
    assert!(!body.to_string().contains("5432"), "{body}");
    assert!(headers.contains_key("retry-after"));
}

#[actix_web::test]
async fn requests_without_valid_credential_get_401() {
    for request in [
        TestRequest::post().uri("/guarded").set_payload("{"),
        post("unknown").set_payload("{"),
        TestRequest::post()
            .uri("/guarded")
            .insert_header(("authorization", "Basic d3JpdGVy")),
        TestRequest::delete().uri("/guarded/unknown"),
    ] {
        let (headers, _) = problem(request, 401, "unauthenticated").await;
        assert_eq!(headers["www-authenticate"], "Bearer");
    }
}

#[actix_web::test]
async fn missing_scope_is_reported_before_body_is_parsed() {
    let (headers, body) = problem(post("reader").set_payload("{"), 403, "insufficient-scope").await;
    assert!(
        body["detail"]
            .as_str()
            .expect("a detail")
            .contains("uploads:write")
    );
    let challenge = &headers["www-authenticate"];
    assert!(challenge.contains("scope=\"uploads:write\""), "{challenge}");
}

#[actix_web::test]
async fn each_kind_of_invalid_body_has_its_own_problem() {
    problem(post("writer").set_payload("{"), 400, "invalid-json").await;
    let (_, body) = problem(
        post("writer").set_payload("{\"size\":-1}"),
        422,
        "invalid-request",
    )
    .await;
    assert_eq!(body["errors"][0]["pointer"], "/size");
    assert_eq!(body["instance"], "/guarded", "never the query");
    let large = vec![b' '; 64 * 1024 + 1];
    problem(post("writer").set_payload(large), 413, "payload-too-large").await;
    let form = post("writer")
        .insert_header(("content-type", "text/plain"))
        .set_payload("{}");
    problem(form, 415, "unsupported-media-type").await;
    let (status, _, text) = call(post("writer").set_payload("{\"size\":1}")).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "default 1"));
}

#[actix_web::test]
async fn head_returns_headers_of_get_without_body() {
    let request = TestRequest::default().method(Method::HEAD).uri("/hello");
    let (status, headers, text) = call(request).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, ""));
    assert!(headers.contains_key("x-request-id"));
}
