//! The headers that the client must send, and the metadata of the object afterwards.

use reqwest::StatusCode;
use serde_json::json;

use super::{Put, at_both_stores, parameter};
use crate::support::app::{App, Setup, id};

at_both_stores!(declared_headers_are_signed_and_stored_on_the_object);

async fn declared_headers_are_signed_and_stored_on_the_object(setup: Setup) {
    let app = setup.start().await;
    let session = app
        .create(
            "data/räksmörgås + 100%.csv",
            json!({
                "content_type": "text/csv; charset=utf-8",
                "size": 9,
                "checksum": {"algorithm": "CRC32", "value": "y/Q5Jg=="},
                "content_encoding": "gzip",
                "content_disposition": "attachment; filename=\"e.csv\"",
                "content_language": "sv",
                "cache_control": "no-cache",
                "storage_class": "STANDARD_IA",
                "tags": {"team": "hr @ pay", "a=b": "ö/+"},
            }),
        )
        .await;
    assert_eq!(
        session["upload"]["headers"],
        json!({
            "cache-control": "no-cache",
            "content-disposition": "attachment; filename=\"e.csv\"",
            "content-encoding": "gzip",
            "content-language": "sv",
            "content-type": "text/csv; charset=utf-8",
            "if-none-match": "*",
            "x-amz-checksum-crc32": "y/Q5Jg==",
            "x-amz-meta-upload-id": id(&session),
            "x-amz-storage-class": "STANDARD_IA",
            "x-amz-tagging": "a%3Db=%C3%B6%2F%2B&team=hr%20%40%20pay",
        })
    );
    let signed = parameter(&session, "X-Amz-SignedHeaders").expect("signed headers");
    assert_eq!(
        signed,
        "cache-control;content-disposition;content-encoding;content-language;content-length;\
         content-type;host;if-none-match;x-amz-checksum-crc32;x-amz-meta-upload-id;\
         x-amz-storage-class;x-amz-tagging"
    );
    for name in ["cache-control", "x-amz-tagging", "x-amz-storage-class"] {
        let put = Put::of(&session, "123456789").without(name);
        assert_eq!(put.send(&app).await.0, 403, "without {name}");
    }
    app.put(&session, "123456789").await.expect_ok();

    let key = "data/räksmörgås + 100%.csv";
    let head = app.bucket.head(key).await.expect("the object");
    assert_eq!(head.content_type(), Some("text/csv; charset=utf-8"));
    assert_eq!(head.content_encoding(), Some("gzip"));
    let disposition = "attachment; filename=\"e.csv\"";
    assert_eq!(head.content_disposition(), Some(disposition));
    assert_eq!(head.content_language(), Some("sv"));
    assert_eq!(head.cache_control(), Some("no-cache"));
    let class = head.storage_class().map(|class| class.as_str());
    assert_eq!(class, Some("STANDARD_IA"));
    let metadata = head.metadata().expect("metadata");
    assert_eq!(metadata["upload-id"], id(&session));
    assert_eq!(metadata.len(), 1, "{metadata:?}");
    assert_eq!(
        tags(&app, key).await,
        [("a=b", "ö/+"), ("team", "hr @ pay")].map(pair)
    );

    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
}

fn pair((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

async fn tags(app: &App, key: &str) -> Vec<(String, String)> {
    let asked = app.bucket.client.get_object_tagging();
    let asked = asked.bucket(&app.bucket.name).key(key).send().await;
    let tags = asked.expect("tags").tag_set;
    let mut tags: Vec<_> = (tags.into_iter().map(|tag| (tag.key, tag.value))).collect();
    tags.sort();
    tags
}

#[tokio::test]
async fn session_without_options_signs_the_minimum_of_headers() {
    let app = App::start().await;
    let session = app.create("notes", json!({})).await;
    assert_eq!(
        session["upload"]["headers"],
        json!({
            "content-type": "application/octet-stream",
            "if-none-match": "*",
            "x-amz-meta-upload-id": id(&session),
        })
    );
    assert_eq!(
        parameter(&session, "X-Amz-SignedHeaders").as_deref(),
        Some("content-type;host;if-none-match;x-amz-meta-upload-id")
    );
    assert_eq!(session["upload"]["method"], "PUT", "{session:#}");
    assert_eq!(session["multipart"], json!(null), "{session:#}");
}
