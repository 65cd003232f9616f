//! `BROKER_ROLES`: each part of the broker runs in a process of its own, or several in one.

use serde_json::Value;

use crate::support::cloud;
use crate::support::inbox::Inbox;
use crate::support::observe::TIMEOUT;
use crate::support::process::Run;
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};
use crate::support::sns_proxy::{CallAction, SnsProxy};

fn serve(place: &Place, inbox: &Inbox, roles: &str) -> Run {
    let run = place.serve().set("BROKER_ROLES", roles);
    let run = run.set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn);
    run.set("AWS_ENDPOINT_URL_SNS", cloud::endpoint())
}

async fn unpublished(place: &Place) -> i64 {
    let client = crate::support::database::connect(place.database.url()).await;
    let count = "SELECT count(*) FROM events WHERE notify AND published_at IS NULL";
    client.query_one(count, &[]).await.expect("a count").get(0)
}

/// The event of an upload waits until a process with the role `relay` runs. The one without the role
/// never calls SNS.
#[tokio::test]
async fn events_are_published_by_the_process_with_the_relay_role() {
    let (place, inbox) = (Place::new().await, Inbox::new().await);
    let proxy = SnsProxy::new(|_| CallAction::Ignore);
    let run = serve(&place, &inbox, "http").set("AWS_ENDPOINT_URL_SNS", proxy.endpoint());
    let (api, caller) = place.start(run).await;
    let log = api.log();
    assert!(log.contains("roles of this process: http\n"), "{log}");
    caller.upload("/a.csv", "a").await;
    assert_eq!(unpublished(&place).await, 1);
    let mut relay = serve(&place, &inbox, "relay").spawn();
    relay.ready().await;
    let events = inbox.receive_until(1, TIMEOUT).await;
    let event: Value = events[0].json();
    assert_eq!(event["subject"], "/a.csv", "{event:#}");
    for process in [api, relay] {
        process.stop("TERM").await.ok();
    }
    assert!(proxy.calls().is_empty(), "{} calls", proxy.calls().len());
}

/// Without the role `http` there is no API, but the process can be watched.
#[tokio::test]
async fn process_without_http_role_serves_health_checks_and_metrics_only() {
    let (place, inbox) = (Place::new().await, Inbox::new().await);
    let mut janitor = serve(&place, &inbox, "janitor").spawn();
    let caller = Caller::new(janitor.ready().await, place.key().await);
    for path in ["/livez", "/readyz", "/metrics"] {
        caller.get(path).await.expect_ok();
    }
    for path in ["/uploads", "/datasets"] {
        let reply: Reply = caller.get(path).await;
        reply.expect_problem(404, "not-found");
    }
    janitor.stop("TERM").await.ok();
}

#[tokio::test]
async fn unknown_role_is_rejected_before_start() {
    let place = Place::new().await;
    let ended = place
        .serve()
        .set("BROKER_ROLES", "http,cron")
        .finish()
        .await;
    assert_eq!(ended.status.code(), Some(78), "{ended:#?}");
    assert!(ended.err.contains("BROKER_ROLES"), "{ended:#?}");
    assert!(
        ended.err.contains("http, relay, janitor, events"),
        "{ended:#?}"
    );
}
