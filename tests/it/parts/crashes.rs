//! One replica is killed with `kill -9` while S3 makes an object of the parts. The other replica
//! runs on.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::id;
use crate::support::fleet::Fleet;
use crate::support::invariant;
use crate::support::observe::{TIMEOUT, eventually};
use crate::support::reply::Reply;

/// Kills the first replica when S3 has made the object but the row does not know it yet.
async fn killed_behind_s3(fleet: &Fleet) -> Value {
    let caller = fleet.caller(0);
    let create = caller.request(Method::POST, "/uploads");
    let create = create.json(&json!({
        "path": "/a.csv", "size": 3, "multipart": true, "overwrite": true,
    }));
    let session = Reply::of(create).await.expect(StatusCode::CREATED);
    let part = &session["multipart"]["parts"][0];
    let put = caller.http.put(part["url"].as_str().expect("a URL"));
    Reply::of(put.body("abc")).await.expect_ok();

    let replica = &fleet.replicas[0];
    let mut client = fleet.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    replica.s3.block();
    let acknowledge = caller.request(
        Method::POST,
        &format!("/uploads/{}/acknowledge", id(&session)),
    );
    let acknowledge = acknowledge.json(&json!({"comments": "claimed"})).send();
    let kill = async {
        let observer = fleet.sql().await;
        let held = "SELECT count(*) FROM uploads WHERE held_for = 'completion'";
        eventually("the acknowledge holds the upload", async || {
            let row = observer.query_one(held, &[]).await.expect("a count");
            row.get::<_, i64>(0) > 0
        })
        .await;
        let rows = "SELECT 1 FROM uploads FOR UPDATE";
        lock.batch_execute(rows).await.expect("a lock");
        replica.s3.restore();
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND datname = current_database() AND query LIKE '%comments%'";
        eventually("the acknowledge keeps its claims", async || {
            let row = observer.query_one(waiting, &[]).await.expect("a count");
            row.get::<_, i64>(0) > 0
        })
        .await;
        replica.s3.block_responses();
        lock.rollback().await.expect("a rollback");
        replica.s3.response_waits().await;
        replica.kill().await;
    };
    let (answer, ()) = tokio::join!(acknowledge, kill);
    answer.expect_err("an answer from the dead");
    assert!(
        fleet.place.bucket.head("a.csv").await.is_some(),
        "no object"
    );
    session
}

#[tokio::test]
async fn upload_of_killed_replica_is_proven_by_acknowledge_at_other_replica() {
    let long = [("BROKER_URL_SECONDS", "900".to_owned())];
    let fleet = Fleet::start(&long).await;
    let session = killed_behind_s3(&fleet).await;
    let other = fleet.caller(1);
    let path = format!("/uploads/{}", id(&session));
    let upload = other.get(&path).await.expect(StatusCode::OK);
    assert_eq!(upload["status"], "Pending", "{upload:#}");
    let upload = other.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(upload["comments"], "claimed", "{upload:#}");
    let events = other
        .get(&format!("{path}/events"))
        .await
        .expect(StatusCode::OK);
    assert_eq!(events.as_array().map(Vec::len), Some(1), "{events:#}");
    fleet.inbox.receive_until(1, TIMEOUT).await;
}

#[tokio::test]
async fn upload_of_killed_replica_is_proven_by_janitor_of_other_replica() {
    let fleet = Fleet::start(&[]).await;
    let session = killed_behind_s3(&fleet).await;
    let message = fleet.inbox.receive_until(1, TIMEOUT).await.remove(0);
    assert_eq!(message.json()["data"]["upload_id"], session["id"]);
    invariant::check(&fleet, &[], vec![message], 0).await;
}
