//! Faults between the steps: what a kill or an outage leaves, and how the client goes on.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::client::{Uppy, field, send_form, setup, upload_at};
use crate::support::cloud;
use crate::support::fleet::Fleet;
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::reply::Reply;

/// The store made the object, and the broker died before it knew.
#[tokio::test]
async fn kill_behind_the_completion_leaves_what_the_next_call_finishes() {
    let fleet = Fleet::start(&[("BROKER_LEASE_SECONDS", "3".to_owned())]).await;
    let caller = fleet.caller(0);
    let file = json!({"filename": "a.bin", "type": "text/plain"});
    let begun = Reply::of(caller.request(Method::POST, "/s3/multipart").json(&file)).await;
    let begun = begun.expect(StatusCode::OK);
    let text = |name: &str| begun[name].as_str().expect("a text").to_owned();
    let (key, id) = (text("key"), text("uploadId"));
    let path = |end: &str| format!("/s3/multipart/{id}{end}?key={key}");
    let url = caller.get(&path("/1")).await.expect(StatusCode::OK);
    let sent = caller
        .http
        .put(url["url"].as_str().expect("a URL"))
        .body("abc");
    let etag = Reply::of(sent)
        .await
        .header("etag")
        .expect("an ETag")
        .to_owned();
    let parts = json!({"parts": [{"PartNumber": 1, "ETag": etag}]});

    let replica = &fleet.replicas[0];
    let complete = caller
        .request(Method::POST, &path("/complete"))
        .json(&parts)
        .send();
    replica.s3.block();
    let kill = async {
        let observer = fleet.sql().await;
        // The list of parts is on its way to the store.
        replica.s3.request_waits().await;
        replica.s3.restore();
        let saved = "SELECT count(*) FROM uploads WHERE size = 3";
        eventually("the completion has begun", async || {
            let row = observer.query_one(saved, &[]).await.expect("a count");
            row.get::<_, i64>(0) > 0
        })
        .await;
        replica.kill().await;
    };
    let (_, ()) = tokio::join!(complete, kill);
    let other = fleet.caller(1);
    // Whether the store had made the object or not, the same request brings it to its end.
    eventually("the other replica completes it", async || {
        let again = other.request(Method::POST, &path("/complete")).json(&parts);
        Reply::of(again).await.status == StatusCode::OK
    })
    .await;
    let found = other
        .get("/uploads?status=Uploaded")
        .await
        .expect(StatusCode::OK);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found:#}");
    assert_eq!(found[0]["verification"]["by"], "uppy", "{found:#}");
    assert_eq!(found[0]["object"]["size"], 3, "{found:#}");
}

#[tokio::test]
async fn outage_of_store_changes_nothing_and_upload_goes_on() {
    let gate = Gate::new(cloud::address());
    let app = setup().s3(gate.endpoint()).start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a.bin").await;
    let url = upload.sign(1).await["url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let sent = Reply::of(app.http.put(&url).body("x")).await.expect_ok();
    let etag = sent.header("etag").expect("an ETag").to_owned();
    let parts = json!([{"PartNumber": 1, "ETag": etag}]);
    gate.close().await;
    let problem = upload
        .complete(parts.clone())
        .await
        .expect_problem(503, "service-unavailable");
    assert!(problem["message"].is_string(), "{problem:#}");
    uppy.get(&upload.path(""))
        .await
        .expect_problem(503, "service-unavailable");
    let begin = json!({"filename": "b.bin"});
    uppy.post("/s3/multipart", begin)
        .await
        .expect_problem(503, "service-unavailable");
    // A signature needs no store.
    upload.sign(2).await;
    gate.restore();
    upload.complete(parts).await.expect(StatusCode::OK);
}

/// The client is gone: the janitor ends what it has left.
#[tokio::test]
async fn abandoned_uploads_expire_and_free_their_parts() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let parts = uppy.begin("a.bin").await;
    parts.send(1, b"x".to_vec()).await;
    let form = uppy.params("filename=b.txt").await;
    app.advance(TimeDelta::hours(1));
    let round = app.janitor().await;
    // All parts that there are make up an object of an unknown size: no client says that it is whole.
    assert_eq!((round.expired, round.uploaded), (2, 0), "{round:?}");
    assert!(app.bucket.open_keys().await.is_empty());
    assert_eq!(upload_at(&app, &parts.key).await["status"], "Expired");
    // The form arrives too late for its policy; another object of the upload is proven late.
    let late = send_form(&app.http, &form, b"late").await;
    assert!(
        late.status.is_success(),
        "the store has its own clock: {late:#?}"
    );
    let acknowledge = format!("/uploads/{}/acknowledge", super::client::upload_of(&form));
    app.post_empty(&acknowledge).await.expect(StatusCode::OK);
    assert_eq!(
        upload_at(&app, field(&form, "key")).await["status"],
        "Uploaded"
    );
}
