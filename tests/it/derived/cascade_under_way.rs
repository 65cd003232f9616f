//! Cascading deletes that are interrupted, repeated, or slower than their request.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;
use upload_broker::domain::audit::{Actor, Origin};
use upload_broker::usecases::Error;
use upload_broker::usecases::uploads::delete::Force;
use upload_broker::usecases::uploads::delete::cascade::{self, Cascade};

use super::SOURCE;
use super::cascade::{cascade, statuses};
use crate::audit::rows_of_action;
use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::derived::owner;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::observe::eventually;
use crate::support::shared;

async fn family(app: &App, derived: usize) -> (Value, Vec<Value>) {
    let source = app.upload(SOURCE, "a", json!({})).await;
    let mut all = Vec::new();
    for n in 0..derived {
        let path = format!("/derived/{n}.csv");
        all.push(app.derive(&source, &path, &n.to_string()).await);
    }
    (source, all)
}

/// S3 refuses the delete of one derived object. The source stays, and a repetition ends the work.
#[tokio::test]
async fn interrupted_cascade_keeps_its_source_and_is_continued_by_a_retry() {
    let proxy = FaultyProxy::new(cloud::address());
    let app = Setup::new().s3(proxy.endpoint()).start().await;
    let (source, derived) = family(&app, 3).await;
    let away = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let mode = |text| Mode::RespondToMatching(cloud::address(), text, away);
    proxy.set_mode(mode("/derived/1.csv?x-id=DeleteObject"));
    let reply = app.delete(&cascade(&source)).await;
    reply.expect_problem(503, "service-unavailable");
    assert_eq!(app.read(&source).await["status"], "Uploaded");
    assert_eq!(app.read(&derived[1]).await["status"], "Deleting");
    proxy.set_mode(Mode::Forward(cloud::address()));
    app.delete(&cascade(&source)).await.expect_ok();
    let mut all: Vec<&Value> = derived.iter().collect();
    all.push(&source);
    assert_eq!(statuses(&app, &all).await, ["Deleted"; 4]);
    for upload in all {
        let types = app.event_types(upload).await;
        let expected = ["dataset.uploaded", "dataset.deleting", "dataset.deleted"];
        assert_eq!(types, expected, "{upload:#}");
    }
    assert_eq!(app.bucket.keys().await, Vec::<String>::new());
}

/// What a crash leaves: one derived dataset is deleted, one is Deleting, one is untouched. The
/// janitor ends the second, and the caller repeats the request for the rest.
#[tokio::test]
async fn cascade_continues_after_a_crash() {
    let app = App::start().await;
    let (source, derived) = family(&app, 3).await;
    app.delete(&format!("/uploads/{}", id(&derived[0])))
        .await
        .expect_ok();
    let begun = format!(
        "UPDATE uploads SET status = 'Deleting' WHERE id = '{}'",
        id(&derived[1])
    );
    app.sql().await.batch_execute(&begun).await.expect("a row");
    app.delete(&cascade(&source)).await.expect_ok();
    let all = [&source, &derived[0], &derived[1], &derived[2]];
    assert_eq!(statuses(&app, &all).await, ["Deleted"; 4]);
    assert_eq!(app.bucket.keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn concurrent_cascades_delete_everything_once() {
    let app = App::start().await;
    let (source, derived) = family(&app, 12).await;
    let path = cascade(&source);
    let replies = futures::future::join_all((0..6).map(|_| app.delete(&path))).await;
    for reply in &replies {
        assert!([204, 409].contains(&reply.status.as_u16()), "{reply:#?}");
    }
    assert!(
        replies.iter().any(|reply| reply.status == 204),
        "{replies:#?}"
    );
    for upload in derived.iter().chain([&source]) {
        let types = app.event_types(upload).await;
        let expected = ["dataset.uploaded", "dataset.deleting", "dataset.deleted"];
        assert_eq!(types, expected, "{upload:#}");
    }
    assert_eq!(app.bucket.keys().await, Vec::<String>::new());
    assert_eq!(app.removals_under_way().await, 0);
}

/// A result that is written while its source is being deleted does not outlive it.
#[tokio::test]
async fn dataset_derived_during_the_cascade_is_deleted_too() {
    let app = App::start().await;
    let (source, derived) = family(&app, 1).await;
    let mut client = app.sql().await;
    // Everything known was deleted when the source is about to be marked Deleting.
    let lock = client.transaction().await.expect("a transaction");
    let row = format!(
        "SELECT 1 FROM uploads WHERE id = '{}' FOR NO KEY UPDATE",
        id(&source)
    );
    lock.batch_execute(&row).await.expect("a lock");
    let path = cascade(&source);
    let meanwhile = async {
        eventually("the delete waits for the row of the source", async || {
            app.waiting_for_locks().await == 1
        })
        .await;
        assert_eq!(app.read(&derived[0]).await["status"], "Deleted");
        let late = app.create_derived(&source, "/derived/late.csv").await;
        lock.rollback().await.expect("a rollback");
        late
    };
    let (reply, late) = tokio::join!(app.delete(&path), meanwhile);
    assert_eq!(reply.status, 204, "{reply:#?}");
    let expected = ["Deleted", "Cancelled"];
    assert_eq!(statuses(&app, &[&source, &late]).await, expected);
}

/// The caller is answered in time, the work goes on, and each delete is audited.
#[tokio::test]
async fn cascade_goes_on_after_its_caller_was_answered() {
    let app = App::start().await;
    let (source, derived) = family(&app, 3).await;
    let (broker, upload) = (Arc::clone(&app.broker), id(&source).parse().expect("an id"));
    let late = shared().spawn(async move {
        let cascade = Cascade {
            force: Force::No,
            until: Instant::now(),
            origin: Origin::from(Actor::Caller(owner())),
        };
        cascade::by_id(&broker, owner(), upload, cascade).await
    });
    let late = late.await.expect("the task of the delete");
    assert!(matches!(late, Err(Error::Busy(_))), "{late:?}");
    eventually("the source is deleted", async || {
        app.read(&source).await["status"] == "Deleted"
    })
    .await;
    let all: Vec<&Value> = derived.iter().collect();
    assert_eq!(statuses(&app, &all).await, ["Deleted"; 3]);
    let rows = rows_of_action(&app, "upload.deleted", 4).await;
    assert!(rows.iter().all(|row| row["actor"] == "anyone"), "{rows:#?}");
}
