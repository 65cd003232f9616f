//! One replica is killed with `kill -9` between two chosen steps: what it leaves, and how that is
//! repaired. A gate holds the step until the process is dead. The other replica runs on.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::id;
use crate::support::fleet::Fleet;
use crate::support::gate::Gate;
use crate::support::invariant;
use crate::support::observe::{TIMEOUT, eventually};
use crate::support::reply::Reply;
use crate::support::serving::Caller;

/// Sessions that outlive the test, so that nothing is repaired because a session expires.
pub fn long() -> Vec<(&'static str, String)> {
    vec![("BROKER_URL_SECONDS", "900".into())]
}

/// The index of the replica that is not killed.
pub const OTHER: usize = 1;

pub async fn status(fleet: &Fleet, upload: &Value) -> String {
    let path = format!("/uploads/{}", id(upload));
    let upload = fleet.caller(OTHER).get(&path).await.expect(StatusCode::OK);
    upload["status"].as_str().expect("a status").to_owned()
}

async fn events(fleet: &Fleet, upload: &Value) -> usize {
    let path = format!("/uploads/{}/events", id(upload));
    let events = fleet.caller(OTHER).get(&path).await.expect(StatusCode::OK);
    events.as_array().expect("an array").len()
}

/// A client whose answers pass a gate.
fn behind(gate: &Gate, fleet: &Fleet) -> Caller {
    Caller {
        url: gate.endpoint(),
        ..fleet.caller(0)
    }
}

fn address(fleet: &Fleet) -> std::net::SocketAddr {
    let url = fleet.replicas[0].url();
    url.trim_start_matches("http://")
        .parse()
        .expect("an address")
}

/// Sends `request`, waits for `at_the_step` and kills the replica. The request gets no answer.
pub async fn killed_at(
    fleet: &Fleet,
    request: reqwest::RequestBuilder,
    at_the_step: impl Future<Output = ()>,
) {
    let answer = request.send();
    let kill = async {
        at_the_step.await;
        fleet.replicas[0].kill().await;
    };
    let (answer, ()) = tokio::join!(answer, kill);
    answer.expect_err("an answer from the dead");
}

/// Waits until a statement waits for a row that another transaction has locked.
pub async fn waits_for_its_row(fleet: &Fleet) {
    let observer = fleet.sql().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND datname = current_database()";
    eventually("a request waits for its row", async || {
        let row = observer.query_one(waiting, &[]).await.expect("a count");
        row.get::<_, i64>(0) == 1
    })
    .await;
}

#[tokio::test]
async fn create_killed_before_its_answer_is_repeated_with_the_same_upload() {
    let fleet = Fleet::start(&long()).await;
    let door = Gate::new(address(&fleet));
    door.block_responses();
    let create = |caller: Caller| {
        let request = caller.request(Method::POST, "/uploads");
        let request = request.header("idempotency-key", "once");
        request.json(&json!({"path": "/a.csv"}))
    };
    let lost = create(behind(&door, &fleet));
    let dead = async {
        door.response_waits().await;
        door.close().await;
    };
    killed_at(&fleet, lost, dead).await;
    // The client repeats its request and gets the same upload. There is no other.
    let again = Reply::of(create(fleet.caller(OTHER))).await;
    let again = again.expect(StatusCode::OK);
    let all = fleet
        .caller(OTHER)
        .get("/uploads")
        .await
        .expect(StatusCode::OK);
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all:#}");
    assert_eq!(all[0]["id"], again["id"]);
}

/// Kills the replica while it handles `verb` of an upload and waits for S3.
async fn killed_while_it_asks_s3(fleet: &Fleet, session: &Value, method: Method, verb: &str) {
    let s3 = &fleet.replicas[0].s3;
    s3.block();
    let path = format!("/uploads/{}{verb}", id(session));
    let request = fleet.caller(0).request(method, &path);
    killed_at(fleet, request, s3.request_waits()).await;
}

#[tokio::test]
async fn acknowledge_killed_before_its_commit_can_be_repeated() {
    let fleet = Fleet::start(&long()).await;
    let caller = fleet.caller(0);
    let session = caller.create("/a.csv").await;
    caller.put(&session, "a").await.expect_ok();
    killed_while_it_asks_s3(&fleet, &session, Method::POST, "/acknowledge").await;
    // The row is unchanged, and the client repeats its request.
    assert_eq!(status(&fleet, &session).await, "Pending");
    assert_eq!(events(&fleet, &session).await, 0);
    let done = fleet.caller(OTHER).acknowledge(&session).await;
    assert_eq!(done.expect(StatusCode::OK)["status"], "Uploaded");
    assert_eq!(events(&fleet, &session).await, 1);
    fleet.inbox.receive_until(1, TIMEOUT).await;
}

#[tokio::test]
async fn acknowledge_killed_before_its_commit_is_finished_by_the_janitor() {
    let fleet = Fleet::start(&[]).await;
    let caller = fleet.caller(0);
    let session = caller.create("/a.csv").await;
    caller.put(&session, "a").await.expect_ok();
    killed_while_it_asks_s3(&fleet, &session, Method::POST, "/acknowledge").await;
    // The janitor of the other replica checks the upload after its end.
    let message = fleet.inbox.receive_until(1, TIMEOUT).await.remove(0);
    assert_eq!(message.json()["data"]["upload_id"], session["id"]);
    assert_eq!(status(&fleet, &session).await, "Uploaded");
    invariant::check(&fleet, &[], vec![message], 0).await;
}

#[tokio::test]
async fn acknowledge_killed_after_its_commit_is_notified_by_other_replica() {
    let fleet = Fleet::start(&long()).await;
    let caller = fleet.caller(0);
    let session = caller.create("/a.csv").await;
    caller.put(&session, "a").await.expect_ok();
    // The killed replica cannot publish the event either.
    fleet.replicas[0].sns.close().await;
    let door = Gate::new(address(&fleet));
    door.block_responses();
    let path = format!("/uploads/{}/acknowledge", id(&session));
    let dead = async {
        door.response_waits().await;
        door.close().await;
    };
    let lost = behind(&door, &fleet).request(Method::POST, &path);
    killed_at(&fleet, lost, dead).await;
    // The upload is done, and the other replica publishes the event. A repeated acknowledge changes
    // nothing.
    let again = fleet.caller(OTHER).acknowledge(&session).await;
    assert_eq!(again.expect(StatusCode::OK)["status"], "Uploaded");
    assert_eq!(events(&fleet, &session).await, 1);
    let snapshot = invariant::check(&fleet, &[], vec![], 0).await;
    assert_eq!(snapshot.delivered.len(), 1);
}

#[tokio::test]
async fn delete_killed_before_the_removal_is_finished_by_other_replica() {
    let fleet = Fleet::start(&long()).await;
    let caller = fleet.caller(0);
    let uploaded = caller.upload("/a.csv", "a").await;
    let s3 = &fleet.replicas[0].s3;
    let delete = caller.request(Method::DELETE, &format!("/uploads/{}", id(&uploaded)));
    // The check of the object passes, and the row is locked until S3 accepts no more requests.
    let mut client = fleet.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let rows = "SELECT 1 FROM uploads FOR UPDATE";
    lock.batch_execute(rows).await.expect("a lock");
    let held = async {
        waits_for_its_row(&fleet).await;
        s3.block();
        lock.rollback().await.expect("a rollback");
        s3.request_waits().await;
    };
    killed_at(&fleet, delete, held).await;
    s3.close().await;
    assert_eq!(status(&fleet, &uploaded).await, "Deleting");
    assert!(fleet.place.bucket.head("a.csv").await.is_some());
    // The janitor of the other replica finishes the delete when the lease of the killed one is
    // over.
    invariant::check(&fleet, &[], vec![], 0).await;
    assert_eq!(status(&fleet, &uploaded).await, "Deleted");
    assert!(fleet.place.bucket.head("a.csv").await.is_none());
}

#[tokio::test]
async fn cancel_killed_before_the_removal_is_finished_by_other_replica() {
    let fleet = Fleet::start(&[]).await;
    let caller = fleet.caller(0);
    let session = caller.create("/a.csv").await;
    caller.put(&session, "a").await.expect_ok();
    killed_while_it_asks_s3(&fleet, &session, Method::POST, "/cancel").await;
    fleet.replicas[0].s3.close().await;
    // The upload is cancelled, and its object blocks the path until the janitor of the other
    // replica checks again after the end of the URL.
    assert_eq!(status(&fleet, &session).await, "Cancelled");
    assert!(fleet.place.bucket.head("a.csv").await.is_some());
    invariant::check(&fleet, &[], vec![], 0).await;
    assert!(fleet.place.bucket.head("a.csv").await.is_none());
}
