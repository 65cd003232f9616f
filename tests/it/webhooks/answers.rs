//! What the broker makes of an endpoint's answers.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{add, sent, setup, shown, waiting};
use crate::support::app::id;
use crate::support::observe::{eventually, within};
use crate::support::receiver::{Answer, Receiver};

#[tokio::test]
async fn redirect_is_a_failure_and_is_not_followed() {
    let (receiver, elsewhere) = (Receiver::new(), Receiver::new());
    let app = setup().start().await;
    let endpoint = add(&app, &receiver.url(), &[]).await;
    for status in [301, 307] {
        receiver.answer(Answer::Header(
            status,
            format!("location: {}", elsewhere.url()),
        ));
        let before = sent(&app, "rejected").await;
        app.upload(&format!("/{status}.csv"), "a", json!({})).await;
        app.advance(TimeDelta::minutes(2));
        eventually("the answer is a failure", async || {
            sent(&app, "rejected").await > before
        })
        .await;
    }
    eventually("the reason is listed", async || {
        shown(&app, &endpoint).await["last_error"] == "307 Temporary Redirect"
    })
    .await;
    assert_eq!(elsewhere.connections(), 0);
    assert_eq!(waiting(&app).await, 2);
}

/// The event that fails is tried again under the same id, and the next event of its upload waits for
/// it. The event of another upload is sent in the same round, and no back-off ends meanwhile.
#[tokio::test]
async fn rejected_event_is_retried_under_its_id_and_delays_only_its_own_upload() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    add(&app, &receiver.url(), &[]).await;
    receiver.decide(|delivery| match &*delivery.subject().0 {
        "/first.csv" => Answer::Hold,
        "/bad.csv" => Answer::Status(500),
        _ => Answer::Status(200),
    });
    app.upload("/first.csv", "a", json!({})).await;
    receiver.wait_for(1).await;
    let bad = app.upload("/bad.csv", "a", json!({})).await;
    app.delete(&format!("/uploads/{}", id(&bad)))
        .await
        .expect_ok();
    app.upload("/good.csv", "b", json!({})).await;
    receiver.release();
    eventually("the other upload's event is delivered", async || {
        sent(&app, "delivered").await == 2.0
    })
    .await;
    assert_eq!(waiting(&app).await, 3, "those of the upload");
    receiver.answer(Answer::Status(202));
    app.advance(TimeDelta::hours(1));
    eventually("nothing waits", async || waiting(&app).await == 0).await;
    let all = receiver.all();
    let of_bad: Vec<_> = all
        .iter()
        .filter(|one| one.subject().0 == "/bad.csv")
        .collect();
    let sequences: Vec<u32> = of_bad.iter().map(|one| one.subject().1).collect();
    assert_eq!(sequences, [1, 1, 2, 3], "the first one was tried again");
    let ids = [&of_bad[0], &of_bad[1]].map(|one| one.header("webhook-id"));
    assert_eq!(ids[0], ids[1], "one id");
}

#[tokio::test]
async fn requested_pause_is_kept() {
    let (receiver, other) = (Receiver::new(), Receiver::new());
    let app = setup().start().await;
    let endpoint = add(&app, &receiver.url(), &["--types", "dataset.uploaded"]).await;
    add(&app, &other.url(), &["--types", "upload.cancelled"]).await;
    receiver.answer(Answer::Header(503, "retry-after: 600".to_owned()));
    app.upload("/a.csv", "a", json!({})).await;
    receiver.wait_for(1).await;
    eventually("the failure is recorded", async || {
        shown(&app, &endpoint).await["last_error"] == "503 Service Unavailable"
    })
    .await;
    receiver.answer(Answer::Status(200));
    app.advance(TimeDelta::minutes(9));
    // The loop finds the event of the other endpoint, and so would have found this one.
    let open = app.create("/b.csv", json!({})).await;
    app.post_empty(&format!("/uploads/{}/cancel", id(&open)))
        .await
        .expect_ok();
    other.wait_for(1).await;
    assert_eq!(receiver.all().len(), 1, "nothing was sent during the pause");
    app.advance(TimeDelta::minutes(2));
    receiver.wait_for(2).await;
    eventually("nothing waits", async || waiting(&app).await == 0).await;
}

#[tokio::test]
async fn gone_endpoint_is_disabled_at_once() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    let endpoint = add(&app, &receiver.url(), &[]).await;
    receiver.answer(Answer::Status(410));
    app.upload("/a.csv", "a", json!({})).await;
    eventually("it is disabled", async || {
        shown(&app, &endpoint).await["disabled_at"] != Value::Null
    })
    .await;
    assert_eq!(shown(&app, &endpoint).await["last_error"], "410 Gone");
    assert_eq!(waiting(&app).await, 1, "its event is kept");
    eventually("the gauge shows it", async || {
        app.metric(r#"webhook_endpoints{state="disabled"}"#).await == 1.0
    })
    .await;
    eventually("it is counted", async || {
        app.metric("webhooks_disabled_total").await == 1.0
    })
    .await;
}

/// The head of an answer decides. Its body is not read to the end.
#[tokio::test]
async fn endless_body_of_an_answer_is_not_read() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    add(&app, &receiver.url(), &[]).await;
    receiver.answer(Answer::EndlessBody);
    app.upload("/a.csv", "a", json!({})).await;
    within(Duration::from_secs(10), "nothing waits", async || {
        waiting(&app).await == 0
    })
    .await;
    assert_eq!(sent(&app, "delivered").await, 1.0);
}
