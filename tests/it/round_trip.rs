//! The complete life of a dataset: create, PUT to S3, acknowledge, notification, listing, download,
//! delete.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::app::{App, id};

const TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn dataset_can_be_uploaded_listed_downloaded_and_deleted() {
    let app = App::start().await;
    let bytes = "id,name\n1,Ada\n";
    let session = app
        .create(
            "data/employees.csv",
            json!({"name": "Employees", "size": bytes.len(), "metadata": {"team": "hr"}}),
        )
        .await;
    assert_eq!(session["status"], "Pending", "{session:#}");
    assert_eq!(session["path"], "/data/employees.csv", "{session:#}");
    assert_eq!(session["upload"]["method"], "PUT", "{session:#}");

    app.acknowledge(&session)
        .await
        .expect_problem(409, "object-missing");
    app.put(&session, bytes).await.expect_ok();
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
    assert_eq!(uploaded["object"]["size"], bytes.len(), "{uploaded:#}");
    assert_eq!(uploaded["verification"]["level"], "size", "{uploaded:#}");
    assert_eq!(
        uploaded["verification"]["by"], "acknowledge",
        "{uploaded:#}"
    );

    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    let event = message.json();
    assert_eq!(event["type"], "dataset.uploaded", "{event:#}");
    assert_eq!(event["data"]["upload_id"], session["id"], "{event:#}");
    assert_eq!(message.attributes["tenant"], "default", "{message:#?}");

    let list = app
        .get("/datasets?prefix=/data/&include=upload")
        .await
        .expect(StatusCode::OK);
    assert_eq!(list[0]["name"], "Employees", "{list:#}");
    assert_eq!(list[0]["upload"]["id"], session["id"], "{list:#}");

    let reply = app
        .get("/datasets/data/employees.csv/action/download")
        .await;
    assert_eq!(reply.status, StatusCode::FOUND, "{reply:#?}");
    let url = reply.header("location").expect("a location").to_owned();
    let downloaded = app
        .http
        .get(url)
        .send()
        .await
        .expect("S3")
        .text()
        .await
        .expect("bytes");
    assert_eq!(downloaded, bytes);

    let reply = app.delete(&format!("/uploads/{}", id(&session))).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(
        app.bucket.head("data/employees.csv").await.is_none(),
        "the object is still there"
    );
}
