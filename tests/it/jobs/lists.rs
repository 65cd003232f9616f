//! `GET /jobs`.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use upload_broker::domain::job::NewJob;

use super::{PATH, claim, report};
use crate::support::app::{App, id};

#[tokio::test]
async fn jobs_are_listed_newest_first_by_status_and_processor_in_pages() {
    let app = App::start().await;
    let mut uploads = Vec::new();
    for number in 0..5 {
        let upload = app
            .upload(&format!("/in/{number}.csv"), "bytes", json!({}))
            .await;
        let processor = if number == 4 { "other" } else { "default" };
        let job = claim(&app, &upload, processor).await;
        if number < 2 {
            let body = json!({"status": "Error", "lease": job["lease"]});
            report(&app, &upload, body).await.expect(StatusCode::OK);
        }
        uploads.push(upload["id"].clone());
        app.advance(TimeDelta::milliseconds(1));
    }
    let ids = async |query: &str| {
        let jobs = app
            .get(&format!("/jobs{query}"))
            .await
            .expect(StatusCode::OK);
        let jobs = jobs.as_array().expect("an array").clone();
        jobs.iter()
            .map(|job| job["upload_id"].clone())
            .collect::<Vec<_>>()
    };
    let newest_first: Vec<_> = uploads.iter().rev().cloned().collect();
    assert_eq!(ids("").await, newest_first);
    assert_eq!(
        ids("?status=Failed").await,
        [uploads[1].clone(), uploads[0].clone()]
    );
    assert_eq!(ids("?processor=other").await, [uploads[4].clone()]);
    assert!(ids("?status=Failed&processor=other").await.is_empty());
    let first = app.get("/jobs?limit=3&processor=default").await.expect_ok();
    let link = first.header("link").expect("a next page").to_owned();
    let next = link
        .trim_start_matches('<')
        .split('>')
        .next()
        .expect("a path");
    let second = app.get(next).await.expect(StatusCode::OK);
    assert_eq!(second.as_array().map(Vec::len), Some(1), "{second:#}");
    assert_eq!(second[0]["upload_id"], uploads[0]);
    let bad = app.get("/jobs?status=Done").await;
    bad.expect_problem(422, "invalid-request");
}

/// A statement with a parameter for each value could not have so many.
#[tokio::test]
async fn thousands_of_jobs_are_queued_at_once() {
    const COUNT: usize = 10_000;
    let app = App::start().await;
    let upload = app.upload(PATH, "a", json!({})).await;
    let upload_id = id(&upload).parse().expect("an id");
    let new: Vec<NewJob> = (0..COUNT)
        .map(|number| NewJob {
            upload_id,
            tenant: "default".to_owned(),
            processor: format!("p{number}"),
            options: json!({"number": number}),
        })
        .collect();
    let mut connection = upload_broker::store::pool::connect(app.database.url())
        .await
        .expect("Postgres");
    let now = app.clock.now();
    for _ in 0..2 {
        let queued = upload_broker::store::jobs::insert(&mut connection, &new, now).await;
        queued.expect("the jobs");
    }
    let sql = "SELECT count(*), count(DISTINCT options) FROM jobs WHERE status = 'Queued'";
    let row = app.sql().await.query_one(sql, &[]).await.expect("a count");
    let counts: (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(counts, (10_000, 10_000));
}
