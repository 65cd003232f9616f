//! Records of processing.

use reqwest::Method;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::actions::send_with_request_id;
use super::all;
use crate::support::app::{App, id};
use crate::support::observe::eventually;

#[tokio::test]
async fn processing_is_recorded_from_the_claim_to_the_urls_of_the_results() {
    let mut app = App::start().await;
    let (_, secret) = app.issue_key("default", &Scope::ALL, None).await;
    app.key = secret;
    let upload = app.upload("/in/a.csv", "a", json!({})).await;
    let result = app.derive(&upload, "/derived/a.csv", "1").await;
    let path = format!("/uploads/{}", id(&upload));
    let report = format!("{path}/processing");
    let claim = json!({"status": "Processing"});
    let claimed = send_with_request_id(&app, "claim", Method::POST, &report, claim).await;
    let lease = claimed.json()["job"]["lease"].clone();
    let outputs = json!([{"kind": "aggregate", "path": "/derived/a.csv"}]);
    let end = json!({"status": "Processed", "lease": lease, "outputs": outputs});
    send_with_request_id(&app, "end", Method::POST, &report, end).await;
    let results = format!("{path}/results");
    send_with_request_id(&app, "results", Method::GET, &results, Value::Null).await;
    eventually("the records are there", async || {
        all(&app)
            .await
            .iter()
            .any(|row| row["request_id"] == "results")
    })
    .await;
    let rows = all(&app).await;
    let of = |request: &str| {
        let row = rows.iter().find(|row| row["request_id"] == request);
        row.unwrap_or_else(|| panic!("no record of {request}: {rows:#?}"))
    };
    for (request, action, path) in [
        ("claim", "job.reported", "/in/a.csv"),
        ("end", "job.reported", "/in/a.csv"),
        ("results", "dataset.downloaded", "/derived/a.csv"),
    ] {
        let row = of(request);
        assert_eq!(row["action"], action, "{row:#}");
        assert_eq!(row["path"], path, "{row:#}");
    }
    assert!(of("results")["expires_at"].is_string(), "{rows:#?}");
    assert_eq!(result["status"], "Uploaded", "{result:#}");
}
