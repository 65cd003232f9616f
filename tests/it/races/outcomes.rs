//! An acknowledge and a request for the opposite at the same moment.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::usecases::maintenance::expire::{self, ExpireOutcome};
use upload_broker::usecases::maintenance::row_lease::{self, RowTask};

use super::SeededRng;
use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::holding_proxy::HoldingProxy;
use crate::support::reply::Reply;
use crate::support::shared;
use crate::support::store::Store;

const ROUNDS: u64 = 40;

/// A session with a key of its own whose object has arrived.
async fn sent(app: &App, key: &str) -> Value {
    let session = app.create(key, json!({"expires_in": 60})).await;
    app.put(&session, "bytes").await.expect_ok();
    session
}

/// Sends a request after other tasks have had some turns.
async fn after(turns: u64, app: &App, method: Method, path: String) -> Reply {
    SeededRng::yield_times(turns).await;
    Reply::of(app.request(method, &path)).await
}

/// Asserts that the history is one of `histories` and returns the status of the upload.
async fn status_after(app: &App, round: u64, session: &Value, histories: &[&[&str]]) -> String {
    let types = app.event_types(session).await;
    let known = histories.iter().any(|history| types == *history);
    assert!(known, "round {round}: {types:?} is none of {histories:?}");
    let now = app.read(session).await;
    now["status"].as_str().expect("a status").to_owned()
}

#[tokio::test]
async fn acknowledge_racing_cancel_has_one_outcome() {
    let app = App::start().await;
    let mut won = [0, 0];
    // The head start of the acknowledge grows while it loses and shrinks while it wins. In this way
    // the test finds the moment at which both are equally fast, on any machine.
    let mut head_start = Duration::ZERO;
    for round in 0..ROUNDS {
        let key = format!("cancel/{round}");
        let session = sent(&app, &key).await;
        let path = format!("/uploads/{}", id(&session));
        let cancel = async {
            tokio::time::sleep(head_start).await;
            app.post_empty(&format!("{path}/cancel")).await
        };
        let (one, other) = tokio::join!(app.acknowledge(&session), cancel);
        let histories: &[&[&str]] = &[&["dataset.uploaded"], &["upload.cancelled"]];
        let status = status_after(&app, round, &session, histories).await;
        let there = app.bucket.head(&key).await.is_some();
        if status == "Uploaded" {
            won[0] += 1;
            head_start /= 2;
            one.expect(StatusCode::OK);
            other.expect_problem(409, "invalid-status");
            assert!(there, "round {round}: Uploaded, but the object is gone");
        } else {
            won[1] += 1;
            head_start = head_start * 3 / 2 + Duration::from_millis(1);
            other.expect(StatusCode::OK);
            // If the cancel had removed the object too, the acknowledge found no object.
            let code = one.json()["code"].clone();
            assert!(
                one.status == 409 && (code == "invalid-status" || code == "object-missing"),
                "round {round}: {one:#?}"
            );
            assert!(!there, "round {round}: Cancelled, but the object is there");
        }
    }
    assert!(won.iter().all(|times| *times > 0), "no race: {won:?}");
}

#[tokio::test]
async fn acknowledge_racing_the_janitor_proves_the_upload_once() {
    let app = App::start().await;
    let mut rng = SeededRng(2);
    let mut by = [0, 0];
    for round in 0..ROUNDS {
        let key = format!("expiry/{round}");
        let session = sent(&app, &key).await;
        app.advance(TimeDelta::seconds(60 + 901));
        let path = format!("/uploads/{}/acknowledge", id(&session));
        let turns = rng.below(8);
        let (acknowledged, swept) =
            tokio::join!(after(rng.below(8), &app, Method::POST, path), async {
                SeededRng::yield_times(turns).await;
                app.janitor().await
            },);
        let answer = acknowledged.expect(StatusCode::OK);
        assert_eq!(swept.failed, 0, "round {round}: {swept:?}");
        assert_eq!(swept.expired, 0, "round {round}: it was there: {swept:?}");
        status_after(&app, round, &session, &[&["dataset.uploaded"]]).await;
        let now = app.read(&session).await;
        assert_eq!(answer, now, "round {round}: the answer is the row");
        by[usize::from(now["verification"]["by"] == "janitor")] += 1;
        // S3 would reject a signature from a clock that is ahead.
        app.advance(TimeDelta::seconds(-(60 + 901)));
    }
    assert!(by.iter().sum::<i32>() == 40, "{by:?}");
}

#[tokio::test]
async fn object_arriving_during_expiry_is_uploaded_in_the_end() {
    let app = App::start().await;
    let mut rng = SeededRng(3);
    for round in 0..ROUNDS {
        let key = format!("late/{round}");
        let session = app.create(&key, json!({"expires_in": 60})).await;
        app.advance(TimeDelta::seconds(60 + 901));
        let turns = rng.below(4);
        let client = async {
            app.put(&session, "bytes").await.expect_ok();
            app.acknowledge(&session).await.expect(StatusCode::OK)
        };
        let sweep = async {
            SeededRng::yield_times(turns).await;
            app.janitor().await
        };
        let (uploaded, _) = tokio::join!(client, sweep);
        let histories: &[&[&str]] = &[
            &["dataset.uploaded"],
            &["upload.expired", "dataset.uploaded"],
        ];
        let status = status_after(&app, round, &session, histories).await;
        assert_eq!(status, "Uploaded", "round {round}");
        assert_eq!(uploaded, app.read(&session).await, "round {round}");
        app.advance(TimeDelta::seconds(-(60 + 901)));
    }
}

#[tokio::test]
async fn acknowledge_racing_delete_has_one_outcome() {
    let app = App::start().await;
    let mut rng = SeededRng(4);
    for round in 0..ROUNDS {
        let key = format!("delete/{round}");
        let session = sent(&app, &key).await;
        let path = format!("/uploads/{}", id(&session));
        let acknowledge = format!("{path}/acknowledge");
        let (first, second, gone) = tokio::join!(
            after(rng.below(8), &app, Method::POST, acknowledge.clone()),
            after(rng.below(8), &app, Method::POST, acknowledge),
            after(rng.below(40), &app, Method::DELETE, path),
        );
        let uploaded: &[&str] = &["dataset.uploaded"];
        let deleted: &[&str] = &["dataset.uploaded", "dataset.deleting", "dataset.deleted"];
        let status = status_after(&app, round, &session, &[uploaded, deleted]).await;
        let there = app.bucket.head(&key).await.is_some();
        assert_eq!(status == "Uploaded", there, "round {round}: {status}");
        let answered = [&first, &second].map(|reply| reply.status.as_u16());
        assert!(answered.contains(&200), "round {round}: {answered:?}");
        if status == "Deleted" {
            assert_eq!(gone.status, StatusCode::NO_CONTENT, "{gone:#?}");
        } else {
            gone.expect_problem(409, "invalid-status");
        }
    }
}

#[tokio::test]
async fn four_concurrent_deletes_make_one_transition() {
    let app = App::start().await;
    for round in 0..ROUNDS / 4 {
        let key = format!("twice/{round}");
        let session = app.upload(&key, "bytes", json!({})).await;
        let path = format!("/uploads/{}", id(&session));
        let calls = (0..4).map(|_| app.delete(&path));
        let answers = futures::future::join_all(calls).await;
        let done = answers.iter().filter(|one| one.status == 204).count();
        let refused = answers.iter().filter(|one| one.status == 409).count();
        // A delete that arrives while another one is running finishes it too and gets the same
        // answer.
        assert!(done > 0, "round {round}: {answers:#?}");
        assert_eq!(done + refused, 4, "round {round}: {answers:#?}");
        let deleted: &[&str] = &["dataset.uploaded", "dataset.deleting", "dataset.deleted"];
        let status = status_after(&app, round, &session, &[deleted]).await;
        assert_eq!(status, "Deleted", "round {round}");
        assert!(app.bucket.head(&key).await.is_none(), "round {round}");
    }
}

#[tokio::test]
async fn delete_keeps_an_object_that_replaced_the_old_one_meanwhile() {
    delete_while_object_is_replaced(Setup::new(), cloud::address()).await;
    let store = Store::start().await;
    delete_while_object_is_replaced(Setup::new().store(&store), store.addr()).await;
}

async fn delete_while_object_is_replaced(setup: Setup, s3: SocketAddr) {
    let halt = HoldingProxy::new(s3, "DELETE /");
    let app = setup.s3(halt.endpoint()).start().await;
    let old = app.upload("a.csv", "old", json!({})).await;
    let new = app.create("a.csv", json!({"overwrite": true})).await;
    // The delete has seen the old object when the new one arrives.
    let path = format!("/uploads/{}", id(&old));
    let replace = async {
        halt.request_waits().await;
        app.put(&new, "new").await.expect_ok();
        halt.release().await;
    };
    let (reply, ()) = tokio::join!(app.delete(&path), replace);
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(app.read(&old).await["status"], "Deleted");
    assert_eq!(app.bucket.get("a.csv").await, b"new", "it is another one");
    app.acknowledge(&new).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn cancel_removes_object_that_arrives_meanwhile() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    let path = format!("/uploads/{}/cancel", id(&session));
    let arrive = async { drop(app.put(&session, "a").await.expect_ok()) };
    let reply = app.run_before_write(app.post_empty(&path), arrive).await;
    assert_eq!(reply.expect(StatusCode::OK)["status"], "Cancelled");
    assert!(
        app.bucket.head("a.csv").await.is_none(),
        "it blocks the path"
    );
}

#[tokio::test]
async fn object_arriving_during_expiry_can_still_be_acknowledged() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({"expires_in": 60})).await;
    app.advance(TimeDelta::seconds(60 + 901));
    let arrive = async { drop(app.put(&session, "a").await.expect_ok()) };
    // A janitor skips a locked row, so it leases the row before the lock.
    let broker = Arc::clone(&app.broker);
    let now = app.clock.now();
    let page = shared()
        .spawn(async move { row_lease::lease_due_rows(&broker, RowTask::Expire, now, 10).await });
    let (mut rows, _held) = page.await.expect("a task").expect("a page");
    let claimed = rows.remove(0);
    let broker = Arc::clone(&app.broker);
    // The work begins when it is awaited, after the row was locked.
    let expire = async move {
        let expire = async move { expire::expire(&broker, claimed.upload).await };
        shared().spawn(expire).await
    };
    let looked = app.run_before_write(expire, arrive).await;
    assert_eq!(
        looked.expect("a task").expect("a look"),
        ExpireOutcome::Expired
    );
    app.acknowledge(&session).await.expect(StatusCode::OK);
    let types = app.event_types(&session).await;
    assert_eq!(types, ["upload.expired", "dataset.uploaded"]);
}
