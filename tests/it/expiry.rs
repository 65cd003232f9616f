//! The janitor: what happens to uploads that no client acknowledged, and to unfinished deletes.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::janitor::Round;

use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::observe::TIMEOUT;

/// Longer than the lifetime of a URL of one minute plus the grace period.
const OVERDUE: TimeDelta = TimeDelta::seconds(60 + 901);

async fn pending(app: &App, path: &str, mut more: Value) -> Value {
    more["expires_in"] = json!(60);
    app.create(path, more).await
}

fn expired(count: u64) -> Round {
    Round {
        checked: count,
        expired: count,
        ..Round::default()
    }
}

#[tokio::test]
async fn janitor_marks_overdue_upload_with_matching_object_uploaded() {
    let app = App::start().await;
    let session = pending(&app, "a.csv", json!({"size": 1})).await;
    app.put(&session, "a").await.expect_ok();
    app.advance(OVERDUE);
    let expected = Round {
        checked: 1,
        uploaded: 1,
        ..Round::default()
    };
    assert_eq!(app.janitor().await, expected);
    let now = app.read(&session).await;
    assert_eq!(now["status"], "Uploaded", "{now:#}");
    let at = &now["uploaded_at"];
    let proof = json!({"level": "size", "by": "janitor", "at": at});
    assert_eq!(now["verification"], proof, "{now:#}");
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    let verification = &message.json()["data"]["verification"];
    assert_eq!(verification, &proof);

    let answer = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(answer, now, "a client that comes late gets the same answer");
    assert_eq!(
        app.janitor().await,
        Round::default(),
        "nothing is left to do"
    );
    assert_eq!(app.event_types(&session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn janitor_expires_overdue_upload_without_object() {
    let app = App::start().await;
    let session = pending(&app, "a.csv", json!({})).await;
    app.advance(OVERDUE);
    assert_eq!(app.janitor().await, expired(1));
    let now = app.read(&session).await;
    assert_eq!(now["status"], "Expired", "{now:#}");
    assert_eq!(now["error"], Value::Null, "{now:#}");
    assert_eq!(app.event_types(&session).await, ["upload.expired"]);
    assert_eq!(app.janitor().await, Round::default());

    let cancel = format!("/uploads/{}/cancel", id(&session));
    app.post_empty(&cancel)
        .await
        .expect_problem(409, "invalid-status");
    let reply = app.delete(&format!("/uploads/{}", id(&session))).await;
    reply.expect_problem(409, "invalid-status");
    let refreshed = format!("/uploads/{}?refresh_urls=true", id(&session));
    let refreshed = app.get(&refreshed).await.expect(StatusCode::OK);
    assert_eq!(refreshed["upload"], Value::Null, "{refreshed:#}");
    // The path can be used again.
    app.create("a.csv", json!({})).await;
}

#[tokio::test]
async fn janitor_expires_upload_with_wrong_object_and_acknowledge_fails_it() {
    let app = App::start().await;
    let session = pending(&app, "a.csv", json!({"size": 1})).await;
    app.bucket
        .put_as(id(&session), "a.csv", "too long", "text/csv")
        .await;
    app.advance(OVERDUE);
    assert_eq!(app.janitor().await, expired(1));
    let now = app.read(&session).await;
    assert_eq!(now["status"], "Expired", "{now:#}");
    assert_eq!(now["error"]["code"], "object-mismatch", "{now:#}");
    let detail = now["error"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("1 bytes") && detail.contains("8 bytes"),
        "{detail}"
    );

    app.acknowledge(&session)
        .await
        .expect_problem(422, "object-mismatch");
    let now = app.read(&session).await;
    assert_eq!(now["status"], "Error", "{now:#}");
    let reply = app.delete(&format!("/uploads/{}", id(&session))).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(app.bucket.head("a.csv").await.is_none());
    assert_eq!(
        app.event_types(&session).await,
        [
            "upload.expired",
            "upload.failed",
            "dataset.deleting",
            "dataset.deleted"
        ]
    );
}

#[tokio::test]
async fn janitor_does_not_count_foreign_object_as_upload() {
    let app = App::start().await;
    let once = pending(&app, "once", json!({})).await;
    let over = pending(&app, "over", json!({"overwrite": true})).await;
    for key in ["once", "over"] {
        app.bucket.put(key, "from another program").await;
    }
    app.advance(OVERDUE);
    assert_eq!(app.janitor().await, expired(2));
    let once = app.read(&once).await;
    assert_eq!(once["status"], "Expired", "{once:#}");
    assert_eq!(once["error"]["code"], "dataset-exists", "{once:#}");
    let over = app.read(&over).await;
    assert_eq!(over["status"], "Expired", "{over:#}");
    assert_eq!(over["error"], Value::Null, "{over:#}");
    assert_eq!(app.bucket.get("once").await, b"from another program");
}

#[tokio::test]
async fn corrected_object_of_expired_upload_is_uploaded_and_error_cleared() {
    let app = App::start().await;
    let session = pending(&app, "a.csv", json!({"size": 1})).await;
    app.bucket
        .put_as(id(&session), "a.csv", "too long", "text/csv")
        .await;
    app.advance(OVERDUE);
    assert_eq!(app.janitor().await, expired(1));
    app.bucket
        .put_as(id(&session), "a.csv", "a", "text/csv")
        .await;
    let now = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(now["status"], "Uploaded", "{now:#}");
    assert_eq!(now["error"], Value::Null, "{now:#}");
}

#[tokio::test]
async fn janitor_waits_for_end_of_grace_period() {
    let setup = Setup::new().set("BROKER_EXPIRY_GRACE_SECONDS", 100);
    let app = setup.start().await;
    let session = pending(&app, "a.csv", json!({})).await;
    let deadline: DateTime<Utc> = session["expires_at"].as_str().unwrap().parse().unwrap();
    app.advance(deadline + TimeDelta::seconds(100) - app.clock.now());
    assert_eq!(
        app.janitor().await,
        Round::default(),
        "to the end of the grace"
    );
    assert_eq!(app.read(&session).await["status"], "Pending");
    app.advance(TimeDelta::microseconds(1));
    assert_eq!(app.janitor().await, expired(1));
}

#[tokio::test]
async fn refreshing_urls_moves_expiry_deadline() {
    let app = App::start().await;
    let session = pending(&app, "a.csv", json!({})).await;
    app.advance(TimeDelta::seconds(900));
    let refresh = format!("/uploads/{}?refresh_urls=true", id(&session));
    app.get(&refresh).await.expect(StatusCode::OK);
    app.advance(TimeDelta::seconds(900));
    assert_eq!(app.janitor().await, Round::default());
    app.advance(TimeDelta::seconds(61));
    assert_eq!(app.janitor().await, expired(1));
}

#[tokio::test]
async fn one_round_expires_rows_of_all_pages() {
    let app = App::start().await;
    // Many rows share a deadline: rows at the edges of pages must not be lost.
    let rows = format!(
        "INSERT INTO uploads (id, tenant, path, bucket, key, status, name, metadata, \
         content_type, overwrite, headers, lifetime_seconds, created_at, updated_at, expires_at) \
         SELECT gen_random_uuid(), 'default', '/bulk/' || n, '{}', 'bulk/' || n, 'Pending', 'n', \
         '{{}}', 'text/csv', false, '{{}}', 60, '2020-01-01', '2020-01-01', \
         timestamptz '2020-01-02' + (n / 70) * interval '1 s' FROM generate_series(1, 230) n",
        app.bucket.name
    );
    app.sql().await.execute(&rows, &[]).await.expect("rows");
    assert_eq!(app.janitor().await, expired(230));
    let left = app.get("/uploads?status=Pending").await;
    assert_eq!(left.expect(StatusCode::OK), json!([]));
    let expired = app.metric(r#"janitor_outcomes_total{outcome="expired"}"#);
    assert_eq!(expired.await, 230.0);
}

#[tokio::test]
async fn janitor_expires_nothing_while_s3_is_unavailable() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    let session = pending(&app, "a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    app.advance(OVERDUE);
    gate.close().await;
    let expected = Round {
        checked: 1,
        failed: 1,
        ..Round::default()
    };
    assert_eq!(app.janitor().await, expected);
    let now = app.read(&session).await;
    assert_eq!(now["status"], "Pending", "{now:#}");
    assert_eq!(now["updated_at"], session["updated_at"], "{now:#}");
    gate.restore();
    assert_eq!(
        app.janitor().await,
        Round::default(),
        "left alone for a while"
    );
    app.advance(TimeDelta::seconds(30));
    assert_eq!(app.janitor().await.uploaded, 1);
    assert_eq!(app.event_types(&session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn janitor_finishes_interrupted_deletes() {
    let app = App::start().await;
    let whole = app.upload("whole", "bytes", json!({})).await;
    let half = app.upload("half", "bytes", json!({})).await;
    let replaced = app.upload("replaced", "bytes", json!({})).await;
    let fresh = app.upload("fresh", "bytes", json!({})).await;
    // As left by a process that died after the first step, or after the second.
    for upload in [&whole, &half, &replaced, &fresh] {
        mark_deleting(&app, upload).await;
    }
    let delete = app.bucket.client.delete_object().bucket(&app.bucket.name);
    delete.key("half").send().await.expect("a delete");
    app.bucket.put("replaced", "by another program").await;

    app.advance(TimeDelta::seconds(29));
    assert_eq!(app.janitor().await, Round::default(), "left to its request");
    app.advance(TimeDelta::seconds(2));
    let expected = Round {
        deleted: 4,
        ..Round::default()
    };
    assert_eq!(app.janitor().await, expected);
    for upload in [&whole, &half, &replaced, &fresh] {
        let types = app.event_types(upload).await;
        assert_eq!(
            types,
            ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
        );
        assert_eq!(app.read(upload).await["status"], "Deleted");
    }
    assert!(app.bucket.head("whole").await.is_none());
    assert_eq!(app.bucket.get("replaced").await, b"by another program");
    assert_eq!(app.janitor().await, Round::default());
}

/// Performs only the first of the three steps of a delete.
async fn mark_deleting(app: &App, upload: &Value) {
    let (id, now) = (id(upload), app.clock.now());
    let step = format!(
        "BEGIN; \
         UPDATE uploads SET status = 'Deleting', sequence = 2, updated_at = '{now}' WHERE id = '{id}'; \
         INSERT INTO events (id, upload_id, sequence, tenant, kind, at, data, notify, due_at) \
         SELECT gen_random_uuid(), upload_id, 2, tenant, 'dataset.deleting', '{now}', data, false, \
         '{now}' FROM events WHERE upload_id = '{id}'; \
         COMMIT"
    );
    let done = app.sql().await.batch_execute(&step).await;
    done.unwrap_or_else(|error| panic!("{step}: {error:?}"));
}
