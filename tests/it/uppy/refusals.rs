//! What is refused, and how Uppy shows it.

use reqwest::{Method, StatusCode};
use serde_json::json;
use upload_broker::domain::principal::Scope;

use super::client::{Multipart, Uppy, setup, upload_at};
use crate::auth::tokens::issue_token;
use crate::support::app::id;
use crate::support::reply::Reply;

#[tokio::test]
async fn only_issued_key_and_upload_id_of_own_tenant_are_known() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a.bin").await;
    let other = uppy.begin("b.bin").await;
    let foreign_key = "theirs.bin";
    let foreign_id = app.bucket.begin(foreign_key).await;
    // An upload of another client: its parts have sizes that are signed.
    let session = app
        .create("/own.bin", json!({"multipart": true, "size": 6 << 20}))
        .await;
    let open = app.bucket.open_uploads().await;
    let own = open.iter().find(|(key, _)| key == "own.bin").expect("open");
    let (_, acme) = app.issue_key("acme", &Scope::ALL, None).await;
    let acme = Uppy::with_key(&app, &acme);
    let folder = issue_token(&app, json!({"prefix": "/elsewhere/"})).await;
    let folder = Uppy::v6(&app, &folder.key);
    let named = |uppy, key: &str, id: &str| Multipart {
        uppy,
        key: key.to_owned(),
        s3_upload_id: id.to_owned(),
    };
    for unknown in [
        named(&uppy, &upload.key, "UP/+=1"),
        named(&uppy, "none.bin", &upload.s3_upload_id),
        named(&uppy, &other.key, &upload.s3_upload_id),
        named(&uppy, foreign_key, &foreign_id),
        named(&uppy, &own.0, &own.1),
        named(&acme, &upload.key, &upload.s3_upload_id),
        named(&folder, &upload.key, &upload.s3_upload_id),
    ] {
        let uppy = unknown.uppy;
        let complete = json!({"parts": [{"PartNumber": 1, "ETag": "x"}]});
        for reply in [
            uppy.get(&unknown.path("")).await,
            uppy.get(&unknown.path("/1")).await,
            uppy.get(&unknown.path("/batch?partNumbers=1")).await,
            uppy.post(&unknown.path("/complete"), complete).await,
            unknown.abort().await,
        ] {
            let problem = reply.expect_problem(404, "upload-not-found");
            assert_eq!(problem["message"], problem["detail"], "{problem:#}");
            assert_eq!(problem["error"], problem["title"], "{problem:#}");
        }
    }
    assert_eq!(
        app.bucket.open_uploads().await.len(),
        4,
        "nothing was aborted"
    );
    assert_eq!(
        app.read(&session).await["status"],
        "Pending",
        "{}",
        id(&session)
    );
    assert_eq!(upload_at(&app, &upload.key).await["status"], "Pending");
}

#[tokio::test]
async fn bad_requests_get_message() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    for path in [
        "/s3/params",
        "/s3/params?filename=",
        "/s3/params?filename=%FF",
        "/s3/params?filename=a&metadata[fileSize]=x",
        "/s3/multipart/a",
        "/s3/multipart/%FF?key=a",
        "/s3/multipart/a/batch?key=a",
    ] {
        let problem = uppy.get(path).await.expect_problem(422, "invalid-request");
        assert_eq!(problem["message"], problem["detail"], "{path}: {problem:#}");
    }
    for body in [
        json!({}),
        json!({"filename": ""}),
        json!({"filename": 1}),
        json!({"filename": "a", "type": 1}),
        json!({"filename": "a", "metadata": []}),
        json!([]),
    ] {
        let refused = uppy.post("/s3/multipart", body.clone()).await;
        let problem = refused.expect_problem(422, "invalid-request");
        assert!(problem["message"].is_string(), "{body}: {problem:#}");
    }
    let broken = uppy.request(Method::POST, "/s3/multipart");
    let broken = broken.header("content-type", "application/json").body("{");
    let problem = Reply::of(broken).await.expect_problem(400, "invalid-json");
    assert!(problem["message"].is_string(), "{problem:#}");
    assert!(app.bucket.open_uploads().await.is_empty());
    let anonymous = Reply::of(app.http.get(format!("{}/s3/params?filename=a", app.url))).await;
    let problem = anonymous.expect_problem(401, "unauthenticated");
    assert!(problem["message"].is_string(), "{problem:#}");
    let elsewhere = app.get("/uploads/none").await;
    assert!(elsewhere.json().get("message").is_none(), "{elsewhere:#?}");
}

#[tokio::test]
async fn credentials_of_bucket_are_never_handed_out() {
    let app = setup().start().await;
    let refused = Uppy::v5(&app).get("/s3/sts").await;
    let problem = refused.expect_problem(404, "not-found");
    let message = problem["message"].as_str().expect("a message");
    assert!(message.contains("hands out no credentials"), "{message}");
}

#[tokio::test]
async fn page_of_listed_origin_may_send_headers_of_uppy() {
    let origin = "https://app.example.org";
    let app = setup().set("BROKER_CORS_ORIGINS", origin).start().await;
    let preflight = app
        .http
        .request(Method::OPTIONS, format!("{}/s3/multipart", app.url));
    let preflight = preflight
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "content-type,authorization,uppy-auth-token,uppy-credentials-params",
        );
    let reply = Reply::of(preflight).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    let allowed = reply
        .header("access-control-allow-headers")
        .expect("headers");
    for name in [
        "content-type",
        "authorization",
        "uppy-auth-token",
        "uppy-credentials-params",
    ] {
        assert!(allowed.contains(name), "{allowed}");
    }
    let refused = app
        .http
        .get(format!("{}/s3/params", app.url))
        .header("origin", origin);
    let refused = Reply::of(refused).await;
    assert_eq!(
        refused.header("access-control-allow-origin"),
        Some(origin),
        "{refused:#?}"
    );
}
