//! Quotas that are set, changed and removed while there are uploads already.

use chrono::TimeDelta;
use serde_json::json;
use upload_broker::usecases::tenants::Changes;

use super::scene::{Scene, quota};
use crate::support::app::id;
use crate::support::observe::TIMEOUT;

#[tokio::test]
async fn new_quota_counts_existing_datasets_and_open_uploads() {
    let scene = Scene::new(Changes::default()).await;
    scene.upload("/a.csv", "0123456789", json!({})).await;
    let open = scene.create("/b.csv", json!({"size": 5})).await;
    let gone = scene.create("/c.csv", json!({"size": 50})).await;
    scene.cancel(&gone).await;
    let late = scene.create("/late.csv", json!({"expires_in": 1})).await;
    scene.app.advance(TimeDelta::minutes(20));
    // The upload is not open any more.
    assert_eq!(scene.app.janitor().await.expired, 1, "of /late.csv");

    scene.set(quota(Some(20), Some(2))).await;
    assert_eq!(scene.used().await, (15, 1));
    assert_eq!(scene.no_room("/d.csv", json!({"size": 6})).await, "bytes");
    // Uploads from before the quota give back their bytes too, and one that has expired may still
    // arrive.
    scene.cancel(&open).await;
    assert_eq!(scene.used().await, (10, 0));
    let bucket = &scene.app.bucket;
    bucket
        .put_as(id(&late), "acme/late.csv", "late", "text/csv")
        .await;
    scene.acme.acknowledge(&late).await.expect_ok();
    assert_eq!(scene.used().await, (14, 0));
    scene.delete("/datasets/a.csv").await;
    assert_eq!(scene.used().await, (4, 0));
}

#[tokio::test]
async fn quota_below_current_usage_removes_nothing() {
    let scene = Scene::new(Changes::default()).await;
    scene.upload("/a.csv", "0123456789", json!({})).await;
    let open = scene.create("/b.csv", json!({"size": 5})).await;
    scene.set(quota(Some(1), Some(0))).await;
    assert_eq!(scene.no_room("/c.csv", json!({})).await, "open-uploads");
    scene.finish(&open, "01234").await;
    assert_eq!(scene.used().await, (15, 0));
}

#[tokio::test]
async fn quota_set_again_counts_changes_made_without_a_quota() {
    let scene = Scene::new(quota(Some(10), None)).await;
    scene.upload("/a.csv", "0123456789", json!({})).await;
    assert_eq!(scene.no_room("/b.csv", json!({"size": 1})).await, "bytes");
    scene.set(quota(None, None)).await;
    scene.upload("/b.csv", "01234", json!({})).await;
    scene.delete("/datasets/a.csv").await;
    scene.set(quota(Some(10), None)).await;
    assert_eq!(scene.used().await, (5, 0));
    scene.create("/c.csv", json!({"size": 5})).await;
    assert_eq!(scene.no_room("/d.csv", json!({"size": 1})).await, "bytes");
}

/// Any change of the tenant counts again, which corrects rows that were changed by hand.
#[tokio::test]
async fn change_of_tenant_corrects_wrong_usage() {
    let scene = Scene::new(quota(Some(10), None)).await;
    scene.upload("/a.csv", "01234", json!({})).await;
    let sql = scene.app.sql().await;
    let bend = "UPDATE quota_usage SET bytes = 1000, open_uploads = -7";
    sql.batch_execute(bend).await.expect("a bent row");
    assert_eq!(scene.no_room("/b.csv", json!({"size": 1})).await, "bytes");
    scene.set(Changes::default()).await;
    assert_eq!(scene.used().await, (5, 0));
}

/// The janitor keeps the list of changes short without changing a sum.
#[tokio::test]
async fn janitor_folds_quota_changes_without_changing_the_usage() {
    let scene = Scene::new(quota(Some(100), None)).await;
    for n in 0..5 {
        let path = format!("/{n}.csv");
        scene.upload(&path, "01234", json!({"size": 5})).await;
    }
    let waiting = async || {
        let sql = scene.app.sql().await;
        let row = sql
            .query_one("SELECT count(*) FROM quota_changes", &[])
            .await;
        row.expect("a count").get::<_, i64>(0)
    };
    assert!(waiting().await > 0);
    scene.app.janitor().await;
    assert_eq!(waiting().await, 0);
    assert_eq!(scene.used().await, (25, 0));
}

#[tokio::test]
async fn janitor_folds_quota_changes_also_if_it_cannot_remove_old_text() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let upload = scene.upload("/a.pdf", "01234", json!({"size": 5})).await;
    let sql = scene.app.sql().await;
    let prepare = format!(
        "INSERT INTO documents (id, upload_id, pages, removable, created_at)
         SELECT id, id, 1, true, now() FROM uploads WHERE id = '{}';
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE 'documents cannot be removed';
         END $$;
         CREATE TRIGGER refuse BEFORE DELETE ON documents
             FOR EACH ROW EXECUTE FUNCTION refuse();",
        id(&upload)
    );
    sql.batch_execute(&prepare).await.expect("a trigger");
    let round = scene.app.janitor().await;
    assert_eq!(round.failed, 1, "{round:?}");
    let changes = "SELECT count(*) FROM quota_changes";
    let left = sql.query_one(changes, &[]).await.expect("a count");
    assert_eq!(left.get::<_, i64>(0), 0);
    assert_eq!(scene.used().await, (5, 0));
}

/// A tenant without quotas has no row to wait for and leaves none.
#[tokio::test]
async fn tenant_without_quota_writes_no_quota_rows() {
    let scene = Scene::new(Changes::default()).await;
    scene.upload("/a.csv", "01234", json!({"size": 5})).await;
    let open = scene.create("/b.csv", json!({"size": 5})).await;
    scene.cancel(&open).await;
    let sql = scene.app.sql().await;
    for table in ["quota_usage", "quota_changes", "uploads WHERE counted"] {
        let count = format!("SELECT count(*) FROM {table}");
        let row = sql.query_one(&count, &[]).await.expect("a count");
        assert_eq!(row.get::<_, i64>(0), 0, "{table}");
    }
}

/// Each statement that marks uploads for the count finds one more than before.
#[tokio::test]
async fn first_quota_is_set_while_the_tenant_goes_on_creating_uploads() {
    let scene = Scene::new(Changes::default()).await;
    scene.create("/a.csv", json!({"size": 5})).await;
    let sql = scene.app.sql().await;
    sql.batch_execute(
        "CREATE SEQUENCE more;
         CREATE FUNCTION add_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO uploads SELECT (jsonb_populate_record(first, jsonb_build_object(
                 'id', 'ffffffff-ffff-7000-8000-' || lpad(to_hex(nextval('more')), 12, '0'),
                 'path', '/more-' || currval('more'), 'key', 'acme/more-' || currval('more'),
                 'counted', false))).*
             FROM uploads AS first ORDER BY first.id LIMIT 1;
             RETURN NULL;
         END $$;
         CREATE TRIGGER add_one AFTER UPDATE OF counted ON uploads
             FOR EACH STATEMENT EXECUTE FUNCTION add_one()",
    )
    .await
    .expect("a trigger");
    let set = scene.set(quota(Some(1_000_000), None));
    let set = tokio::time::timeout(TIMEOUT, set).await;
    set.expect("the quota is set although there are always more uploads");
    // The last one came after the count, when the tenant itself cannot create any.
    let stop = "DROP TRIGGER add_one ON uploads";
    sql.batch_execute(stop).await.expect("no trigger");
    scene.set(Changes::default()).await;
    let (bytes, open) = scene.used().await;
    assert!(open >= 2 && bytes == open * 5, "{bytes} bytes, {open} open");
}
