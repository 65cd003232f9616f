//! `POST /jobs/claim`: workers without a queue.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{claim, report};
use crate::support::app::{App, id};
use crate::support::reply::Reply;

/// Uploads a dataset with a queued job.
async fn queue(app: &App, path: &str) -> Value {
    let upload = app.upload(path, path, json!({})).await;
    let job = claim(app, &upload, "default").await;
    let body = json!({"status": "Queued", "lease": job["lease"]});
    report(app, &upload, body).await.expect(StatusCode::OK);
    upload
}

async fn claim_jobs(app: &App, body: Value) -> Vec<Value> {
    let claimed = app.post("/jobs/claim", body).await.expect(StatusCode::OK);
    claimed.as_array().expect("an array").clone()
}

#[tokio::test]
async fn claim_returns_the_jobs_that_waited_longest_with_working_urls() {
    let app = App::start().await;
    let mut uploads = Vec::new();
    for number in 0..3 {
        uploads.push(queue(&app, &format!("/in/{number}.csv")).await);
        app.advance(TimeDelta::seconds(1));
    }
    assert!(
        claim_jobs(&app, json!({"processor": "other"}))
            .await
            .is_empty()
    );
    let claimed = claim_jobs(&app, json!({"limit": 2})).await;
    let ids: Vec<_> = claimed.iter().map(|one| &one["upload"]["id"]).collect();
    assert_eq!(ids, [&uploads[0]["id"], &uploads[1]["id"]], "{claimed:#?}");
    for (number, one) in claimed.iter().enumerate() {
        assert_eq!(one["job"]["status"], "Running", "{one:#}");
        assert_eq!(one["upload"]["status"], "Processing", "{one:#}");
        let url = one["upload"]["download_url"].as_str().expect("a URL");
        let bytes = Reply::of(app.http.get(url)).await.expect_ok().body;
        assert_eq!(bytes, format!("/in/{number}.csv"));
        let body = json!({"status": "Processed", "lease": one["job"]["lease"]});
        let ended = report(&app, &one["upload"], body).await;
        ended.expect(StatusCode::OK);
    }
    assert_ne!(claimed[0]["job"]["lease"], claimed[1]["job"]["lease"]);
    assert_eq!(claim_jobs(&app, json!({})).await.len(), 1);
}

#[tokio::test]
async fn waiting_claim_gets_a_job_that_is_queued_meanwhile() {
    let app = App::start().await;
    let upload = app.upload("/in/a.csv", "bytes", json!({})).await;
    let job = claim(&app, &upload, "default").await;
    let start = Instant::now();
    let give_back = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let body = json!({"status": "Queued", "lease": job["lease"]});
        report(&app, &upload, body).await.expect(StatusCode::OK);
    };
    let (claimed, ()) = tokio::join!(claim_jobs(&app, json!({"wait_seconds": 20})), give_back);
    assert_eq!(claimed.len(), 1, "{claimed:#?}");
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    let none = claim_jobs(&app, json!({"wait_seconds": 1})).await;
    assert!(none.is_empty(), "{none:#?}");
}

#[tokio::test]
async fn lapsed_job_is_claimed_again_after_its_back_off() {
    let app = App::start().await;
    let upload = queue(&app, "/in/a.csv").await;
    let first = claim_jobs(&app, json!({"lease_seconds": 5})).await;
    assert_eq!(first.len(), 1);
    assert!(claim_jobs(&app, json!({})).await.is_empty());
    app.advance(TimeDelta::seconds(6));
    // The first claim after the end queues the job again; it is due after a back-off.
    claim_jobs(&app, json!({})).await;
    app.advance(TimeDelta::seconds(6));
    let second = claim_jobs(&app, json!({})).await;
    assert_eq!(second.len(), 1, "{second:#?}");
    assert_eq!(second[0]["upload"]["id"], upload["id"]);
    assert_eq!(second[0]["job"]["attempt"], 2, "{second:#?}");
    let body = json!({"status": "Processed", "lease": first[0]["job"]["lease"]});
    report(&app, &upload, body)
        .await
        .expect_problem(409, "lease-lost");
}

#[tokio::test]
async fn concurrent_claims_share_the_jobs_without_overlap() {
    let app = App::start().await;
    for number in 0..12 {
        queue(&app, &format!("/in/{number}.csv")).await;
    }
    let claims = (0..6).map(|_| claim_jobs(&app, json!({"limit": 4, "wait_seconds": 2})));
    let claimed = futures::future::join_all(claims).await.concat();
    let mut ids: Vec<_> = claimed
        .iter()
        .map(|one| id(&one["upload"]).to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!((claimed.len(), ids.len()), (12, 12), "{claimed:#?}");
}

#[tokio::test]
async fn claim_rejects_values_out_of_bounds() {
    let app = App::start().await;
    for (body, pointer) in [
        (json!({"limit": 0}), "/limit"),
        (json!({"limit": 101}), "/limit"),
        (json!({"wait_seconds": 31}), "/wait_seconds"),
        (json!({"lease_seconds": 1}), "/lease_seconds"),
        (json!({"processor": "no spaces"}), "/processor"),
    ] {
        let problem = app
            .post("/jobs/claim", body)
            .await
            .expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
    }
}
