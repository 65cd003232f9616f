//! The limits of Uppy's uploads are those of `POST /uploads`. Where no size is known before, the store
//! holds them by the policy of the form, and the broker by the sum of the parts and by the proof.

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;
use upload_broker::usecases::tenants::{self, Change, Changes, Place};

use super::client::{
    CHECK_SECONDS, Uppy, field, send_form, setup, upload_at, upload_of, whole_part,
};
use crate::auth::tokens::issue_token;
use crate::support::app::{App, Setup};
use crate::support::reply::Reply;
use crate::support::serving::Caller;

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn store_refuses_form_over_the_limit() {
    let app = setup().set("BROKER_MAX_SIZE_BYTES", 10).start().await;
    let uppy = Uppy::v5(&app);
    let form = uppy.params("filename=a.txt").await;
    let refused = send_form(&app.http, &form, b"eleven byte").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:#?}");
    assert!(refused.body.contains("EntityTooLarge"), "{refused:#?}");
    send_form(&app.http, &form, b"ten bytes!").await.expect_ok();

    // The size that the page states is the only one.
    let form = uppy.params("filename=a.txt&metadata[fileSize]=5").await;
    for (bytes, code) in [("four", "EntityTooSmall"), ("six !!", "EntityTooLarge")] {
        let refused = send_form(&app.http, &form, bytes.as_bytes()).await;
        assert!(refused.body.contains(code), "{bytes}: {refused:#?}");
    }
    send_form(&app.http, &form, b"five!").await.expect_ok();
    let acknowledge = format!("/uploads/{}/acknowledge", upload_of(&form));
    let upload = app.post_empty(&acknowledge).await.expect(StatusCode::OK);
    assert_eq!(upload["size"], 5, "{upload:#}");
    assert_eq!(upload["metadata"], json!({}), "{upload:#}");
    let refused = uppy
        .get("/s3/params?filename=a&metadata[fileSize]=11")
        .await;
    let problem = refused.expect_problem(422, "size-limit-exceeded");
    assert_eq!(
        problem["errors"][0]["pointer"], "/metadata/fileSize",
        "{problem:#}"
    );
}

#[tokio::test]
async fn sum_of_parts_over_the_limit_fails_upload() {
    let limit = 5 * MIB + 5;
    let app = setup().set("BROKER_MAX_SIZE_BYTES", limit).start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a.bin").await;
    let first = upload.send(1, whole_part(1)).await;
    let second = upload.send(2, b"sixsix".to_vec()).await;
    // Two parts of at least 5 MiB come before it.
    let refused = uppy.get(&upload.path("/3")).await;
    refused.expect_problem(422, "size-limit-exceeded");
    let parts = json!([{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]);
    let refused = upload.complete(parts.clone()).await;
    let problem = refused.expect_problem(422, "size-limit-exceeded");
    assert!(problem["message"].is_string(), "{problem:#}");
    assert_eq!(upload_at(&app, &upload.key).await["status"], "Error");
    assert!(
        app.bucket.open_keys().await.is_empty(),
        "the parts are freed"
    );
    assert!(
        app.bucket.head(&upload.key).await.is_none(),
        "no object was made"
    );
    upload
        .complete(parts)
        .await
        .expect_problem(409, "invalid-status");
    // Version 5 cancels it then, and does not catch an error.
    assert_eq!(upload.abort().await.expect(StatusCode::OK), json!({}));
    assert_eq!(upload_at(&app, &upload.key).await["status"], "Error");

    // Exactly the limit is fine.
    let upload = uppy.begin("a.bin").await;
    let first = upload.send(1, whole_part(1)).await;
    let second = upload.send(2, b"five!".to_vec()).await;
    let parts = json!([{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]);
    upload.complete(parts).await.expect(StatusCode::OK);
    // A proven dataset is not cancelled.
    upload.abort().await.expect_problem(409, "invalid-status");
}

#[tokio::test]
async fn stated_size_of_parts_is_their_limit() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let body = json!({"filename": "a.bin", "metadata": {"fileSize": 3}});
    let upload = uppy.begin_with(body).await;
    uppy.get(&upload.path("/2"))
        .await
        .expect_problem(422, "size-limit-exceeded");
    let etag = upload.send(1, b"four".to_vec()).await;
    let refused = upload
        .complete(json!([{"PartNumber": 1, "ETag": etag}]))
        .await;
    refused.expect_problem(422, "size-limit-exceeded");
}

/// Another program writes the object, without the form.
#[tokio::test]
async fn proof_refuses_object_over_the_limit() {
    let app = setup().set("BROKER_MAX_SIZE_BYTES", 10).start().await;
    let form = Uppy::v5(&app)
        .params("filename=a.txt&type=text/plain")
        .await;
    let (id, key) = (upload_of(&form), field(&form, "key"));
    app.bucket
        .put_as(&id, key, "eleven byte", "text/plain")
        .await;
    app.advance(chrono::TimeDelta::seconds(CHECK_SECONDS + 1));
    let round = app.janitor().await;
    assert_eq!((round.arrived, round.failed), (0, 0), "{round:?}");
    let upload = upload_at(&app, key).await;
    assert_eq!(upload["status"], "Error", "{upload:#}");
    assert_eq!(upload["error"]["code"], "size-limit-exceeded", "{upload:#}");
}

/// The statuses and codes of one attempt by each way to create an upload.
async fn outcomes(app: &App, caller: &Caller, size: Option<u64>, kind: &str) -> Vec<String> {
    let uppy = Uppy::with_key(app, &caller.key);
    let mut metadata = json!({});
    let mut query = format!("filename=a.txt&type={kind}");
    let path = format!("/{}.txt", uuid::Uuid::now_v7());
    let mut body = json!({"path": path, "content_type": kind});
    if let Some(size) = size {
        metadata["fileSize"] = json!(size);
        query = format!("{query}&metadata[fileSize]={size}");
        body["size"] = json!(size);
    }
    let post = Reply::of(
        caller
            .request(reqwest::Method::POST, "/uploads")
            .json(&body),
    )
    .await;
    let form = uppy.get(&format!("/s3/params?{query}")).await;
    let file = json!({"filename": "a.txt", "type": kind, "metadata": metadata});
    let parts = uppy.post("/s3/multipart", file).await;
    [post, form, parts]
        .into_iter()
        .map(|reply| match reply.status.is_success() {
            true => "created".to_owned(),
            false => reply.json()["code"].as_str().expect("a code").to_owned(),
        })
        .collect()
}

async fn assert_equal(app: &App, caller: &Caller, size: Option<u64>, kind: &str, expected: &str) {
    let found = outcomes(app, caller, size, kind).await;
    assert_eq!(found, [expected; 3], "{size:?} {kind}");
}

async fn tenant(app: &App, limits: Changes) -> Caller {
    let connection = upload_broker::store::pool::connect(app.database.url()).await;
    let mut connection = connection.expect("Postgres");
    tenants::create(
        &mut connection,
        &app.clock,
        "acme",
        Place::default(),
        limits,
    )
    .await
    .expect("a tenant");
    let (_, key) = app.issue_key("acme", &Scope::ALL, None).await;
    Caller::new(app.url.clone(), key)
}

#[tokio::test]
async fn every_limit_is_that_of_other_uploads() {
    let app = setup()
        .set("BROKER_MAX_SIZE_BYTES", 1_000)
        .set("BROKER_ALLOWED_CONTENT_TYPES", "text/*")
        .start()
        .await;
    let own = Caller::new(app.url.clone(), app.key.clone());
    for (size, kind, expected) in [
        (None, "text/plain", "created"),
        (Some(0), "text/plain", "created"),
        (Some(1_000), "text/csv", "created"),
        (Some(1_001), "text/csv", "size-limit-exceeded"),
        (Some(1), "image/png", "content-type-not-allowed"),
        (None, "image/png", "content-type-not-allowed"),
        (Some(1), "nonsense", "invalid-request"),
    ] {
        assert_equal(&app, &own, size, kind, expected).await;
    }
    let acme = tenant(
        &app,
        Changes {
            max_size: Change::Set(100),
            quota_open_uploads: Change::Set(6),
            quota_bytes: Change::Set(310),
            ..Changes::default()
        },
    )
    .await;
    assert_equal(&app, &acme, Some(101), "text/csv", "size-limit-exceeded").await;
    let form = Uppy::with_key(&app, &acme.key)
        .params("filename=a.txt")
        .await;
    let policy = field(&form, "Policy").to_owned();
    let policy = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, policy);
    let policy: Value = serde_json::from_slice(&policy.expect("base64")).expect("JSON");
    assert_eq!(
        policy["conditions"][0],
        json!(["content-length-range", 0, 100])
    );
    assert_equal(&app, &acme, None, "text/csv", "created").await;
    // Four are open: two more fit.
    let more = outcomes(&app, &acme, None, "text/csv").await;
    assert_eq!(more, ["created", "created", "quota-exceeded"]);
    assert_equal(&app, &acme, None, "text/csv", "quota-exceeded").await;
}

#[tokio::test]
async fn parts_count_against_quota_when_they_are_completed() {
    let app: App = setup().start().await;
    let limits = Changes {
        quota_bytes: Change::Set(10),
        ..Changes::default()
    };
    let acme = tenant(&app, limits).await;
    let uppy = Uppy::with_key(&app, &acme.key);
    let large = uppy.begin("a.bin").await;
    let etag = large.send(1, b"eleven byte".to_vec()).await;
    let parts = json!([{"PartNumber": 1, "ETag": etag}]);
    let problem = large
        .complete(parts)
        .await
        .expect_problem(409, "quota-exceeded");
    assert_eq!(problem["quota"]["asked"], 11, "{problem:#}");
    assert!(
        app.bucket.head(&large.key).await.is_none(),
        "no object was made"
    );
    let small = uppy.begin("b.bin").await;
    let etag = small.send(1, b"ten bytes!".to_vec()).await;
    let done = small
        .complete(json!([{"PartNumber": 1, "ETag": etag}]))
        .await;
    done.expect(StatusCode::OK);
}

#[tokio::test]
async fn token_counts_uploads_and_the_most_bytes_they_may_have() {
    let app = setup().set("BROKER_MAX_SIZE_BYTES", 40).start().await;
    let token = issue_token(&app, json!({"max_uploads": 3, "max_bytes": 100})).await;
    let page = Uppy::v6(&app, &token.key);
    // Of an unknown size: the largest that it may have counts.
    let form = page.params("filename=a.txt").await;
    let refused = send_form(&app.http, &form, &[b'x'; 41]).await;
    assert!(refused.body.contains("EntityTooLarge"), "{refused:#?}");
    page.begin("b.bin").await;
    let spent = page.get("/s3/params?filename=c.txt").await;
    let problem = spent.expect_problem(403, "token-spent");
    assert!(
        problem["message"]
            .as_str()
            .expect("a message")
            .contains("20 bytes"),
        "{problem:#}"
    );
    // Of a known size: its own.
    page.params("filename=c.txt&metadata[fileSize]=20").await;
    let spent = page
        .get("/s3/params?filename=d.txt&metadata[fileSize]=0")
        .await;
    spent.expect_problem(403, "token-spent");
}

#[tokio::test]
async fn token_with_few_bytes_limits_the_form() {
    let app: App = Setup::new().start().await;
    let token = issue_token(&app, json!({"max_bytes": 5})).await;
    let form = Uppy::v6(&app, &token.key).params("filename=a.txt").await;
    let refused = send_form(&app.http, &form, b"sixsix").await;
    assert!(refused.body.contains("EntityTooLarge"), "{refused:#?}");
    send_form(&app.http, &form, b"five!").await.expect_ok();
}
