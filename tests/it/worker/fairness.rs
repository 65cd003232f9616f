//! The jobs of one tenant do not delay those of another.

use reqwest::StatusCode;

use super::scene::Scene;

const ROWS: &str = "Song,Date,Number of Plays\na,1,1\n";
/// The number of jobs of the tenant that has many.
const MANY: usize = 40;

#[tokio::test]
async fn only_job_of_a_tenant_does_not_wait_for_the_many_of_another() {
    let scene = Scene::new().await;
    for number in 0..MANY {
        let path = format!("/plays/{number}.csv");
        scene.caller.upload(&path, ROWS).await;
    }
    let small = scene.other_tenant().await;
    let upload = small.upload("/plays/only.csv", ROWS).await;

    // One job at a time: the tenants have equally many running jobs whenever the next one is claimed.
    let worker = scene.worker("csv-aggregate");
    let worker = worker.set("BROKER_WORKER_JOBS", 1).spawn();
    let path = format!("/uploads/{}", crate::support::app::id(&upload));
    crate::support::observe::eventually("the only job has ended", async || {
        small.get(&path).await.expect(StatusCode::OK)["status"] == "Processed"
    })
    .await;
    let waiting = scene.caller.get("/jobs?status=Queued&limit=100").await;
    let waiting = waiting.expect(StatusCode::OK);
    let count = waiting.as_array().map_or(0, Vec::len);
    assert!(count >= 5, "only {count} of {MANY} jobs waited longer");
    worker.stop("TERM").await.ok();
}
