//! `upload-broker janitor`: one complete round that reports each finding as a line of JSON.

use serde_json::{Value, json};

use super::{finding_lines, long_ago, pending_rows};
use crate::support::app::id;
use crate::support::blocked_gate::BlockedGate;
use crate::support::cloud;
use crate::support::database::connect;
use crate::support::gate::Gate;
use crate::support::process::FinishedProcess;
use crate::support::serving::Place;

/// The JSON lines of standard output.
pub fn lines(ended: &FinishedProcess) -> Vec<Value> {
    let lines = ended.out.lines().map(serde_json::from_str);
    lines
        .map(|line| line.unwrap_or_else(|error| panic!("{error}: {ended:#?}")))
        .collect()
}

/// The last line of standard error of a run with `--json`.
pub fn summary(ended: &FinishedProcess) -> Value {
    let last = ended.err.lines().rfind(|line| line.starts_with('{'));
    serde_json::from_str(last.expect("a summary")).expect("JSON")
}

/// Prepares work for every part of the janitor, as it piles up while no janitor runs. Returns the
/// session whose object arrived.
async fn prepare_work(place: &Place) -> Value {
    let run = place.serve().set("BROKER_JANITOR_PERIOD_SECONDS", 86_400);
    let (process, caller) = place.start(run).await;
    for path in ["gone", "late", "deleting"] {
        caller.upload(path, "bytes").await;
    }
    let came = caller.create("came").await;
    caller.put(&came, "bytes").await.expect_ok();
    caller.create("missing").await;
    let ended = caller.create("ended").await;
    caller
        .post_empty(&format!("/uploads/{}/cancel", id(&ended)))
        .await
        .expect_ok();
    caller.put(&ended, "bytes").await.expect_ok();
    process.stop("TERM").await.ok();
    let delete = place
        .bucket
        .client
        .delete_object()
        .bucket(&place.bucket.name);
    delete.key("gone").send().await.expect("a delete");
    place.bucket.put("stray", "by another program").await;
    let left = place.bucket.begin("late").await;
    place.bucket.send_part("late", &left, 1).await;
    place.bucket.begin("young").await;
    // Time passes, and the process that deleted `deleting` dies half way.
    let sql = "UPDATE uploads SET created_at = '2020-01-01', updated_at = '2020-01-01', \
                 expires_at = '2020-01-02'; \
               UPDATE uploads SET status = 'Deleting' WHERE key = 'deleting'; \
               UPDATE uploads SET s3_upload_id = 'LEFT', part_size = 5242880 WHERE key = 'late'; \
               INSERT INTO idempotency_keys SELECT tenant, 'k', '\\x' || repeat('00', 32), id, \
                 created_at FROM uploads WHERE key = 'gone'";
    let sql = sql.replace(
        "'\\x' || repeat('00', 32)",
        "decode(repeat('00', 32), 'hex')",
    );
    let sql = sql.replace("LEFT", &left);
    let client = connect(place.database.url()).await;
    client.batch_execute(&sql).await.expect("time passes");
    came
}

const EXPECTED: [&str; 8] = [
    "ended-upload removed Cancelled ended",
    "object-without-row reported - stray",
    "old-idempotency-keys removed - -",
    "overdue expired Pending missing",
    "overdue uploaded Pending came",
    "row-without-object noted Uploaded gone",
    "stale-multipart-upload aborted Uploaded late",
    "unfinished-delete deleted Deleting deleting",
];

#[tokio::test]
async fn full_run_reports_every_finding_and_fixes_what_it_can() {
    let place = Place::new().await;
    let came = prepare_work(&place).await;
    let ended = place.run(&["janitor", "--json"]).finish().await.ok();
    let findings = lines(&ended);
    assert_eq!(finding_lines(&findings), EXPECTED, "{ended:#?}");
    let line = findings.iter().find(|line| line["key"] == "came").unwrap();
    let whole = json!({"what": "overdue", "outcome": "uploaded", "dry_run": false,
        "upload_id": came["id"], "tenant": "default", "path": "/came", "key": "came",
        "status": "Pending"});
    assert_eq!(*line, whole);
    assert!(
        !format!("{ended:?}").contains("X-Amz-Signature"),
        "{ended:#?}"
    );
    let summary = summary(&ended);
    for (name, count) in [
        ("uploaded", 1),
        ("expired", 1),
        ("deleted", 1),
        ("removed", 1),
    ] {
        assert_eq!(summary[name], count, "{summary:#}");
    }
    assert_eq!(summary["sweep"]["ended"], "through", "{summary:#}");
    let bucket = &place.bucket.name;
    let multipart =
        json!({"bucket": bucket, "ended": "through", "aborted": 1, "reported": 0, "failed": 0});
    assert_eq!(summary["stale_multipart_uploads"], multipart);
    assert_eq!(place.bucket.open_keys().await, ["young"]);
    assert!(place.bucket.head("ended").await.is_none());
    assert!(place.bucket.head("deleting").await.is_none());

    // Only what the janitor cannot fix is left.
    let again = place.run(&["janitor"]).finish().await.ok();
    let left = [
        "object-without-row reported - stray",
        "row-without-object known Uploaded gone",
    ];
    assert_eq!(finding_lines(&lines(&again)), left, "{again:#?}");
    assert!(
        again.err.contains(": 3 objects and 3 rows compared"),
        "{again:#?}"
    );
}

#[tokio::test]
async fn dry_run_reports_findings_and_changes_nothing() {
    let place = Place::new().await;
    prepare_work(&place).await;
    let before = state(&place).await;
    let ended = place.run(&["janitor", "--dry-run"]).finish().await.ok();
    let findings = lines(&ended);
    let mut expected = EXPECTED.map(str::to_owned).to_vec();
    // The parts that would have fixed these first did not.
    expected.push("unacknowledged-object reported Cancelled ended".into());
    expected.push("unacknowledged-object reported Deleting deleting".into());
    expected.push("unacknowledged-object reported Pending came".into());
    expected.sort();
    assert_eq!(finding_lines(&findings), expected, "{ended:#?}");
    assert!(
        findings.iter().all(|line| line["dry_run"] == true),
        "{findings:#?}"
    );
    assert!(
        ended.err.contains("Dry run: nothing is changed"),
        "{ended:#?}"
    );
    assert_eq!(state(&place).await, before);
}

/// Every row of every table, and every key and part of the bucket.
async fn state(place: &Place) -> Vec<String> {
    let client = connect(place.database.url()).await;
    let mut all = Vec::new();
    for table in ["uploads", "events", "idempotency_keys", "sweeps", "tenants"] {
        let rows = format!("SELECT '{table} ' || t::text FROM {table} t ORDER BY 1");
        let rows = client.query(&rows, &[]).await.expect("rows");
        all.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    let list = place
        .bucket
        .client
        .list_objects_v2()
        .bucket(&place.bucket.name);
    let list = list.send().await.expect("a listing");
    all.extend(list.contents().iter().map(|object| format!("{object:?}")));
    for (key, id) in place.bucket.open_uploads().await {
        let parts = place.bucket.client.list_parts().bucket(&place.bucket.name);
        let parts = parts.key(&key).upload_id(&id).send().await.expect("parts");
        all.push(format!("{key} {id} {:?}", parts.parts()));
    }
    all
}

#[tokio::test]
async fn only_limits_run_to_named_parts_and_unknown_names_are_rejected() {
    let place = Place::new().await;
    prepare_work(&place).await;
    let run = place
        .run(&["janitor", "--only", "deletes,last-looks"])
        .finish()
        .await
        .ok();
    assert_eq!(
        finding_lines(&lines(&run)),
        [EXPECTED[0], EXPECTED[7]],
        "{run:#?}"
    );
    assert_eq!(place.bucket.open_keys().await, ["late", "young"]);
    let run = place
        .run(&["janitor", "--only", "stale-multipart"])
        .finish();
    let run = run.await.ok();
    assert_eq!(finding_lines(&lines(&run)), [EXPECTED[6]], "{run:#?}");
    assert!(run.err.contains(": 1 aborted"), "{run:#?}");
    let refused = place.run(&["janitor", "--only", "dusting"]).finish().await;
    refused.expect_failure(
        2,
        &[
            "dusting",
            "overdue, deletes, last-looks, keys, retention, sweep, stale-multipart",
        ],
    );
    let refused = place.run(&["janitor", "--wet-run"]).finish().await;
    refused.expect_failure(2, &["--wet-run"]);
    let refused = place.run(&["janitor"]).unset("DATABASE_URL").finish().await;
    refused.expect_failure(78, &["DATABASE_URL"]);
}

#[tokio::test]
async fn run_without_s3_exits_with_1_and_next_run_does_the_work() {
    let place = Place::new().await;
    prepare_work(&place).await;
    let gate = Gate::new(cloud::address());
    gate.close().await;
    let run = place
        .run(&["janitor"])
        .set("AWS_ENDPOINT_URL_S3", gate.endpoint());
    let ended = run.finish().await;
    let failed = lines(&ended)
        .iter()
        .filter(|line| line["outcome"] == "failed")
        .count();
    assert_eq!(failed, 4, "each row is reported: {ended:#?}");
    ended.expect_failure(
        1,
        &[
            "Some parts of the janitor round failed",
            "S3 is not available",
        ],
    );
    // No work is lost: another run does it when the back-off is over.
    let client = connect(place.database.url()).await;
    let wait = "UPDATE uploads SET janitor_due_at = '2020-01-01' WHERE janitor_due_at IS NOT NULL";
    client.execute(wait, &[]).await.expect("time passes");
    let ended = place.run(&["janitor"]).finish().await.ok();
    let findings = finding_lines(&lines(&ended));
    let all = EXPECTED.iter().filter(|line| !line.starts_with("old-"));
    assert!(findings.iter().eq(all), "{ended:#?}");
}

#[tokio::test]
async fn interrupted_run_finishes_started_rows_and_releases_the_others() {
    let place = Place::new().await;
    let client = connect(place.database.url()).await;
    pending_rows(&client, &place.bucket.name, "bulk", 30, long_ago()).await;
    let mut door = BlockedGate::new(cloud::address()).await;
    let run = place
        .run(&["janitor"])
        .set("AWS_ENDPOINT_URL_S3", door.endpoint());
    let mut process = run.spawn();
    door.request_waits().await;
    process.signal("INT");
    process.wait_for_log("SIGINT: stopping").await;
    door.release();
    let ended = process
        .wait()
        .await
        .expect_failure(130, &["Interrupted: the next run continues"]);
    let begun = lines(&ended).len();
    assert!(
        (1..=4).contains(&begun),
        "what was begun is finished: {ended:#?}"
    );
    let again = place
        .run(&["janitor", "--only", "overdue"])
        .finish()
        .await
        .ok();
    assert_eq!(
        lines(&again).len(),
        30 - begun,
        "and nothing is left claimed"
    );
}
