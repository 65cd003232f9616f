//! Rows are never changed, and are deleted by the retention setting only.

use chrono::TimeDelta;
use serde_json::json;

use super::{count, rows};
use crate::support::app::{App, Setup};
use crate::support::serving::Place;

#[tokio::test]
async fn table_rejects_update_delete_and_truncate() {
    let app = App::start().await;
    app.create("/a", json!({})).await;
    rows(&app, 1).await;
    let client = app.sql().await;
    for statement in [
        "UPDATE audit SET actor = 'changed'",
        "UPDATE audit SET actor = 'changed' WHERE false",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "BEGIN; SET LOCAL upload_broker.retention = 'on'; UPDATE audit SET actor = 'changed'",
        "BEGIN; SET LOCAL upload_broker.retention = 'on'; TRUNCATE audit",
        "BEGIN; SET LOCAL upload_broker.retention = 'off'; DELETE FROM audit",
    ] {
        let refused = client.batch_execute(statement).await;
        let refused = refused.expect_err(statement);
        let words = refused
            .as_db_error()
            .map(|error| error.message().to_owned());
        let words = words.unwrap_or_default();
        assert!(
            words.starts_with("the audit only grows"),
            "{statement}: {words}"
        );
        client.batch_execute("ROLLBACK").await.expect("a rollback");
    }
    assert_eq!(count(&app, "audit WHERE actor <> 'changed'").await, 2);
}

/// A role that owns nothing and has no right to UPDATE or TRUNCATE suffices for the audit table.
#[tokio::test]
async fn role_with_insert_and_delete_can_add_and_expire_rows() {
    let app = Setup::new()
        .set("BROKER_RETENTION_AUDIT_DAYS", 30)
        .start()
        .await;
    let role = crate::support::unique("role").replace('-', "_");
    let client = app.sql().await;
    let grant = format!(
        "CREATE ROLE {role}; GRANT SELECT, INSERT, DELETE ON audit TO {role}; SET ROLE {role}"
    );
    client.batch_execute(&grant).await.expect("a role");
    let add = "INSERT INTO audit (id, at, actor, action) \
        VALUES (gen_random_uuid(), now(), 'x', 'key.created') ON CONFLICT (id) DO NOTHING";
    client.batch_execute(add).await.expect("a row");
    let let_go = "BEGIN; SELECT set_config('upload_broker.retention', 'on', true); \
        DELETE FROM audit WHERE id = ANY(ARRAY(SELECT id FROM audit LIMIT 1)); COMMIT";
    client.batch_execute(let_go).await.expect("retention");
    for statement in ["UPDATE audit SET actor = 'y'", "TRUNCATE audit"] {
        client.batch_execute(statement).await.expect_err(statement);
    }
    let gone = format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}");
    client.batch_execute(&gone).await.expect("no role");
}

#[tokio::test]
async fn janitor_deletes_rows_older_than_retention() {
    let app = Setup::new()
        .set("BROKER_RETENTION_AUDIT_DAYS", 30)
        .start()
        .await;
    app.create("/old", json!({})).await;
    rows(&app, 1).await;
    app.advance(TimeDelta::days(30));
    app.create("/young", json!({})).await;
    rows(&app, 2).await;
    assert_eq!(app.janitor().await.old_audit_rows, 0, "to the day");
    app.advance(TimeDelta::seconds(1));
    assert_eq!(app.janitor().await.old_audit_rows, 2, "and that of the key");
    let left = rows(&app, 1).await;
    assert_eq!(left[0]["path"], "/young", "{left:#?}");
    let removed = app.metric(r#"janitor_removed_rows_total{what="old-audit-rows"}"#);
    assert_eq!(removed.await, 2.0);
}

#[tokio::test]
async fn janitor_keeps_rows_when_no_retention_is_set() {
    let app = App::start().await;
    app.create("/old", json!({})).await;
    rows(&app, 1).await;
    app.advance(TimeDelta::days(4_000));
    assert_eq!(app.janitor().await.old_audit_rows, 0);
    rows(&app, 1).await;
}

#[tokio::test]
async fn dry_run_counts_old_rows_and_deletes_none() {
    let place = Place::new().await;
    place.key().await;
    let client = crate::support::database::connect(place.database.url()).await;
    let old = "INSERT INTO audit (id, at, actor, action) \
        SELECT ('01800000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, '2022-01-01', 'x', 'key.created' \
        FROM generate_series(1, 1500) AS n";
    client.batch_execute(old).await.expect("rows");
    let janitor = async |more: &[&str]| {
        let args = [&["janitor", "--json", "--only", "retention"], more].concat();
        let run = place.run(&args).set("BROKER_RETENTION_AUDIT_DAYS", 30);
        let ended = run.finish().await.ok();
        let summary = ended.err.lines().last().expect("a summary").to_owned();
        (ended.json(), summary)
    };
    let left = async || -> i64 {
        let all = client.query_one("SELECT count(*) FROM audit", &[]);
        all.await.expect("a count").get(0)
    };
    for (more, after) in [(&["--dry-run"][..], 1_501), (&[], 1)] {
        let (finding, summary) = janitor(more).await;
        assert_eq!(finding["what"], "old-audit-rows", "{finding:#}");
        assert_eq!(finding["count"], 1_500, "{finding:#}");
        assert!(summary.contains(r#""old_audit_rows":1500"#), "{summary}");
        assert_eq!(left().await, after);
    }
}
