//! The notification itself: a CloudEvent, exactly as the contract describes it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};
use crate::support::observe::TIMEOUT;

const SHA256: &str = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";

#[tokio::test]
async fn notification_is_the_documented_cloud_event() {
    let app = App::start().await;
    let checksum = json!({"algorithm": "SHA256", "value": SHA256});
    let declared = json!({
        "name": "Employees", "comments": "ü \u{1F600}", "metadata": {"team": "hr"},
        "size": 9, "checksum": checksum,
    });
    let uploaded = app.upload("data/ö e.csv", "123456789", declared).await;
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);

    let event = message.json();
    let written = app.events(&uploaded).await.remove(0);
    let mut members = event.clone();
    let data = members.as_object_mut().unwrap().remove("data").unwrap();
    assert_eq!(
        members,
        json!({
            "specversion": "1.0",
            "id": written["id"],
            "source": "upload-broker",
            "type": "dataset.uploaded",
            "subject": "/data/ö e.csv",
            "time": uploaded["uploaded_at"],
            "datacontenttype": "application/json",
            "sequence": "1",
            "tenant": "default",
        })
    );
    let expected = json!({
        "upload_id": uploaded["id"],
        "name": "Employees",
        "path": "/data/ö e.csv",
        "s3_url": format!("s3://{}/data/ö e.csv", app.bucket.name),
        "bucket": app.bucket.name,
        "key": "data/ö e.csv",
        "size": 9,
        "etag": uploaded["object"]["etag"],
        "version_id": null,
        "content_type": "text/csv",
        "checksum": checksum,
        "verification": uploaded["verification"],
        "comments": "ü \u{1F600}",
        "metadata": {"team": "hr"},
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(data.get(name), Some(value), "{name} in {data:#}");
    }
    let attributes = [
        ("content_type", "text/csv"),
        ("schema_version", "1"),
        ("tenant", "default"),
        ("type", "dataset.uploaded"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(message.attributes, BTreeMap::from(attributes));
    assert_eq!(message.fifo, None, "no group for a standard topic");
}

#[tokio::test]
async fn notification_of_another_tenant_names_tenant_path_and_key() {
    let mut app = App::start().await;
    let scopes = upload_broker::domain::principal::Scope::ALL;
    app.key = app.issue_key("acme", &scopes, None).await.1;
    app.upload("a.csv", "a", json!({})).await;
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    let event = message.json();
    assert_eq!(event["tenant"], "acme", "{event:#}");
    assert_eq!(message.attributes["tenant"], "acme");
    assert_eq!(event["subject"], "/a.csv", "{event:#}");
    assert_eq!(event["data"]["path"], "/a.csv", "{event:#}");
    assert_eq!(event["data"]["key"], "acme/a.csv", "{event:#}");
}

#[tokio::test]
async fn subscriptions_can_filter_by_message_attributes() {
    let app = App::start().await;
    let uploads = json!({"type": ["dataset.uploaded"], "tenant": ["default"]});
    let uploads = app.inbox.filtered(uploads).await;
    let pictures = json!({"content_type": [{"prefix": "image/"}]});
    let pictures = app.inbox.filtered(pictures).await;
    let others = app
        .inbox
        .filtered(json!({"type": ["dataset.deleted"]}))
        .await;

    let picture = app.upload("a.png", "a", json!({})).await;
    let table = app.upload("a.csv", "a", json!({})).await;
    app.delete(&format!("/uploads/{}", id(&table)))
        .await
        .expect_ok();
    let seen = uploads.receive_until(2, TIMEOUT).await;
    let mut seen: Vec<Value> = (seen.iter())
        .map(|message| message.json()["data"]["upload_id"].clone())
        .collect();
    seen.sort_by_key(|id| id != &picture["id"]);
    assert_eq!(seen, [picture["id"].clone(), table["id"].clone()]);
    let seen = pictures.receive_until(1, TIMEOUT).await.remove(0);
    assert_eq!(seen.json()["data"]["upload_id"], picture["id"]);
    for nothing in [&pictures, &others] {
        let more = nothing.poll(Duration::ZERO).await;
        assert!(more.is_empty(), "{more:#?}");
    }
}

#[tokio::test]
async fn fifo_topic_groups_by_upload_and_deduplicates_by_event() {
    let app = Setup::new().fifo().start().await;
    let uploaded = app.upload("a.csv", "a", json!({})).await;
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    let event = app.events(&uploaded).await.remove(0);
    let (group, deduplication) = message.fifo.clone().expect("a FIFO message");
    assert_eq!(group, id(&uploaded));
    assert_eq!(deduplication, event["id"].as_str().unwrap());
    assert_eq!(message.json()["id"], event["id"]);
}
