//! Leases: one worker at a time, and what remains of a worker that is gone.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{PATH, claim, job_of, report};
use crate::support::app::App;

#[tokio::test]
async fn second_claim_is_refused_with_the_time_to_wait_and_does_not_see_the_lease() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let body = json!({"status": "Processing", "lease_seconds": 60});
    report(&app, &upload, body).await.expect(StatusCode::OK);
    let reply = report(&app, &upload, json!({"status": "Processing"})).await;
    let seconds: u64 = reply
        .header("retry-after")
        .expect("a time")
        .parse()
        .expect("seconds");
    assert!((1..=61).contains(&seconds), "{seconds}");
    reply.expect_problem(409, "job-claimed");
    let reply = report(&app, &upload, json!({"status": "Processed"})).await;
    reply.expect_problem(409, "job-claimed");
    assert_eq!(job_of(&app, &upload).await["lease"], Value::Null);
}

#[tokio::test]
async fn worker_that_wakes_up_after_its_lease_was_taken_over_changes_nothing() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let first = claim(&app, &upload, "default").await;
    app.advance(TimeDelta::seconds(301));
    let second = claim(&app, &upload, "default").await;
    assert_ne!(first["lease"], second["lease"]);
    assert_eq!(second["attempt"], 2, "{second:#}");
    for status in ["Processing", "Processed", "Error", "Queued"] {
        let body = json!({"status": status, "lease": first["lease"]});
        report(&app, &upload, body)
            .await
            .expect_problem(409, "lease-lost");
    }
    let job = job_of(&app, &upload).await;
    assert_eq!(job["status"], "Running", "{job:#}");
    let body = json!({"status": "Processed", "lease": second["lease"]});
    report(&app, &upload, body).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn worker_that_is_late_but_not_replaced_keeps_its_job() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let job = claim(&app, &upload, "default").await;
    app.advance(TimeDelta::seconds(3_000));
    let body = json!({"status": "Processed", "lease": job["lease"]});
    let answer = report(&app, &upload, body).await.expect(StatusCode::OK);
    assert_eq!(answer["upload"]["status"], "Processed", "{answer:#}");
}

#[tokio::test]
async fn job_given_back_is_queued_and_its_attempt_does_not_count() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    for _ in 0..7 {
        let job = claim(&app, &upload, "default").await;
        assert_eq!(job["attempt"], 1, "{job:#}");
        let body = json!({"status": "Queued", "lease": job["lease"]});
        let answer = report(&app, &upload, body).await.expect(StatusCode::OK);
        assert_eq!(answer["job"]["status"], "Queued", "{answer:#}");
        assert_eq!(answer["upload"]["status"], "Processing", "{answer:#}");
    }
}

#[tokio::test]
async fn job_that_kills_its_worker_each_time_fails_after_five_attempts() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    for attempt in 1..=5 {
        let job = claim(&app, &upload, "default").await;
        assert_eq!(job["attempt"], attempt, "{job:#}");
        app.advance(TimeDelta::seconds(301));
        app.janitor().await;
    }
    let job = job_of(&app, &upload).await;
    assert_eq!(job["status"], "Failed", "{job:#}");
    let now = app.read(&upload).await;
    assert_eq!(now["status"], "Error", "{now:#}");
    assert_eq!(now["error"]["code"], "processing-failed", "{now:#}");
    let reply = report(&app, &upload, json!({"status": "Processing"})).await;
    reply.expect_problem(409, "invalid-status");
}

#[tokio::test]
async fn claim_of_a_job_started_five_times_ends_it_even_without_a_janitor() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    for _ in 1..=5 {
        claim(&app, &upload, "default").await;
        app.advance(TimeDelta::seconds(301));
    }
    let body = json!({"status": "Processing"});
    let answer = report(&app, &upload, body).await.expect(StatusCode::OK);
    assert_eq!(answer["job"]["status"], "Failed", "{answer:#}");
    assert_eq!(answer["job"]["lease"], Value::Null, "{answer:#}");
    assert_eq!(answer["upload"]["status"], "Error", "{answer:#}");
}

#[tokio::test]
async fn of_many_claims_at_once_one_gets_the_job() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let claims = (0..8).map(|_| report(&app, &upload, json!({"status": "Processing"})));
    let replies = futures::future::join_all(claims).await;
    let won = replies
        .iter()
        .filter(|reply| reply.status == StatusCode::OK);
    assert_eq!(won.count(), 1, "{replies:#?}");
    for reply in replies
        .into_iter()
        .filter(|reply| reply.status != StatusCode::OK)
    {
        reply.expect_problem(409, "job-claimed");
    }
    let job = job_of(&app, &upload).await;
    assert_eq!(job["attempt"], 1, "{job:#}");
}
