//! Observes a broker in other ways than by its responses: metrics, histories, rows.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;

use super::app::{App, id};

/// How long a test waits for a condition.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Polls until `done` returns `true`. Fails with `what` if it does not within [`TIMEOUT`].
pub async fn eventually(what: &str, done: impl AsyncFnMut() -> bool) {
    within(TIMEOUT, what, done).await;
}

/// Polls until `done` returns `true`. Fails with `what` if it does not within `timeout`.
pub async fn within(timeout: Duration, what: &str, mut done: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + timeout;
    while !done().await {
        assert!(Instant::now() < deadline, "not within {timeout:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl App {
    /// Returns the value of a metric by its name and labels; 0 if there is no such metric.
    pub async fn metric(&self, name: &str) -> f64 {
        let all = self.get("/metrics").await.expect_ok().body;
        let mut values = all.lines().filter_map(|line| {
            let (found, value) = line.rsplit_once(' ')?;
            (found == format!("upload_broker_{name}")).then(|| value.parse().expect("a number"))
        });
        values.next().unwrap_or(0.0)
    }

    /// Returns the history of an upload.
    pub async fn events(&self, upload: &Value) -> Vec<Value> {
        let reply = self.get(&format!("/uploads/{}/events", id(upload))).await;
        match reply.expect(StatusCode::OK) {
            Value::Array(events) => events,
            other => panic!("not an array: {other:#}"),
        }
    }

    /// Returns the types of the events of an upload, oldest first. Fails if their sequence numbers have a gap, or
    /// if the last event does not match the status of the upload.
    pub async fn event_types(&self, upload: &Value) -> Vec<String> {
        let events = self.events(upload).await;
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event["sequence"], index + 1, "{events:#?}");
            assert_eq!(event["upload_id"], upload["id"], "{events:#?}");
        }
        if let Some(last) = events.last() {
            let now = self.read(upload).await;
            assert_eq!(last["data"]["status"], now["status"], "{last:#}\n{now:#}");
            assert_eq!(last["time"], now["updated_at"], "{last:#}\n{now:#}");
        }
        let kinds = events.iter().map(|event| event["type"].as_str());
        kinds.map(|kind| kind.expect("a type").to_owned()).collect()
    }

    /// Runs `verb` until it changes a row, then `act`, then the rest of `verb`. At that point `verb` has read S3 and
    /// has written nothing. Setting the holder of a multipart upload, before its parts are listed, does not count
    /// as such a change.
    pub async fn run_before_write<T>(
        &self,
        verb: impl Future<Output = T>,
        act: impl Future<Output = ()>,
    ) -> T {
        let rows = "SELECT 1 FROM uploads FOR UPDATE";
        let (mut client, mut next) = (self.sql().await, self.sql().await);
        let lock = client.transaction().await.expect("a transaction");
        lock.batch_execute(rows).await.expect("a lock");
        let act = async {
            let waits = "the verb waits for its row";
            eventually(waits, async || self.waiting_for_locks().await == 1).await;
            let holds =
                "wait_event_type = 'Lock' AND query LIKE 'UPDATE \"uploads\" SET \"holder\"%'";
            let next = next.transaction().await.expect("a transaction");
            if self.sessions(holds).await == 1 {
                // The update of the holder goes first, then the next lock. It is on the table, because
                // Postgres grants that before a later statement of the verb locks a row.
                let pass = async {
                    let both = "both wait for the row";
                    eventually(both, async || self.all_waiting_for_locks().await == 2).await;
                    lock.rollback().await.expect("a rollback");
                };
                tokio::join!(pass, async {
                    let table = "LOCK TABLE uploads IN EXCLUSIVE MODE";
                    next.batch_execute(table).await.expect("a lock")
                });
                eventually(waits, async || self.waiting_for_locks().await == 1).await;
                act.await;
            } else {
                act.await;
                lock.rollback().await.expect("a rollback");
            }
            next.rollback().await.expect("a rollback");
        };
        tokio::join!(verb, act).0
    }

    /// Returns the number of removals of objects that were registered and have not ended.
    pub async fn removals_under_way(&self) -> i64 {
        let client = self.sql().await;
        let removals = client.query_one("SELECT count(*) FROM removals", &[]).await;
        removals.expect("removals").get(0)
    }

    /// Returns the number of sessions of the broker that wait for a lock.
    pub async fn waiting_for_locks(&self) -> i64 {
        self.sessions("wait_event_type = 'Lock'").await
    }

    /// Returns the number of all sessions that wait for a lock, including those of the test.
    async fn all_waiting_for_locks(&self) -> i64 {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let client = self.sql().await;
        let row = client.query_one(waiting, &[]).await.expect("a count");
        row.get(0)
    }

    /// Fails if a session of the broker stays in an open transaction, or waits for a lock. The loops of the broker
    /// have short transactions of their own, so the check is repeated, but for less time than Postgres allows an
    /// idle transaction (15 s).
    pub async fn assert_no_open_transaction(&self) {
        let open = "state LIKE 'idle in transaction%' OR wait_event_type = 'Lock'";
        let deadline = Instant::now() + Duration::from_secs(8);
        while self.sessions(open).await > 0 {
            assert!(Instant::now() < deadline, "a transaction stays open");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn sessions(&self, which: &str) -> i64 {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'upload-broker' AND ({which})"
        );
        let client = self.sql().await;
        client.query_one(&sql, &[]).await.expect("sessions").get(0)
    }
}
