//! A batch under an `Idempotency-Key`.

use futures::future::join_all;

use super::*;

async fn ask_as(app: &App, key: &str, entries: &[Value]) -> Reply {
    let request = app.request(Method::POST, "/uploads/batch");
    let request = request.header("idempotency-key", key);
    Reply::of(request.json(&json!({"uploads": entries}))).await
}

fn ids(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| id(&result["upload"])).collect()
}

fn three() -> [Value; 3] {
    ["/a.csv", "/b.csv", "/c.csv"].map(|path| json!({"path": path, "expires_in": 60}))
}

#[tokio::test]
async fn the_same_batch_gets_the_same_uploads_with_fresh_urls() {
    let app = App::start().await;
    let first = results(ask_as(&app, "k", &three()).await);
    assert_eq!(statuses(&first), [201, 201, 201]);
    app.advance(TimeDelta::seconds(50));
    let again = results(ask_as(&app, "k", &three()).await);
    assert_eq!(statuses(&again), [200, 200, 200], "{again:#?}");
    assert_eq!(ids(&again), ids(&first));
    for (first, again) in first.iter().zip(&again) {
        let (first, again) = (&first["upload"], &again["upload"]);
        assert!(
            again["expires_at"].as_str() > first["expires_at"].as_str(),
            "{again:#}"
        );
        app.put(again, "bytes").await.expect_ok();
    }
    assert_eq!(rows(&app).await, 3);
}

#[tokio::test]
async fn what_was_refused_is_tried_again_and_what_was_made_is_not() {
    let app = App::start().await;
    let standing = app.upload("/b.csv", "bytes", json!({})).await;
    let first = results(ask_as(&app, "k", &three()).await);
    assert_eq!(statuses(&first), [201, 409, 201]);
    app.delete(&format!("/uploads/{}", id(&standing)))
        .await
        .expect_ok();
    let again = results(ask_as(&app, "k", &three()).await);
    assert_eq!(statuses(&again), [200, 201, 200], "{again:#?}");
    let third = results(ask_as(&app, "k", &three()).await);
    assert_eq!(statuses(&third), [200, 200, 200]);
    assert_eq!(ids(&third), ids(&again));
}

#[tokio::test]
async fn a_batch_of_which_nothing_was_made_holds_no_key() {
    let app = App::start().await;
    app.upload("/a.csv", "bytes", json!({})).await;
    let refused =
        results(ask_as(&app, "k", &[json!({"path": "/a.csv"}), json!({"path": ""})]).await);
    assert_eq!(statuses(&refused), [409, 422]);
    let other = results(ask_as(&app, "k", &three()[1..]).await);
    assert_eq!(statuses(&other), [201, 201]);
}

#[tokio::test]
async fn a_key_means_one_request_whether_single_or_batch() {
    let app = App::start().await;
    results(ask_as(&app, "k", &three()).await);
    let shorter = ask_as(&app, "k", &three()[..2]).await;
    shorter.expect_problem(422, "idempotency-key-reused");
    let request = app
        .request(Method::POST, "/uploads")
        .header("idempotency-key", "k");
    let single = Reply::of(request.json(&three()[0])).await;
    single.expect_problem(422, "idempotency-key-reused");
    assert_eq!(rows(&app).await, 3);
}

#[tokio::test]
async fn batches_at_once_under_one_key_make_one_set_of_uploads() {
    let app = App::start().await;
    let entries = three();
    let all = join_all((0..8).map(|_| ask_as(&app, "k", &entries))).await;
    let all: Vec<_> = all.into_iter().map(results).collect();
    for one in &all {
        assert_eq!(ids(one), ids(&all[0]));
    }
    let new = all.iter().filter(|one| statuses(one) == [201, 201, 201]);
    assert_eq!(new.count(), 1);
    assert_eq!(rows(&app).await, 3);
}

#[tokio::test]
async fn a_key_is_free_again_after_a_day() {
    let app = App::start().await;
    let first = results(ask_as(&app, "k", &three()).await);
    app.advance(TimeDelta::hours(1));
    let round = app.janitor().await;
    assert!(round.expired > 0, "some are Pending: {round:?}");
    app.advance(TimeDelta::hours(23) + TimeDelta::seconds(1));
    let later = results(ask_as(&app, "k", &three()[..2]).await);
    assert_eq!(statuses(&later), [201, 201]);
    assert_ne!(ids(&later), ids(&first)[..2]);
    let again = results(ask_as(&app, "k", &three()[..2]).await);
    assert_eq!(ids(&again), ids(&later));
}
