//! Retention: ended uploads and their events are kept for ever unless the settings limit it.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::janitor::Round;
use upload_broker::store::retention;

use super::overdue_rows;
use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::observe::eventually;

async fn count(app: &App, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    app.sql()
        .await
        .query_one(&count, &[])
        .await
        .expect("a count")
        .get(0)
}

async fn all_events_published(app: &App) {
    eventually("every event is published", async || {
        count(app, "events WHERE notify AND published_at IS NULL").await == 0
    })
    .await;
}

/// Creates one upload of each end: deleted, cancelled, expired, superseded, and failed because of a
/// foreign object.
async fn ended_uploads(app: &App) -> Vec<Value> {
    let deleted = app.upload("deleted", "x", json!({})).await;
    app.delete(&format!("/uploads/{}", id(&deleted))).await;
    let cancelled = app.create("cancelled", json!({})).await;
    app.post_empty(&format!("/uploads/{}/cancel", id(&cancelled)))
        .await;
    let superseded = app.upload("current", "x", json!({})).await;
    app.upload("current", "y", json!({"overwrite": true})).await;
    let taken = app.create("taken", json!({})).await;
    app.bucket.put("taken", "by another program").await;
    app.acknowledge(&taken)
        .await
        .expect_problem(409, "dataset-exists");
    let expired = app.create("expired", json!({})).await;
    vec![deleted, cancelled, superseded, taken, expired]
}

#[tokio::test]
async fn ended_uploads_and_their_events_are_kept_by_default() {
    let app = App::start().await;
    ended_uploads(&app).await;
    all_events_published(&app).await;
    let events = count(&app, "events").await;
    app.advance(TimeDelta::days(4_000));
    app.janitor().await;
    let round = app.janitor().await;
    assert_eq!((round.old_events, round.old_uploads), (0, 0));
    assert_eq!(count(&app, "uploads").await, 6);
    assert_eq!(
        count(&app, "events").await,
        events + 1,
        "and the one of the expiry"
    );
}

#[tokio::test]
async fn ended_uploads_are_removed_with_their_events_after_retention() {
    let app = Setup::new()
        .set("BROKER_RETENTION_UPLOADS_DAYS", 30)
        .start()
        .await;
    let ended = ended_uploads(&app).await;
    let wrong = app.create("wrong", json!({"size": 1})).await;
    app.bucket
        .put_as(id(&wrong), "wrong", "too long", "application/octet-stream")
        .await;
    app.acknowledge(&wrong)
        .await
        .expect_problem(422, "object-mismatch");
    let keyed = app
        .request(reqwest::Method::POST, "/uploads")
        .header("idempotency-key", "k");
    let keyed = keyed
        .json(&json!({"path": "keyed"}))
        .send()
        .await
        .expect("an answer");
    assert_eq!(keyed.status(), StatusCode::CREATED);
    all_events_published(&app).await;
    app.advance(TimeDelta::hours(1));
    assert_eq!(app.janitor().await.expired, 2);
    app.advance(TimeDelta::days(30) - TimeDelta::hours(1) + TimeDelta::seconds(1));
    let round = app.janitor().await;
    assert_eq!(
        round.old_uploads, 4,
        "the expired ones are younger: {round:?}"
    );
    let pending = app.create("pending", json!({"expires_in": 604_800})).await;
    app.advance(TimeDelta::hours(1));
    let round = app.janitor().await;
    assert_eq!(round.old_uploads, 2, "{round:?}");
    for upload in &ended {
        let reply = app.get(&format!("/uploads/{}", id(upload))).await;
        reply.expect_problem(404, "upload-not-found");
        let events = format!("events WHERE upload_id = '{}'", id(upload));
        assert_eq!(count(&app, &events).await, 0);
    }
    assert_eq!(count(&app, "idempotency_keys").await, 0);
    // The current dataset, a Pending upload, and a failed one whose object only a delete can remove
    // are kept.
    let current = app
        .get("/uploads?path=/current")
        .await
        .expect(StatusCode::OK);
    assert_eq!(current[0]["status"], "Uploaded", "{current:#}");
    assert_eq!(app.read(&wrong).await["status"], "Error");
    assert_eq!(app.read(&pending).await["id"], pending["id"]);
    let removed = app.metric(r#"janitor_removed_rows_total{what="old-uploads"}"#);
    assert_eq!(removed.await, 6.0);
}

#[tokio::test]
async fn unpublished_event_is_kept_past_its_retention() {
    let gate = Gate::new(cloud::address());
    let setup = Setup::new().sns(gate.endpoint());
    let setup = setup.set("BROKER_RETENTION_EVENTS_DAYS", 1);
    let app = setup.set("BROKER_RETENTION_UPLOADS_DAYS", 2).start().await;
    let published = app.upload("published", "x", json!({})).await;
    all_events_published(&app).await;
    gate.close().await;
    let waits = app.upload("waits", "x", json!({})).await;
    for upload in [&published, &waits] {
        let reply = app.delete(&format!("/uploads/{}", id(upload))).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
    }
    app.advance(TimeDelta::days(3));
    let round = app.janitor().await;
    assert_eq!(round.finally_checked, 2);
    assert_eq!((round.old_events, round.old_uploads), (5, 1), "{round:?}");
    let history = app.get(&format!("/uploads/{}/events", id(&waits))).await;
    let history = history.expect(StatusCode::OK);
    assert_eq!(
        history.as_array().unwrap().len(),
        1,
        "it starts later: {history:#}"
    );
    assert_eq!(history[0]["type"], "dataset.uploaded", "{history:#}");

    gate.restore();
    all_events_published(&app).await;
    let round = app.janitor().await;
    assert_eq!((round.old_events, round.old_uploads), (1, 1), "{round:?}");
}

#[tokio::test]
async fn one_round_removes_more_old_uploads_than_fit_into_a_batch() {
    let app = Setup::new()
        .set("BROKER_RETENTION_UPLOADS_DAYS", 1)
        .start()
        .await;
    overdue_rows(&app, "bulk", 2_100).await;
    let expire = "UPDATE uploads SET status = 'Expired'";
    app.sql().await.execute(expire, &[]).await.expect("rows");
    let expected = Round {
        old_uploads: 2_100,
        ..Round::default()
    };
    assert_eq!(app.janitor().await, expected);
    assert_eq!(count(&app, "uploads").await, 0);
}

/// Rows that are never removed, because a wrong object may still exist for them or because their
/// tenant keeps them for longer, are not read in every round.
#[tokio::test]
async fn retention_does_not_read_rows_that_it_keeps() {
    use diesel_async::{AsyncConnection as _, RunQueryDsl as _};

    let app = App::start().await;
    overdue_rows(&app, "stays", 3_000).await;
    let client = app.sql().await;
    let ended = "INSERT INTO tenants (name, key_prefix, retention_days) VALUES ('long', 'long/', 9000); \
         UPDATE uploads SET status = 'Expired', error_code = 'object-mismatch', error_detail = 'x', \
           tenant = CASE WHEN key LIKE '%7' THEN 'long' ELSE tenant END; \
         UPDATE uploads SET error_code = NULL, error_detail = NULL \
           WHERE tenant = 'long' OR key LIKE '%00'; \
         ANALYZE uploads";
    client.simple_query(ended).await.expect("rows");
    let (now, days) = (app.clock.now(), Some(86_400.0));
    let read = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS count \
                FROM pg_stat_xact_user_tables WHERE relname = 'uploads'";
    let mut connection = upload_broker::store::pool::connect(app.database.url())
        .await
        .expect("Postgres");
    let (removed, read) = connection
        .transaction(async |connection| {
            let removed = retention::remove_uploads(connection, now, days, 1_000).await?;
            let read: Count = diesel::sql_query(read).get_result(connection).await?;
            diesel::QueryResult::Ok((removed, read.count))
        })
        .await
        .expect("a round");
    assert_eq!(removed, 30);
    // Each removed row is found, locked and deleted.
    assert!(read <= 5 * 30, "{read} rows are read of 3,000 that stay");
    assert_eq!(count(&app, "uploads").await, 2_970);
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}
