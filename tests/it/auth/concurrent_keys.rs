//! Many concurrent requests with the same key.

use futures::future::join_all;
use reqwest::StatusCode;
use upload_broker::domain::principal::Scope;

use super::get_as;
use crate::support::app::{App, Setup};
use crate::support::observe::eventually;

const CALLERS: usize = 40;

#[tokio::test]
async fn concurrent_requests_with_one_uncached_key_make_one_query() {
    let app = App::start().await;
    let (_, key) = app.issue_key("default", &Scope::ALL, None).await;
    let mut client = app.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let table = "LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE";
    lock.batch_execute(table).await.expect("a lock");
    let calls = join_all((0..CALLERS).map(|_| get_as(&app, &key, "/uploads")));
    let release = async {
        eventually("all of them are at the broker", async || {
            // The request that reads the metric is in flight too.
            app.metric("http_requests_in_flight").await > CALLERS as f64
        })
        .await;
        eventually("one asks for the key", async || {
            app.waiting_for_locks().await > 0
        })
        .await;
        assert_eq!(app.waiting_for_locks().await, 1, "queries for one key");
        lock.rollback().await.expect("a rollback");
    };
    let (replies, ()) = tokio::join!(calls, release);
    for reply in replies {
        reply.expect(StatusCode::OK);
    }
}

/// Two replicas that see the key for the first time at the same moment write its last use once.
#[tokio::test]
async fn last_use_of_key_is_written_once_by_concurrent_replicas() {
    let app = App::start().await;
    let url = app.database.url().to_owned();
    let other = Setup::new().set("DATABASE_URL", url);
    let other = other.set("BROKER_S3_BUCKET", &app.bucket.name);
    let other = other.start().await;
    let (id, key) = app.issue_key("default", &Scope::ALL, None).await;
    let mut client = app.sql().await;
    let count = "CREATE TABLE noted (); \
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN INSERT INTO noted DEFAULT VALUES; RETURN NULL; END $$; \
         CREATE TRIGGER note AFTER UPDATE OF last_used_at ON api_keys \
         FOR EACH ROW EXECUTE FUNCTION note()";
    client.batch_execute(count).await.expect("a trigger");
    let lock = client.transaction().await.expect("a transaction");
    let row = format!("SELECT FROM api_keys WHERE id = '{id}' FOR UPDATE");
    lock.batch_execute(&row).await.expect("a lock");
    let release = async {
        eventually("both want to note it", async || {
            app.waiting_for_locks().await == 2
        })
        .await;
        lock.rollback().await.expect("a rollback");
    };
    let calls = [&app, &other].map(|app| get_as(app, &key, "/uploads"));
    let (replies, ()) = tokio::join!(join_all(calls), release);
    for reply in replies {
        reply.expect(StatusCode::OK);
    }
    let noted = "SELECT count(*) FROM noted";
    let noted = client.query_one(noted, &[]).await.expect("a count");
    assert_eq!(noted.get::<_, i64>(0), 1);
}
