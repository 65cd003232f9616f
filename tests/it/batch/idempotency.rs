//! Batches with an `Idempotency-Key`.

use futures::future::join_all;

use super::*;

async fn create_batch_with_key(app: &App, key: &str, entries: &[Value]) -> Reply {
    let request = app.request(Method::POST, "/uploads/batch");
    let request = request.header("idempotency-key", key);
    Reply::of(request.json(&json!({"uploads": entries}))).await
}

fn ids(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| id(&result["upload"])).collect()
}

fn three_entries() -> [Value; 3] {
    ["/a.csv", "/b.csv", "/c.csv"].map(|path| json!({"path": path, "expires_in": 60}))
}

#[tokio::test]
async fn retried_batch_returns_same_uploads_with_fresh_urls() {
    let app = App::start().await;
    let first = results(create_batch_with_key(&app, "k", &three_entries()).await);
    assert_eq!(statuses(&first), [201, 201, 201]);
    app.advance(TimeDelta::seconds(50));
    let again = results(create_batch_with_key(&app, "k", &three_entries()).await);
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
async fn retried_batch_repeats_only_refused_entries() {
    let app = App::start().await;
    let standing = app.upload("/b.csv", "bytes", json!({})).await;
    let first = results(create_batch_with_key(&app, "k", &three_entries()).await);
    assert_eq!(statuses(&first), [201, 409, 201]);
    app.delete(&format!("/uploads/{}", id(&standing)))
        .await
        .expect_ok();
    let again = results(create_batch_with_key(&app, "k", &three_entries()).await);
    assert_eq!(statuses(&again), [200, 201, 200], "{again:#?}");
    let third = results(create_batch_with_key(&app, "k", &three_entries()).await);
    assert_eq!(statuses(&third), [200, 200, 200]);
    assert_eq!(ids(&third), ids(&again));
}

#[tokio::test]
async fn batch_without_any_created_upload_does_not_reserve_key() {
    let app = App::start().await;
    app.upload("/a.csv", "bytes", json!({})).await;
    let refused = results(
        create_batch_with_key(&app, "k", &[json!({"path": "/a.csv"}), json!({"path": ""})]).await,
    );
    assert_eq!(statuses(&refused), [409, 422]);
    let other = results(create_batch_with_key(&app, "k", &three_entries()[1..]).await);
    assert_eq!(statuses(&other), [201, 201]);
}

#[tokio::test]
async fn key_of_batch_is_rejected_for_any_other_request() {
    let app = App::start().await;
    results(create_batch_with_key(&app, "k", &three_entries()).await);
    let shorter = create_batch_with_key(&app, "k", &three_entries()[..2]).await;
    shorter.expect_problem(422, "idempotency-key-reused");
    let request = app
        .request(Method::POST, "/uploads")
        .header("idempotency-key", "k");
    let single = Reply::of(request.json(&three_entries()[0])).await;
    single.expect_problem(422, "idempotency-key-reused");
    assert_eq!(rows(&app).await, 3);
}

#[tokio::test]
async fn concurrent_batches_with_one_key_create_one_set_of_uploads() {
    let app = App::start().await;
    let entries = three_entries();
    let all = join_all((0..8).map(|_| create_batch_with_key(&app, "k", &entries))).await;
    let all: Vec<_> = all.into_iter().map(results).collect();
    for one in &all {
        assert_eq!(ids(one), ids(&all[0]));
    }
    let new = all.iter().filter(|one| statuses(one) == [201, 201, 201]);
    assert_eq!(new.count(), 1);
    assert_eq!(rows(&app).await, 3);
}

#[tokio::test]
async fn key_can_be_reused_after_one_day() {
    let app = App::start().await;
    let first = results(create_batch_with_key(&app, "k", &three_entries()).await);
    app.advance(TimeDelta::hours(1));
    let round = app.janitor().await;
    assert!(round.expired > 0, "some are Pending: {round:?}");
    app.advance(TimeDelta::hours(23) + TimeDelta::seconds(1));
    let later = results(create_batch_with_key(&app, "k", &three_entries()[..2]).await);
    assert_eq!(statuses(&later), [201, 201]);
    assert_ne!(ids(&later), ids(&first)[..2]);
    let again = results(create_batch_with_key(&app, "k", &three_entries()[..2]).await);
    assert_eq!(ids(&again), ids(&later));
}
