//! No export contains a secret, whatever clients send.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::collector::Collector;
use super::traceparent;
use crate::support::app::id;
use crate::support::leaks::{find, register_secret};
use crate::support::reply::Reply;

const SPAN: u64 = 0xb7ad_6b71_6920_3331;
/// A credential for the collector.
const CREDENTIAL: &str = "a-credential-of-the-collector-that-nothing-else-has";

#[tokio::test]
async fn exports_contain_no_secret() {
    register_secret("the credential of a collector", CREDENTIAL);
    let collector = Collector::new();
    let headers = format!("x-api-key={CREDENTIAL},x-other=a%20b");
    let app = collector.setup().set("OTEL_EXPORTER_OTLP_HEADERS", headers);
    let app = app.start().await;
    let session = app.create("/secret-folder/a.csv", json!({})).await;
    app.put(&session, "a\n").await.expect_ok();
    app.acknowledge(&session).await.expect(StatusCode::OK);
    let made = app.post_empty("/tokens").await.expect(StatusCode::CREATED);
    let token = made["token"].as_str().expect("a token").to_owned();
    let download = "/datasets/secret-folder/a.csv/action/download";
    let download = app.get(download).await;
    let signed = download.header("location").expect("a URL").to_owned();
    let (_, query) = signed.split_once('?').expect("a query");
    let key = app.key.clone();
    for (number, path) in [
        format!("/uploads/{key}"),
        format!("/uploads/{token}/acknowledge?{query}"),
        format!("/t/{token}/uploads/{}?token={token}", id(&session)),
        format!("/t/{token}/nowhere"),
        format!("/datasets/secret-folder/{token}?{query}"),
        format!("/{key}?{query}"),
    ]
    .into_iter()
    .enumerate()
    {
        let trace = u128::try_from(number).expect("a number") + 1;
        let request = app.request(Method::GET, &path);
        let request = request
            .header("traceparent", traceparent(trace, SPAN))
            .header("tracestate", format!("vendor={key}"))
            .header("user-agent", &key)
            .header("x-request-id", &key);
        Reply::of(request).await;
        collector.wait_for(trace, "GET").await;
    }
    for export in collector.0.all() {
        assert_eq!(export.path, "/v1/traces");
        assert_eq!(export.header("content-type"), "application/x-protobuf");
        assert_eq!(export.header("x-api-key"), CREDENTIAL);
        assert_eq!(export.header("x-other"), "a b");
        assert_eq!(find(&export.body), None, "{}", export.body);
        for secret in [
            &key,
            &token,
            query,
            CREDENTIAL,
            "secret-folder",
            "X-Amz",
            "Bearer",
        ] {
            assert!(!export.body.contains(secret), "{secret} in {}", export.body);
        }
    }
}
