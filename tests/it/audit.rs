//! The audit log: each action is recorded once, is visible to the permitted readers only, and
//! survives faults.

mod actions;
mod command;
mod kept;
mod list;
mod off;
mod outage;
mod processing;
mod refusals;
mod unsettled;

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::app::App;
use crate::support::observe::eventually;

/// The rows of the default tenant without those about keys and refusals, oldest first. Waits until
/// there are `count` of them and asserts that there are no more.
async fn rows(app: &App, count: usize) -> Vec<Value> {
    let mut rows = Vec::new();
    eventually("the audit is written", async || {
        rows = all(app).await;
        rows.retain(|row| row["subject"].is_null() && row["action"] != "request.refused");
        rows.len() >= count
    })
    .await;
    assert_eq!(rows.len(), count, "{rows:#?}");
    rows.reverse();
    rows
}

/// The rows of an action. Waits until their counts add up to `times` and asserts that they are no
/// more.
pub async fn rows_of_action(app: &App, action: &str, times: i64) -> Vec<Value> {
    let mut rows = Vec::new();
    let sum = |rows: &[Value]| -> i64 {
        let counts = rows.iter().map(|row| row["count"].as_i64());
        counts.map(|count| count.expect("a count")).sum()
    };
    eventually("the audit is written", async || {
        rows = all(app).await;
        rows.retain(|row| row["action"] == action);
        sum(&rows) >= times
    })
    .await;
    assert_eq!(sum(&rows), times, "{rows:#?}");
    rows
}

/// Every row of the default tenant, newest first.
async fn all(app: &App) -> Vec<Value> {
    let reply = app.get("/audit?limit=1000").await;
    match reply.expect(StatusCode::OK) {
        Value::Array(rows) => rows,
        other => panic!("not an array: {other:#}"),
    }
}

/// The action and one more member of each row.
fn action_and<'a>(rows: &'a [Value], member: &str) -> Vec<(&'a str, Option<&'a str>)> {
    rows.iter()
        .map(|row| {
            (
                row["action"].as_str().expect("an action"),
                row[member].as_str(),
            )
        })
        .collect()
}

/// Counts rows by SQL, without the broker.
async fn count(app: &App, rows: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {rows}");
    let client = app.sql().await;
    client.query_one(&sql, &[]).await.expect("a count").get(0)
}
