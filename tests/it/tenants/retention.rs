//! The retention of a tenant's uploads.

use chrono::TimeDelta;
use serde_json::json;
use upload_broker::usecases::tenants::{Change, Changes};

use super::scene::Scene;
use crate::support::app::{App, Setup};

fn days(days: u32) -> Changes {
    Changes {
        retention_days: Change::Set(days),
        ..Changes::default()
    }
}

/// The tenants that still have uploads.
async fn kept(app: &App) -> Vec<String> {
    let sql = app.sql().await;
    let rows = sql.query("SELECT DISTINCT tenant FROM uploads ORDER BY 1", &[]);
    let rows = rows.await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn end_one_each(scene: &Scene) {
    scene.create("/a.csv", json!({})).await;
    scene.app.create("/a.csv", json!({})).await;
    scene.app.advance(TimeDelta::hours(1));
    assert_eq!(scene.app.janitor().await.expired, 2);
}

#[tokio::test]
async fn retention_of_tenant_can_be_shorter_than_that_of_settings() {
    let setup = Setup::new().set("BROKER_RETENTION_UPLOADS_DAYS", 30);
    let scene = Scene::with(setup, days(2)).await;
    end_one_each(&scene).await;
    scene
        .app
        .advance(TimeDelta::days(2) + TimeDelta::seconds(1));
    assert_eq!(scene.app.janitor().await.old_uploads, 1);
    assert_eq!(kept(&scene.app).await, ["default"]);
    scene.app.advance(TimeDelta::days(28));
    assert_eq!(scene.app.janitor().await.old_uploads, 1);
}

#[tokio::test]
async fn retention_of_tenant_can_be_longer_than_that_of_settings() {
    let setup = Setup::new().set("BROKER_RETENTION_UPLOADS_DAYS", 2);
    let scene = Scene::with(setup, days(30)).await;
    end_one_each(&scene).await;
    scene.app.advance(TimeDelta::days(3));
    assert_eq!(scene.app.janitor().await.old_uploads, 1);
    assert_eq!(kept(&scene.app).await, ["acme"]);
}

/// Where the settings keep everything, only uploads of tenants with a retention are removed, and
/// never a dataset.
#[tokio::test]
async fn retention_of_tenant_works_without_settings_and_keeps_datasets() {
    let scene = Scene::new(days(1)).await;
    scene.upload("/stays.csv", "x", json!({})).await;
    end_one_each(&scene).await;
    scene.app.advance(TimeDelta::days(400));
    assert_eq!(scene.app.janitor().await.old_uploads, 1);
    assert_eq!(kept(&scene.app).await, ["acme", "default"]);
    assert_eq!(scene.app.bucket.get("acme/stays.csv").await, b"x");
}
