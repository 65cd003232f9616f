//! An endpoint that fails for three days is disabled; an operator enables it and replays events.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Endpoint, add, cancelled_upload, number, sent, setup, shown, waiting, webhooks};
use crate::doctor::scene::{Report, doctor};
use crate::support::app::App;
use crate::support::observe::eventually;
use crate::support::receiver::{Answer, Receiver};
use crate::support::serving::Place;

/// Moves the clock, and waits until the endpoint has failed once more.
async fn fail_after(app: &App, time: TimeDelta) {
    let before = sent(app, "rejected").await;
    app.advance(time);
    eventually("it fails again", async || {
        sent(app, "rejected").await > before
    })
    .await;
}

/// Waits until the first failure is recorded.
async fn first_failure(app: &App) {
    eventually("it fails", async || sent(app, "rejected").await == 1.0).await;
}

async fn is_disabled(app: &App, endpoint: &Endpoint) -> bool {
    shown(app, endpoint).await["disabled_at"] != Value::Null
}

#[tokio::test]
async fn endpoint_is_disabled_after_three_days_and_enable_and_replay_send_everything() {
    let receiver = Receiver::new();
    receiver.answer(Answer::Status(500));
    let app = setup().start().await;
    let endpoint = add(&app, &receiver.url(), &[]).await;
    app.upload("/waits.csv", "a", json!({})).await;
    first_failure(&app).await;
    fail_after(&app, TimeDelta::hours(36)).await;
    fail_after(&app, TimeDelta::hours(35)).await;
    assert!(!is_disabled(&app, &endpoint).await, "not after 71 hours");
    fail_after(&app, TimeDelta::hours(2)).await;
    eventually("it is disabled", async || {
        is_disabled(&app, &endpoint).await
    })
    .await;
    eventually("it is counted", async || {
        app.metric("webhooks_disabled_total").await == 1.0
    })
    .await;
    let attempts = receiver.all().len();
    cancelled_upload(&app, "/missed.csv").await;
    app.advance(TimeDelta::hours(2));
    assert_eq!(
        waiting(&app).await,
        1,
        "nothing is queued while it is disabled"
    );

    receiver.answer(Answer::Status(200));
    webhooks(&app, &["enable", &endpoint.id]).await.ok();
    let all = receiver.wait_for(attempts + 1).await;
    assert_eq!(all.last().expect("one").subject().0, "/waits.csv");
    let ids: Vec<_> = all.iter().map(|one| one.header("webhook-id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one id: {ids:?}");
    eventually("nothing waits", async || waiting(&app).await == 0).await;
    assert!(!is_disabled(&app, &endpoint).await);

    // The clock of the app is days ahead of the command's.
    let until = (app.clock.now() + TimeDelta::days(1)).to_rfc3339();
    let replay = [
        "replay",
        &endpoint.id,
        "--since",
        "1h",
        "--until",
        &until,
        "--json",
    ];
    let said = webhooks(&app, &replay).await.ok().json();
    assert_eq!(said["events"], 2, "{said:#}");
    let all = receiver.wait_for(attempts + 3).await;
    let mut paths: Vec<_> = all[attempts + 1..]
        .iter()
        .map(|one| one.subject().0)
        .collect();
    paths.sort();
    assert_eq!(paths, ["/missed.csv", "/waits.csv"]);
    eventually("nothing waits", async || waiting(&app).await == 0).await;
    assert_eq!(receiver.all().len(), attempts + 3);
}

/// An event that is never accepted disables the endpoint, too, although others are accepted: otherwise
/// the event would be lost.
#[tokio::test]
async fn event_that_fails_for_three_days_disables_endpoint_that_accepts_others() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    let endpoint = add(&app, &receiver.url(), &[]).await;
    receiver.decide(|delivery| match delivery.subject().0 == "/bad.csv" {
        true => Answer::Status(400),
        false => Answer::Status(200),
    });
    app.upload("/bad.csv", "a", json!({})).await;
    first_failure(&app).await;
    for n in 1..=3 {
        cancelled_upload(&app, &format!("/{n}.csv")).await;
        fail_after(&app, TimeDelta::hours(23)).await;
        eventually("the others are accepted", async || {
            sent(&app, "delivered").await >= f64::from(n)
        })
        .await;
    }
    assert!(!is_disabled(&app, &endpoint).await, "not after 69 hours");
    fail_after(&app, TimeDelta::hours(4)).await;
    eventually("it is disabled", async || {
        is_disabled(&app, &endpoint).await
    })
    .await;
    assert_eq!(waiting(&app).await, 1, "the event is kept");
}

/// A process of its own, whose log is read. The doctor names the endpoint before and after.
#[tokio::test]
async fn disabling_is_logged_and_doctor_names_failing_and_disabled_endpoints() {
    let place = Place::new().await;
    let receiver = Receiver::new();
    receiver.answer(Answer::Status(502));
    let serve = place.serve().set("BROKER_WEBHOOKS_ALLOW_PRIVATE", true);
    let (mut process, caller) = place.start(serve).await;
    let url = receiver.url();
    let add = ["webhooks", "add", "--json", "--url", &url];
    let add = place.run(&add).set("BROKER_WEBHOOKS_ALLOW_PRIVATE", true);
    let endpoint = Endpoint::of(&add.finish().await.ok().json());
    Report::of(doctor(&place))
        .await
        .says("webhooks", "ok", "1 webhooks, none of them disabled");
    caller.upload("/a.csv", "a").await;
    process.wait_for_log("did not accept event").await;
    Report::of(doctor(&place))
        .await
        .says("webhooks", "warning", &endpoint.id)
        .says("webhooks", "warning", "502 Bad Gateway")
        .advises("webhooks", "webhooks enable");
    let client = crate::support::database::connect(place.database.url()).await;
    let age = "UPDATE webhooks SET failing_since = now() - interval '73 hours', retry_at = NULL; \
               UPDATE webhook_deliveries SET due_at = now()";
    // The relay may have read the row a moment earlier, and then writes the old time again.
    let disabled = "SELECT count(*) FROM webhooks WHERE disabled_at IS NOT NULL";
    eventually("it is disabled", async || {
        client.batch_execute(age).await.expect("an update");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let row = client.query_one(disabled, &[]).await.expect("a count");
        row.get::<_, i64>(0) == 1
    })
    .await;
    let line = process.wait_for_log("is disabled").await;
    for text in [
        &*endpoint.id,
        "tenant default",
        "502 Bad Gateway",
        "webhooks enable",
        "until they are removed by retention",
    ] {
        assert!(line.contains(text), "no {text:?} in {line}");
    }
    Report::of(doctor(&place))
        .await
        .says("webhooks", "warning", "was disabled at");
    let ended = process.stop("TERM").await.ok();
    assert!(!ended.err.contains(&endpoint.secret), "a secret in the log");
}

/// An endpoint that is added later gets the past of its tenant, of its types, and in order.
#[tokio::test]
async fn replay_sends_the_past_to_a_new_endpoint() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    for n in 0..3 {
        let upload = app.upload(&format!("/{n}.csv"), "a", json!({})).await;
        let path = format!("/uploads/{}", crate::support::app::id(&upload));
        app.delete(&path).await.expect_ok();
    }
    let types = "dataset.uploaded,dataset.deleted";
    let endpoint = add(&app, &receiver.url(), &["--types", types]).await;
    let replay = ["replay", &endpoint.id, "--since", "1h"];
    let said = webhooks(&app, &replay).await.ok();
    assert_eq!(said.out, "6 events are sent again.\n");
    // The command's clock is the machine's, and the app's may be behind it.
    app.advance(TimeDelta::seconds(60));
    let all = receiver.wait_for(6).await;
    eventually("nothing waits", async || waiting(&app).await == 0).await;
    for n in 0..3 {
        let path = format!("/{n}.csv");
        let of_upload = all.iter().map(|one| one.subject());
        let sequences: Vec<_> = of_upload.filter(|one| one.0 == path).collect();
        assert_eq!(sequences, [(path.clone(), 1), (path, 3)]);
    }
    let actions = "SELECT count(*) FROM audit WHERE action = 'webhook.replayed'";
    assert_eq!(number(&app, actions).await, 1);
}
