//! Batches while Postgres is busy.

use super::*;
use crate::support::observe::eventually;

/// The batch gets one answer for the whole request, not the same problem for each entry.
#[tokio::test]
async fn batch_gets_one_503_when_pool_has_no_free_connection() {
    let app = (Setup::new().set("BROKER_DB_POOL_SIZE", 1))
        .set("BROKER_DB_POOL_WAIT_SECONDS", 1)
        .set("BROKER_DB_STATEMENT_TIMEOUT_SECONDS", 120)
        .set("BROKER_REQUEST_TIMEOUT_SECONDS", 120)
        .start()
        .await;
    let mut client = app.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    app.get("/uploads").await.expect(StatusCode::OK);
    let table = "LOCK TABLE uploads IN SHARE ROW EXCLUSIVE MODE";
    lock.batch_execute(table).await.expect("a lock");
    let busy = async { app.create("/busy.csv", json!({})).await };
    let asked = async {
        eventually("the only connection is in use", async || {
            app.waiting_for_locks().await == 1
        })
        .await;
        let entries: Vec<_> = (0..100)
            .map(|n| json!({"path": format!("/{n}.csv")}))
            .collect();
        let reply = app
            .post("/uploads/batch", json!({"uploads": entries}))
            .await;
        lock.rollback().await.expect("a rollback");
        reply.expect_problem(503, "overloaded");
    };
    tokio::join!(busy, asked);
}

/// A retry moves the deadlines of all its sessions in one statement, however many entries it has.
#[tokio::test]
async fn retried_batch_extends_all_sessions_in_one_statement() {
    let app = App::start().await;
    let count = "CREATE TABLE noted (); \
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN INSERT INTO noted DEFAULT VALUES; RETURN NULL; END $$; \
         CREATE TRIGGER note AFTER UPDATE OF expires_at ON uploads \
         FOR EACH STATEMENT EXECUTE FUNCTION note()";
    let client = app.sql().await;
    client.batch_execute(count).await.expect("a trigger");
    let entries: Vec<_> = (0..50)
        .map(|n| json!({"path": format!("/{n}.csv")}))
        .collect();
    let ask = async || {
        let request = app.request(Method::POST, "/uploads/batch");
        let request = request
            .header("idempotency-key", "k")
            .json(&json!({"uploads": entries}));
        results(Reply::of(request).await)
    };
    let first = ask().await;
    app.advance(TimeDelta::seconds(10));
    let again = ask().await;
    for (first, again) in first.iter().zip(&again) {
        assert_eq!(again["status"], 200, "{again:#}");
        assert_eq!(again["upload"]["id"], first["upload"]["id"], "{again:#}");
        let ends = |one: &Value| one["upload"]["expires_at"].as_str().map(str::to_owned);
        assert!(ends(again) > ends(first), "{first:#}\n{again:#}");
        assert_eq!(
            app.read(&again["upload"]).await["expires_at"],
            again["upload"]["expires_at"]
        );
    }
    let noted = client.query_one("SELECT count(*) FROM noted", &[]).await;
    assert_eq!(noted.expect("a count").get::<_, i64>(0), 1);
}
