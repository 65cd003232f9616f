//! With `BROKER_AUDIT=off`, the actions of callers are not recorded, and everything else works.

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::serving::Place;

#[tokio::test]
async fn audit_off_is_logged_as_warning_and_records_only_operators() {
    let place = Place::new().await;
    let (process, mut caller) = place.start(place.serve().set("BROKER_AUDIT", "off")).await;
    let log = process.log();
    let warning = log.lines().find(|line| line.contains("BROKER_AUDIT=off"));
    assert!(warning.is_some_and(|line| line.contains("WARN")), "{log}");
    caller.upload("/data/a.csv", "id\n1\n").await;
    caller.key = "not a key".into();
    let refused = caller.get("/uploads").await;
    refused.expect(StatusCode::UNAUTHORIZED);
    // Stopping the process writes the rows that still wait, if there are any.
    process.stop("TERM").await.ok();
    // The command still reads the rows that are there.
    let printed = place.run(&["audit", "--json"]).finish().await.ok().out;
    let rows: Vec<Value> = (printed.lines())
        .map(|line| serde_json::from_str(line).expect("a row"))
        .collect();
    assert!(!rows.is_empty(), "an operator made the key");
    for row in &rows {
        assert_eq!(row["actor"], "operator", "{row:#}");
    }
}
