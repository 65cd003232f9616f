//! Version 6 sends no header: its token is in the path.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;

use super::client::{Uppy, send_form, setup, upload_at, upload_of, whole_part};
use crate::auth::tokens::issue_token;
use crate::support::reply::Reply;

#[tokio::test]
async fn token_in_path_permits_whole_life_of_uploads() {
    let app = setup().start().await;
    let token = issue_token(&app, json!({"prefix": "/in/", "max_uploads": 2})).await;
    let page = Uppy::v6(&app, &token.key);
    let form = page.params("filename=a.txt&type=text/plain").await;
    send_form(&app.http, &form, b"hello").await.expect_ok();
    let acknowledge = format!("/uploads/{}/acknowledge", upload_of(&form));
    page.post(&acknowledge, json!({}))
        .await
        .expect(StatusCode::OK);

    let upload = page.begin("film.bin").await;
    let first = upload.send(1, whole_part(1)).await;
    let listed = upload.list().await;
    let second = upload.send(2, b"x".to_vec()).await;
    let parts = json!([listed[0], {"PartNumber": 2, "ETag": second.trim_matches('"')}]);
    assert_eq!(listed[0]["ETag"], first);
    upload.complete(parts).await.expect(StatusCode::OK);
    let row = upload_at(&app, &upload.key).await;
    assert_eq!(row["verification"]["by"], "uppy", "{row:#}");
    let spent = page.get("/s3/params?filename=c").await;
    spent.expect_problem(403, "token-spent");
}

#[tokio::test]
async fn token_ends_with_its_forms_and_needs_its_scope() {
    let app = setup().start().await;
    let token = issue_token(&app, json!({"expires_in": 60})).await;
    let page = Uppy::v6(&app, &token.key);
    let form = page.params("filename=a.txt").await;
    assert_eq!(form["expires"], 60, "{form:#}");
    let upload = page.begin("a.bin").await;
    assert_eq!(upload.sign(1).await["expires"], 60);
    app.advance(TimeDelta::seconds(61));
    let over = page.get(&upload.path("/1")).await;
    over.expect_problem(401, "unauthenticated");
    // Another credential of the tenant goes on with it.
    let own = Uppy::v5(&app);
    own.get(&upload.path("/1")).await.expect(StatusCode::OK);

    let reader = issue_token(&app, json!({"scopes": ["uploads:read"]})).await;
    let refused = Uppy::v6(&app, &reader.key)
        .get("/s3/params?filename=a")
        .await;
    let problem = refused.expect_problem(403, "insufficient-scope");
    assert!(problem["message"].is_string(), "{problem:#}");
    // An API key in the path is no token.
    let key = Reply::of(
        app.http
            .get(format!("{}/t/{}/s3/params?filename=a", app.url, app.key)),
    );
    key.await.expect_problem(401, "unauthenticated");
}
