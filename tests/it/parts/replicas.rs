//! Two replicas work on one upload: one of them completes it, and the other one waits for the
//! result.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::scene::crc64;
use crate::support::app::id;
use crate::support::fleet::Fleet;
use crate::support::observe::{TIMEOUT, eventually};
use crate::support::reply::Reply;

/// Creates a session of one part and sends the part. `more` can contain the size.
async fn sent(fleet: &Fleet, more: Value) -> Value {
    let caller = fleet.caller(0);
    let mut body = json!({"path": "/a.csv", "multipart": true});
    let more = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(more);
    let create = caller.request(Method::POST, "/uploads").json(&body);
    let session = Reply::of(create).await.expect(StatusCode::CREATED);
    let path = format!("/uploads/{}/parts", id(&session));
    let asked = json!({"parts": [{"part_number": 1, "size": 3}]});
    let sign = caller.request(Method::POST, &path).json(&asked);
    let signed = Reply::of(sign).await.expect(StatusCode::OK);
    let url = signed["parts"][0]["url"].as_str().expect("a URL");
    Reply::of(caller.http.put(url).body("abc"))
        .await
        .expect_ok();
    session
}

async fn acknowledge(fleet: &Fleet, which: usize, session: &Value, claims: Value) -> Reply {
    let path = format!("/uploads/{}/acknowledge", id(session));
    let request = fleet.caller(which).request(Method::POST, &path);
    Reply::of(request.json(&claims)).await
}

/// The number of statements that wait for a lock.
async fn waiting(client: &tokio_postgres::Client) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                 AND datname = current_database()";
    let row = client.query_one(count, &[]).await.expect("a count");
    row.get(0)
}

/// One request is faster and completes the upload with its own values. The other client gets the
/// same answer.
#[tokio::test]
async fn acknowledges_at_two_replicas_make_one_transition() {
    let long = [("BROKER_URL_SECONDS", "900".to_owned())];
    let fleet = Fleet::start(&long).await;
    let session = sent(&fleet, json!({"size": 3})).await;
    let mut client = fleet.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let rows = "SELECT 1 FROM uploads FOR UPDATE";
    lock.batch_execute(rows).await.expect("a lock");
    let release = async {
        let observer = fleet.sql().await;
        eventually("both wait for the row", async || {
            waiting(&observer).await == 2
        })
        .await;
        lock.rollback().await.expect("a rollback");
    };
    let (one, other, ()) = tokio::join!(
        acknowledge(&fleet, 0, &session, json!({"metadata": {"by": "one"}})),
        acknowledge(&fleet, 1, &session, json!({"comments": "of the other one"})),
        release
    );
    let (one, other) = (one.expect(StatusCode::OK), other.expect(StatusCode::OK));
    assert_eq!(one, other);
    let claims = (&one["metadata"]["by"], &one["comments"]);
    let either = [
        (&json!("one"), &Value::Null),
        (&Value::Null, &json!("of the other one")),
    ];
    assert!(either.contains(&claims), "{one:#}");
    let events = fleet
        .caller(0)
        .get(&format!("/uploads/{}/events", id(&session)))
        .await
        .expect(StatusCode::OK);
    assert_eq!(events.as_array().map(Vec::len), Some(1), "{events:#}");
    fleet.inbox.receive_until(1, TIMEOUT).await;
}

/// Two clients expect different checksums. The row keeps those that were stored first, and the
/// other client gets an error or the finished upload.
#[tokio::test]
async fn first_of_two_contradictory_acknowledges_decides_the_checksum() {
    let long = [("BROKER_URL_SECONDS", "900".to_owned())];
    let fleet = Fleet::start(&long).await;
    let session = sent(&fleet, json!({"size": 3})).await;
    let mut client = fleet.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let rows = "SELECT 1 FROM uploads FOR UPDATE";
    lock.batch_execute(rows).await.expect("a lock");
    let observer = fleet.sql().await;
    let first = acknowledge(&fleet, 0, &session, json!({"checksum": crc64(b"abc")}));
    let second = async {
        eventually("the first one waits", async || {
            waiting(&observer).await == 1
        })
        .await;
        let release = async {
            eventually("both wait", async || waiting(&observer).await == 2).await;
            lock.rollback().await.expect("a rollback");
        };
        let claims = json!({"checksum": crc64(b"other")});
        tokio::join!(acknowledge(&fleet, 1, &session, claims), release).0
    };
    let (first, second) = tokio::join!(first, second);
    let first = first.expect(StatusCode::OK);
    assert_eq!(first["checksum"], crc64(b"abc"), "{first:#}");
    match second.status {
        StatusCode::OK => assert_eq!(second.json(), first),
        _ => {
            let problem = second.expect_problem(422, "invalid-request");
            assert_eq!(problem["errors"][0]["pointer"], "/checksum", "{problem:#}");
        }
    }
}

/// The janitor of one replica has read the row, which has no size, when the client acknowledges at
/// the other replica. The janitor does not drop the parts while S3 makes an object of them.
#[tokio::test]
async fn janitor_leaves_upload_alone_that_another_replica_completes() {
    let fleet = Fleet::start(&[]).await;
    let session = sent(&fleet, json!({})).await;
    for replica in &fleet.replicas {
        replica.s3.block();
    }
    let janitor = tokio::select! {
        () = fleet.replicas[0].s3.request_waits() => 0,
        () = fleet.replicas[1].s3.request_waits() => 1,
    };
    let other = 1 - janitor;
    fleet.replicas[other].s3.restore();

    let mut client = fleet.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let rows = "SELECT 1 FROM uploads FOR UPDATE";
    lock.batch_execute(rows).await.expect("a lock");
    let claims = json!({"size": 3, "checksum": crc64(b"abc")});
    let acknowledged = acknowledge(&fleet, other, &session, claims);
    let meanwhile = async {
        let observer = fleet.sql().await;
        eventually("the acknowledge takes the row over", async || {
            waiting(&observer).await > 0
        })
        .await;
        fleet.replicas[other].s3.block();
        lock.rollback().await.expect("a rollback");
        fleet.replicas[other].s3.request_waits().await;
        // S3 completes the upload; now the janitor checks it.
        let before = rounds(&fleet, janitor).await;
        fleet.replicas[janitor].s3.restore();
        eventually("the janitor ends its round", async || {
            rounds(&fleet, janitor).await > before
        })
        .await;
        fleet.replicas[other].s3.restore();
    };
    let (acknowledged, ()) = tokio::join!(acknowledged, meanwhile);
    let upload = acknowledged.expect(StatusCode::OK);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    let path = format!("/uploads/{}/events", id(&session));
    let events = fleet.caller(other).get(&path).await.expect(StatusCode::OK);
    assert_eq!(events.as_array().map(Vec::len), Some(1), "{events:#}");
    assert_eq!(fleet.place.bucket.get("a.csv").await, b"abc");
}

/// The number of rounds that the janitor of a replica has finished.
async fn rounds(fleet: &Fleet, which: usize) -> u64 {
    let all = fleet.caller(which).get("/metrics").await.expect_ok().body;
    let mut lines = all.lines();
    let line = lines.find(|line| line.contains("_janitor_rounds_total{outcome=\"finished\"}"));
    let count = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    count.unwrap_or_default()
}
