//! Delete: which states, what goes and what stays, by id and by path.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::door::{Door, Way};

const PATH: &str = "/data/employees.csv";
const KEY: &str = "data/employees.csv";

async fn gone(app: &App, path: &str) {
    let reply = app.delete(path).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(reply.body.is_empty(), "{reply:#?}");
}

fn by_id(upload: &Value) -> String {
    format!("/uploads/{}", id(upload))
}

#[tokio::test]
async fn the_object_and_the_upload_go_together() {
    let app = App::start().await;
    for by_path in [false, true] {
        let upload = app.upload(PATH, "bytes", json!({})).await;
        let path = if by_path {
            "/datasets/data/employees.csv".into()
        } else {
            by_id(&upload)
        };
        gone(&app, &path).await;
        assert!(app.bucket.head(KEY).await.is_none());
        let now = app.read(&upload).await;
        assert_eq!(now["status"], "Deleted", "{now:#}");
        assert_eq!(now["object"], upload["object"], "what was proven is kept");
        let told = app.told(&upload).await;
        assert_eq!(
            told,
            ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
        );
        let again = app
            .delete(&path)
            .await
            .expect_problem(409, "invalid-status");
        assert_eq!(again["upload_status"], "Deleted", "{again:#}");
    }
    // Only the two uploads were notified, in whichever order.
    let messages = app
        .inbox
        .receive_until(2, crate::support::observe::PATIENCE)
        .await;
    for message in messages {
        assert_eq!(message.attributes["type"], "dataset.uploaded");
    }
    let more = app.inbox.poll(std::time::Duration::from_secs(1)).await;
    assert!(more.is_empty(), "{more:#?}");
    assert_eq!(app.metric("outbox_depth_events").await, 0.0);
}

#[tokio::test]
async fn other_states_are_refused_by_name() {
    let app = App::start().await;
    let pending = app.create("pending", json!({})).await;
    let cancelled = app.create("cancelled", json!({})).await;
    let cancel = format!("{}/cancel", by_id(&cancelled));
    app.act(&cancel).await.expect(StatusCode::OK);
    let superseded = app.upload(PATH, "old", json!({})).await;
    let current = app.upload(PATH, "new", json!({"overwrite": true})).await;
    for (upload, status) in [
        (&pending, "Pending"),
        (&cancelled, "Cancelled"),
        (&superseded, "Superseded"),
    ] {
        for force in ["", "?force=true"] {
            let reply = app.delete(&(by_id(upload) + force)).await;
            let problem = reply.expect_problem(409, "invalid-status");
            assert_eq!(problem["upload_status"], status, "{problem:#}");
            assert_eq!(problem["upload_id"], upload["id"], "{problem:#}");
        }
        assert_eq!(app.read(upload).await["status"], status);
    }
    assert_eq!(app.bucket.get(KEY).await, b"new");
    // By path the current one is meant.
    gone(&app, "/datasets/data/employees.csv").await;
    assert_eq!(app.read(&current).await["status"], "Deleted");

    let nobody = format!("/uploads/{}", uuid::Uuid::now_v7());
    app.delete(&nobody)
        .await
        .expect_problem(404, "upload-not-found");
    app.bucket.put("strange", "not by an upload").await;
    let strange = app.delete("/datasets/strange").await;
    strange.expect_problem(404, "dataset-not-found");
    assert_eq!(app.bucket.get("strange").await, b"not by an upload");
}

#[tokio::test]
async fn a_drifted_object_needs_force() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    app.bucket.put(KEY, "from another program").await;
    for path in [by_id(&upload), "/datasets/data/employees.csv".into()] {
        let problem = app.delete(&path).await;
        let problem = problem.expect_problem(409, "dataset-drifted");
        assert_eq!(problem["upload_id"], upload["id"], "{problem:#}");
        assert_eq!(problem["upload_status"], "Uploaded", "{problem:#}");
        app.delete(&format!("{path}?force=false"))
            .await
            .expect_problem(409, "dataset-drifted");
    }
    assert_eq!(app.read(&upload).await["status"], "Uploaded");
    assert_eq!(app.bucket.get(KEY).await, b"from another program");

    let odd = app.delete(&(by_id(&upload) + "?force=yes")).await;
    odd.expect_problem(422, "invalid-request");
    gone(&app, &(by_id(&upload) + "?force=true")).await;
    assert_eq!(app.read(&upload).await["status"], "Deleted");
    assert_eq!(
        app.bucket.get(KEY).await,
        b"from another program",
        "the upload ends, and that stays"
    );

    let upload = app.upload(PATH, "bytes", json!({"overwrite": true})).await;
    app.bucket.put(KEY, "from another program").await;
    gone(&app, &(by_id(&upload) + "?force=remove")).await;
    assert!(app.bucket.head(KEY).await.is_none(), "that goes too");
    assert_eq!(app.read(&upload).await["status"], "Deleted");
}

/// A listing has nothing but the ETag: what it does not call drifted, a delete removes.
#[tokio::test]
async fn the_same_bytes_written_by_another_program_are_the_dataset() {
    let app = App::start().await;
    for path in ["/datasets/data/employees.csv", ""] {
        let upload = app.upload(PATH, "bytes", json!({})).await;
        app.bucket.put(KEY, "bytes").await;
        let listed = app.get("/datasets?include=upload").await;
        let listed = listed.expect(StatusCode::OK);
        assert_eq!(listed[0].get("drifted"), None, "{listed:#}");
        let detail = app.get("/datasets/data/employees.csv").await;
        assert_eq!(detail.expect(StatusCode::OK).get("drifted"), None);
        let path = match path {
            "" => by_id(&upload),
            path => path.to_owned(),
        };
        gone(&app, &path).await;
        assert!(app.bucket.head(KEY).await.is_none());
    }
}

#[tokio::test]
async fn force_leaves_alone_what_another_upload_counts_on() {
    let app = App::start().await;
    let old = app.upload(PATH, "old", json!({})).await;
    let new = app.create(PATH, json!({"overwrite": true})).await;
    app.put(&new, "new").await.expect_ok();
    for force in ["", "?force=true", "?force=remove"] {
        let by_path = format!("/datasets{PATH}{force}");
        let problem = app.delete(&by_path).await;
        let problem = problem.expect_problem(409, "dataset-drifted");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(id(&new)), "{problem:#}");
    }
    let problem = app.delete(&by_id(&old)).await;
    problem.expect_problem(409, "dataset-drifted");
    gone(&app, &(by_id(&old) + "?force=remove")).await;
    assert_eq!(
        app.bucket.get(KEY).await,
        b"new",
        "it only waits for its acknowledge"
    );
    app.acknowledge(&new).await.expect(StatusCode::OK);
    assert_eq!(app.read(&old).await["status"], "Deleted");
}

#[tokio::test]
async fn without_an_object_the_row_goes_alone() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let delete = app.bucket.client.delete_object().bucket(&app.bucket.name);
    delete.key(KEY).send().await.expect("a delete");
    gone(&app, &by_id(&upload)).await;
    assert_eq!(app.read(&upload).await["status"], "Deleted");
}

#[tokio::test]
async fn a_failed_upload_takes_only_its_own_object() {
    let app = App::start().await;
    let foreign = app.create(PATH, json!({})).await;
    app.bucket.put(KEY, "from another program").await;
    app.acknowledge(&foreign)
        .await
        .expect_problem(409, "dataset-exists");
    gone(&app, &by_id(&foreign)).await;
    assert_eq!(app.bucket.get(KEY).await, b"from another program");
    let told = app.told(&foreign).await;
    assert_eq!(
        told,
        ["upload.failed", "dataset.deleting", "dataset.deleted"]
    );

    // Not even force makes a failed upload take what was never its own.
    for force in ["?force=true", "?force=remove"] {
        let forced = app.create("other", json!({})).await;
        app.bucket.put("other", "from another program").await;
        app.acknowledge(&forced)
            .await
            .expect_problem(409, "dataset-exists");
        gone(&app, &(by_id(&forced) + force)).await;
        assert_eq!(app.bucket.get("other").await, b"from another program");
    }

    let own = app.create("own", json!({"size": 1})).await;
    app.bucket
        .put_as(id(&own), "own", "too long", "application/octet-stream")
        .await;
    app.acknowledge(&own)
        .await
        .expect_problem(422, "object-mismatch");
    gone(&app, "/datasets/own").await;
    assert!(app.bucket.head("own").await.is_none());
}

#[tokio::test]
async fn a_path_is_free_again_after_a_delete() {
    let app = App::start().await;
    let first = app.upload(PATH, "one", json!({})).await;
    gone(&app, &by_id(&first)).await;
    let second = app.upload(PATH, "two", json!({})).await;
    assert_ne!(first["id"], second["id"]);
    assert_eq!(app.bucket.get(KEY).await, b"two");
    // The old row cannot take the new object.
    app.delete(&(by_id(&first) + "?force=true"))
        .await
        .expect_problem(409, "invalid-status");
    assert_eq!(app.bucket.get(KEY).await, b"two");
}

#[tokio::test]
async fn in_a_versioned_bucket_the_version_before_does_not_come_back() {
    let app = App::start().await;
    app.bucket.keep_versions().await;
    app.upload(PATH, "old", json!({})).await;
    let new = app.upload(PATH, "new", json!({"overwrite": true})).await;
    gone(&app, &by_id(&new)).await;
    assert!(
        app.bucket.head(KEY).await.is_none(),
        "an older version is back"
    );
    let listed = app.get("/datasets").await.expect(StatusCode::OK);
    assert_eq!(listed, json!([]));

    // Hidden, not destroyed: the store still has both.
    let versions = app.bucket.client.list_object_versions();
    let versions = versions.bucket(&app.bucket.name).send().await;
    let versions = versions.expect("the versions");
    assert_eq!(versions.versions().len(), 2, "{versions:#?}");
    assert_eq!(versions.delete_markers().len(), 1, "{versions:#?}");
}

#[tokio::test]
async fn by_path_nothing_stands_there_when_it_is_done() {
    let app = App::start().await;
    let failed = app.create(PATH, json!({})).await;
    app.bucket.put(KEY, "from another program").await;
    let taken = app.acknowledge(&failed).await;
    taken.expect_problem(409, "dataset-exists");
    for force in ["", "?force=false", "?force=true"] {
        let reply = app.delete(&format!("/datasets{PATH}{force}")).await;
        let problem = reply.expect_problem(409, "dataset-drifted");
        assert_eq!(problem["upload_id"], failed["id"], "{problem:#}");
        assert_eq!(app.read(&failed).await["status"], "Error");
        assert_eq!(app.bucket.get(KEY).await, b"from another program");
    }
    gone(&app, &format!("/datasets{PATH}?force=remove")).await;
    assert!(app.bucket.head(KEY).await.is_none());
    assert_eq!(app.read(&failed).await["status"], "Deleted");

    let drifted = app.upload(PATH, "bytes", json!({})).await;
    app.bucket.put(KEY, "from another program").await;
    let reply = app.delete(&format!("/datasets{PATH}?force=true")).await;
    reply.expect_problem(409, "dataset-drifted");
    assert_eq!(app.read(&drifted).await["status"], "Uploaded");
    gone(&app, &format!("/datasets{PATH}?force=remove")).await;
    assert!(app.bucket.head(KEY).await.is_none());
}

/// The metadata of an object goes along with a copy of it, and says nothing there.
#[tokio::test]
async fn a_copy_of_another_uploads_object_goes_by_force() {
    let app = App::start().await;
    app.upload("elsewhere.csv", "other", json!({})).await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    app.bucket.copy("elsewhere.csv", KEY).await;
    let refused = app.delete(&by_id(&upload)).await;
    refused.expect_problem(409, "dataset-drifted");
    gone(&app, &(by_id(&upload) + "?force=remove")).await;
    assert!(app.bucket.head(KEY).await.is_none(), "it blocks the path");
    assert_eq!(app.bucket.get("elsewhere.csv").await, b"other");
}

/// S3 fails in the middle of a delete, and is back when its client asks again.
#[tokio::test]
async fn a_delete_that_began_is_taken_up_again() {
    let door = Door::to(cloud::address());
    let app = Setup::new().s3(door.endpoint()).start().await;
    for by_path in [false, true] {
        let bytes = format!("bytes, {by_path}");
        let upload = app.upload(PATH, &bytes, json!({})).await;
        let path = match by_path {
            true => format!("/datasets{PATH}"),
            false => by_id(&upload),
        };
        let away = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        door.leads(Way::Interrupts(cloud::address(), "DELETE /", away));
        for _ in 0..2 {
            let reply = app.delete(&path).await;
            reply.expect_problem(503, "service-unavailable");
            assert_eq!(app.read(&upload).await["status"], "Deleting");
        }
        door.leads(Way::To(cloud::address()));
        // Somebody else begins at the path meanwhile.
        let next = app.create(PATH, json!({"overwrite": true})).await;
        gone(&app, &path).await;
        assert_eq!(app.read(&upload).await["status"], "Deleted");
        assert!(app.bucket.head(KEY).await.is_none());
        let told = app.told(&upload).await;
        assert_eq!(
            told,
            ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
        );
        let over = app.delete(&by_id(&upload)).await;
        over.expect_problem(409, "invalid-status");
        let cancel = app.act(&format!("{}/cancel", by_id(&next))).await;
        cancel.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn where_s3_does_not_delete_by_etag_it_deletes_without() {
    for refusal in [
        "HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n",
    ] {
        let door = Door::to(cloud::address());
        let app = Setup::new().s3(door.endpoint()).start().await;
        let first = app.upload(PATH, "bytes", json!({})).await;
        let second = app.upload("second.csv", "bytes", json!({})).await;
        door.leads(Way::Interrupts(cloud::address(), "if-match: ", refusal));
        gone(&app, &by_id(&first)).await;
        assert!(app.bucket.head(KEY).await.is_none(), "{refusal}");
        assert_eq!(app.read(&first).await["status"], "Deleted");
        gone(&app, &by_id(&second)).await;
        assert!(app.bucket.head("second.csv").await.is_none(), "{refusal}");
        // The second one does not ask for what the store does not do.
        let mut refused = 0.0;
        for outcome in ["refused", "failed"] {
            let name = "s3_call_duration_seconds_count";
            let labels = format!(r#"operation="DeleteObject",outcome="{outcome}""#);
            refused += app.metric(&format!("{name}{{{labels}}}")).await;
        }
        assert_eq!(refused, 1.0, "{refusal}");
        assert_eq!(app.removals_under_way().await, 0);
    }
}

/// Whatever the store says, an object that is not the one that was looked at stays.
#[tokio::test]
async fn a_delete_that_s3_refuses_altogether_fails_and_changes_nothing() {
    let door = Door::to(cloud::address());
    let app = Setup::new().s3(door.endpoint()).start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let refusal = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    door.leads(Way::Interrupts(cloud::address(), "DELETE /", refusal));
    let reply = app.delete(&by_id(&upload)).await;
    reply.expect_problem(503, "service-unavailable");
    assert_eq!(app.bucket.get(KEY).await, b"bytes");
    assert_eq!(app.removals_under_way().await, 0, "it was answered");
    door.leads(Way::To(cloud::address()));
    gone(&app, &by_id(&upload)).await;
    assert!(app.bucket.head(KEY).await.is_none());
}
