//! Upload sessions as a client sees them: create, read, refresh, cancel and list.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};

mod cancel;
mod listing;
mod refresh;
mod refusals;

/// The CRC32 of these bytes is "tsOTXA==" in base64.
const BYTES: &str = "id,name\n1,Ada\n";

/// Asserts that a time is RFC 3339 in UTC with exactly milliseconds.
#[track_caller]
fn assert_time(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    assert_eq!(text.len(), "2026-01-01T00:00:00.000Z".len(), "{text}");
    assert!(text.ends_with('Z') && &text[19..20] == ".", "{text}");
    DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}"));
}

/// The expiry of a URL that is signed now. Signatures have whole seconds.
fn deadline(app: &App, seconds: i64) -> String {
    let end = app.clock.now() + TimeDelta::seconds(seconds);
    end.format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn fields(value: &Value) -> BTreeSet<&str> {
    let fields = value.as_object().expect("an object");
    fields.keys().map(String::as_str).collect()
}

/// The fields of the contract. A new field must be added here on purpose, and none may be removed.
const UPLOAD: [&str; 20] = [
    "id",
    "status",
    "path",
    "name",
    "comments",
    "metadata",
    "content_type",
    "size",
    "checksum",
    "s3_url",
    "created_at",
    "drift",
    "derived_from",
    "updated_at",
    "expires_at",
    "uploaded_at",
    "error",
    "object",
    "verification",
    "upload",
];

#[track_caller]
fn assert_shape(upload: &Value) {
    let mut expected = BTreeSet::from(UPLOAD);
    expected.insert("multipart");
    assert_eq!(fields(upload), expected, "{upload:#}");
    let id: uuid::Uuid = id(upload).parse().expect("a UUID");
    assert_eq!(id.get_version_num(), 7, "{upload:#}");
    for time in ["created_at", "updated_at", "expires_at"] {
        assert_time(&upload[time]);
    }
    assert_eq!(upload["multipart"], Value::Null, "{upload:#}");
}

#[tokio::test]
async fn omitted_fields_have_defaults() {
    let app = App::start().await;
    let session = app.create("data/employees.csv", json!({})).await;
    assert_shape(&session);
    for (field, value) in [
        ("status", json!("Pending")),
        ("path", json!("/data/employees.csv")),
        ("name", json!("employees")),
        ("comments", Value::Null),
        ("metadata", json!({})),
        ("content_type", json!("text/csv")),
        ("size", Value::Null),
        ("checksum", Value::Null),
        ("uploaded_at", Value::Null),
        ("drift", Value::Null),
        ("derived_from", Value::Null),
        ("error", Value::Null),
        ("object", Value::Null),
        ("verification", Value::Null),
    ] {
        assert_eq!(session[field], value, "{field} of {session:#}");
    }
    let s3_url = format!("s3://{}/data/employees.csv", app.bucket.name);
    assert_eq!(session["s3_url"], s3_url);
    let upload = &session["upload"];
    assert_eq!(
        fields(upload),
        BTreeSet::from(["method", "url", "headers", "expires_at"])
    );
    assert_eq!(upload["method"], "PUT", "{session:#}");
    assert_eq!(upload["expires_at"], session["expires_at"], "{session:#}");
    assert_eq!(session["expires_at"], deadline(&app, 900), "{session:#}");
    assert_eq!(
        upload["headers"],
        json!({"content-type": "text/csv", "if-none-match": "*", "x-amz-meta-upload-id": session["id"]})
    );
}

#[tokio::test]
async fn name_and_content_type_are_derived_from_the_path() {
    let app = App::start().await;
    for (path, name, content_type) in [
        ("/a/table.CSV", "table", "text/csv"),
        ("b/page.html", "page", "text/html"),
        ("c/archive.tar.gz", "archive.tar", "application/gzip"),
        ("d/record.json", "record", "application/json"),
        ("e/README", "README", "application/octet-stream"),
        ("f/.profile", ".profile", "application/octet-stream"),
        ("g/what.notatype", "what", "application/octet-stream"),
        ("h/été 2026 100%+.csv", "été 2026 100%+", "text/csv"),
    ] {
        let session = app.create(path, json!({})).await;
        let path = format!("/{}", path.trim_start_matches('/'));
        assert_eq!(session["path"], path);
        assert_eq!(session["name"], name, "{path}");
        assert_eq!(session["content_type"], content_type, "{path}");
        // The URL works for each of these paths, and the bytes are stored at the path.
        app.put(&session, "x").await.expect_ok();
        assert_eq!(app.bucket.get(&path[1..]).await, b"x", "{path}");
    }
}

#[tokio::test]
async fn declared_fields_are_stored_signed_and_set_on_the_object() {
    let app = App::start().await;
    let body = json!({
        "path": "/data/employees.csv", "name": "Employees", "comments": "from HR\nfinal",
        "metadata": {"team": "hr", "ключ": "значение"}, "content_type": "text/csv; charset=utf-8",
        "size": BYTES.len(),
        "checksum": {"algorithm": "CRC32", "value": "tsOTXA=="},
        "content_encoding": "identity", "content_disposition": "attachment; filename=\"e.csv\"",
        "content_language": "en-GB", "cache_control": "max-age=60, private",
        "storage_class": "STANDARD_IA", "tags": {"cost centre": "a+b@c=d"}, "expires_in": 60,
    });
    let reply = app.post("/uploads", body.clone()).await;
    let location = reply.header("location").expect("a location").to_owned();
    let session = reply.expect(StatusCode::CREATED);
    assert_shape(&session);
    assert_eq!(location, format!("/uploads/{}", id(&session)));
    for field in [
        "path",
        "name",
        "comments",
        "metadata",
        "content_type",
        "size",
        "checksum",
    ] {
        assert_eq!(session[field], body[field], "{field} of {session:#}");
    }
    assert_eq!(session["expires_at"], deadline(&app, 60), "{session:#}");
    let headers = &session["upload"]["headers"];
    for (name, value) in [
        ("content-encoding", "identity"),
        ("content-disposition", "attachment; filename=\"e.csv\""),
        ("content-language", "en-GB"),
        ("cache-control", "max-age=60, private"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-tagging", "cost%20centre=a%2Bb%40c%3Dd"),
        ("x-amz-checksum-crc32", "tsOTXA=="),
    ] {
        assert_eq!(headers[name], value, "{name} in {headers:#}");
    }
    for forbidden in ["host", "content-length"] {
        assert!(
            headers.get(forbidden).is_none(),
            "a browser sets {forbidden}"
        );
    }

    let read = app.get(&location).await.expect(StatusCode::OK);
    assert_shape(&read);
    assert_eq!(read["upload"], Value::Null, "{read:#}");
    for field in UPLOAD.into_iter().filter(|field| *field != "upload") {
        assert_eq!(read[field], session[field], "{field} of {read:#}");
    }

    app.put(&session, BYTES).await.expect_ok();
    let object = app
        .bucket
        .head("data/employees.csv")
        .await
        .expect("the object");
    assert_eq!(
        object.content_disposition(),
        Some("attachment; filename=\"e.csv\"")
    );
    assert_eq!(object.content_language(), Some("en-GB"));
    assert_eq!(object.cache_control(), Some("max-age=60, private"));
}

#[tokio::test]
async fn acknowledged_upload_contains_object_and_verification() {
    let app = App::start().await;
    let declared =
        json!({"size": BYTES.len(), "checksum": {"algorithm": "CRC32", "value": "tsOTXA=="}});
    let uploaded = app.upload("/a.csv", BYTES, declared).await;
    assert_shape(&uploaded);
    assert_eq!(
        fields(&uploaded["object"]),
        BTreeSet::from([
            "size",
            "etag",
            "version_id",
            "content_type",
            "checksum",
            "last_modified"
        ])
    );
    assert_eq!(
        fields(&uploaded["verification"]),
        BTreeSet::from(["level", "by", "at"])
    );
    assert_time(&uploaded["uploaded_at"]);
    assert_time(&uploaded["object"]["last_modified"]);
    assert_time(&uploaded["verification"]["at"]);
    assert_eq!(app.read(&uploaded).await, uploaded);
    let list = app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(list, json!([uploaded]), "a list shows the same");
}

#[tokio::test]
async fn session_can_be_read_by_its_id_only() {
    let app = App::start().await;
    app.create("/a.csv", json!({})).await;
    let unknown = uuid::Uuid::now_v7();
    app.get(&format!("/uploads/{unknown}"))
        .await
        .expect_problem(404, "upload-not-found");
    let problem = app
        .get("/uploads/a.csv")
        .await
        .expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/id", "{problem:#}");
}

/// Ties the name of the setting to the answer that it changes.
#[tokio::test]
async fn default_url_lifetime_is_configurable() {
    let app = Setup::new().set("BROKER_URL_SECONDS", 30).start().await;
    let session = app.create("/a.csv", json!({})).await;
    assert!(
        session["upload"]["url"]
            .as_str()
            .expect("a URL")
            .contains("X-Amz-Expires=30&"),
        "{session:#}"
    );
}
