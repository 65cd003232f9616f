//! `DELETE …?cascade=true`: a dataset and everything derived from it.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{SOURCE, derived_from};
use crate::audit::rows_of_action;
use crate::support::app::{App, Setup, id};
use crate::support::store::Store;

pub(super) fn cascade(upload: &Value) -> String {
    format!("/uploads/{}?cascade=true", id(upload))
}

#[track_caller]
fn assert_deleted(reply: &crate::support::reply::Reply) {
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(reply.body.is_empty(), "{reply:#?}");
}

pub(super) async fn statuses(app: &App, uploads: &[&Value]) -> Vec<String> {
    let mut statuses = Vec::new();
    for upload in uploads {
        let now = app.read(upload).await;
        statuses.push(now["status"].as_str().expect("a status").to_owned());
    }
    statuses
}

#[tokio::test]
async fn cascade_deletes_derived_datasets_at_every_depth_before_their_source() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let other = app.upload("/in/other.csv", "a", json!({})).await;
    let text = app.derive(&source, "/derived/text.csv", "1").await;
    let index = app.derive(&text, "/derived/index.csv", "2").await;
    let words = app.derive(&index, "/derived/words.csv", "3").await;
    let unrelated = app.derive(&other, "/derived/other.csv", "4").await;
    assert_deleted(&app.delete(&cascade(&source)).await);
    let all = [&source, &text, &index, &words];
    assert_eq!(statuses(&app, &all).await, ["Deleted"; 4]);
    for upload in all {
        let types = app.event_types(upload).await;
        let expected = ["dataset.uploaded", "dataset.deleting", "dataset.deleted"];
        assert_eq!(types, expected, "{upload:#}");
    }
    assert_eq!(statuses(&app, &[&other, &unrelated]).await, ["Uploaded"; 2]);
    let mut left = app.bucket.keys().await;
    left.sort();
    assert_eq!(left, ["derived/other.csv", "in/other.csv"]);
    assert_eq!(app.removals_under_way().await, 0);

    // Each is audited, in the order of the deletes; newest first.
    let rows = rows_of_action(&app, "upload.deleted", 4).await;
    let deleted: Vec<_> = rows.iter().map(|row| &row["upload_id"]).collect();
    assert_eq!(deleted, all.map(|upload| &upload["id"]), "{rows:#?}");
    for row in &rows {
        for member in ["actor", "address", "request_id"] {
            assert_eq!(row[member], rows[0][member], "{rows:#?}");
            assert!(row[member].is_string(), "{rows:#?}");
        }
    }
}

#[tokio::test]
async fn cascade_by_path_deletes_dataset_and_what_was_derived_from_it() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let derived = app.derive(&source, "/derived/1.csv", "1").await;
    let deleted = app.delete("/datasets/in/plays.csv?cascade=true").await;
    assert_deleted(&deleted);
    assert_eq!(statuses(&app, &[&source, &derived]).await, ["Deleted"; 2]);
    assert_eq!(app.bucket.keys().await, Vec::<String>::new());
}

/// Without `cascade`, what was derived stays. It can be deleted afterwards, as long as there is any.
#[tokio::test]
async fn cascade_of_deleted_source_deletes_what_is_left() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let first = app.derive(&source, "/derived/1.csv", "1").await;
    let second = app.derive(&source, "/derived/2.csv", "2").await;
    for no in ["", "?cascade=false"] {
        let upload = app.upload("/x.csv", "x", json!({})).await;
        assert_deleted(&app.delete(&format!("/uploads/{}{no}", id(&upload))).await);
    }
    assert_deleted(&app.delete(&format!("/uploads/{}", id(&source))).await);
    let left = [&first, &second];
    assert_eq!(statuses(&app, &left).await, ["Uploaded"; 2]);
    assert_deleted(&app.delete(&cascade(&source)).await);
    assert_eq!(statuses(&app, &left).await, ["Deleted"; 2]);
    let over = app.delete(&cascade(&source)).await;
    let over = over.expect_problem(409, "invalid-status");
    assert_eq!(over["upload_status"], "Deleted", "{over:#}");
    assert_eq!(app.event_types(&source).await.len(), 3);
}

/// An earlier result that a later one has replaced is history; what was derived from it is not.
#[tokio::test]
async fn cascade_passes_over_ended_uploads_to_what_was_derived_from_them() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let old = app.derive(&source, "/derived/1.csv", "old").await;
    let of_old = app.derive(&old, "/derived/of-old.csv", "x").await;
    let new = app.derive(&source, "/derived/1.csv", "new").await;
    let cancelled = app.create_derived(&source, "/derived/2.csv").await;
    let path = format!("/uploads/{}/cancel", id(&cancelled));
    app.post_empty(&path).await.expect(StatusCode::OK);
    assert_deleted(&app.delete(&cascade(&source)).await);
    let all = [&source, &old, &of_old, &new, &cancelled];
    let expected = ["Deleted", "Superseded", "Deleted", "Deleted", "Cancelled"];
    assert_eq!(statuses(&app, &all).await, expected);
    assert_eq!(app.bucket.keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn cascade_cancels_derived_upload_that_is_still_pending() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let pending = app.create_derived(&source, "/derived/1.csv").await;
    let arrived = app.create_derived(&source, "/derived/2.csv").await;
    app.bucket
        .put_as(id(&arrived), "derived/2.csv", "x", "text/csv")
        .await;
    assert_deleted(&app.delete(&cascade(&source)).await);
    let all = [&source, &pending, &arrived];
    let expected = ["Deleted", "Cancelled", "Cancelled"];
    assert_eq!(statuses(&app, &all).await, expected);
    assert_eq!(app.bucket.keys().await, Vec::<String>::new());
    rows_of_action(&app, "upload.cancelled", 2).await;
    // The writer of the result learns that its upload was cancelled.
    let late = app.acknowledge(&pending).await;
    late.expect_problem(409, "invalid-status");
}

/// More than two pages, with failed uploads among them.
#[tokio::test]
async fn cascade_deletes_any_number_of_derived_uploads() {
    let store = Store::start().await;
    let setup = Setup::new().set("BROKER_REQUEST_TIMEOUT_SECONDS", 300);
    let app = setup.store(&store).start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let many = format!(
        "INSERT INTO uploads (id, tenant, path, bucket, key, status, name, metadata, content_type, \
           overwrite, headers, lifetime_seconds, created_at, updated_at, expires_at, derived_from, \
           error_code, error_detail) \
         SELECT gen_random_uuid(), tenant, '/derived/' || n, bucket, 'derived/' || n, 'Error', 'n', \
           '{{}}', 'text/csv', true, '{{}}', 900, created_at, updated_at, expires_at, id, \
           'object-mismatch', 'wrong' \
         FROM uploads, generate_series(1, 250) n WHERE id = '{}'",
        id(&source)
    );
    app.sql().await.batch_execute(&many).await.expect("rows");
    for n in [1, 125, 250] {
        let sql = format!("SELECT id::text FROM uploads WHERE path = '/derived/{n}'");
        let row = app.sql().await.query_one(&sql, &[]).await.expect("a row");
        let (id, key): (String, _) = (row.get(0), format!("derived/{n}"));
        app.bucket.put_as(&id, &key, "wrong", "text/csv").await;
    }
    assert_deleted(&app.delete(&cascade(&source)).await);
    let left = format!("{}&status=Error&status=Deleting", derived_from(&source));
    let left = app.get(&left).await.expect(StatusCode::OK);
    assert_eq!(left, json!([]));
    let deleted = format!("{}&status=Deleted&limit=1000", derived_from(&source));
    let deleted = app.get(&deleted).await.expect(StatusCode::OK);
    assert_eq!(deleted.as_array().map(Vec::len), Some(250));
    assert_eq!(app.read(&source).await["status"], "Deleted");
    assert_eq!(app.bucket.keys().await, Vec::<String>::new());
}
