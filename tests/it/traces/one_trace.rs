//! One trace leads from the request of a client to the notification of its subscriber.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::StatusCode;
use serde_json::json;

use super::collector::{Collector, Span};
use super::{post_in_trace, traceparent};
use crate::event_schema::assert_matches_schema;
use crate::support::app::id;
use crate::support::inbox::Message;
use crate::support::observe::eventually;

/// The trace of the client, and its span.
const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
const CALLER: u64 = 0xb7ad_6b71_6920_3331;
const TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn notification_leads_back_to_request_through_postgres_and_s3() {
    let collector = Collector::new();
    let app = collector.start_app().await;
    let session = app.create("/data/a.csv", json!({})).await;
    let url = session["upload"]["url"].as_str().expect("a URL");
    assert!(!url.contains("traceparent"), "{url}");
    assert!(
        session["upload"]["headers"].get("traceparent").is_none(),
        "{session}"
    );
    app.put(&session, "a,b\n").await.expect_ok();

    let path = format!("/uploads/{}/acknowledge", id(&session));
    let reply = post_in_trace(&app, &path, &traceparent(TRACE, CALLER)).await;
    let request_id = reply.header("x-request-id").expect("an id").to_owned();
    reply.expect(StatusCode::OK);

    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    let server = collector
        .wait_for(TRACE, "POST /uploads/{id}/acknowledge")
        .await;
    let publish = collector.wait_for(TRACE, "publish dataset.uploaded").await;
    collector.wait_for(TRACE, "SNS PublishBatch").await;
    let spans = collector.trace(TRACE);
    let by_id: BTreeMap<&str, &Span> = spans.iter().map(|span| (&*span.id, span)).collect();

    assert_eq!(server.kind, SpanKind::Server, "{server:#?}");
    assert_eq!(server.parent, format!("{CALLER:016x}"), "{server:#?}");
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/uploads/{id}/acknowledge"),
        ("http.response.status_code", "200"),
        ("upload_broker.tenant", "default"),
        ("upload_broker.upload_id", id(&session)),
        ("upload_broker.request_id", &request_id),
    ] {
        assert_eq!(server.attribute(name), value, "{server:#?}");
    }
    assert_eq!(server.resource["service.name"], "upload-broker");

    // Every other span of the trace is below the one of the request.
    for span in &spans {
        let mut top = span;
        while let Some(parent) = by_id.get(&*top.parent) {
            top = parent;
        }
        assert_eq!(top.id, server.id, "{span:#?} is not below {server:#?}");
    }
    for (name, kind, attribute, value) in [
        ("Postgres", SpanKind::Client, "db.system.name", "postgresql"),
        ("HeadObject", SpanKind::Client, "rpc.service", "S3"),
        ("SNS PublishBatch", SpanKind::Client, "rpc.service", "SNS"),
        (
            "batched write",
            SpanKind::Internal,
            "upload_broker.batch",
            "acknowledge",
        ),
    ] {
        let span = spans.iter().find(|span| span.name == name);
        let span = span.unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
        assert_eq!(span.kind, kind, "{span:#?}");
        assert_eq!(span.attribute(attribute), value, "{span:#?}");
    }
    let places = spans
        .iter()
        .filter_map(|span| span.attributes.get("code.file.path"));
    let places: Vec<_> = places.collect();
    assert!(
        places
            .iter()
            .any(|place| place.ends_with("acknowledge/commit.rs")),
        "{places:?}"
    );

    assert_matches_schema(&app, &message.json()).await;
    // The event has the context of what caused it, and the message that of its publication.
    let cause = message.json()["traceparent"]
        .as_str()
        .expect("a context")
        .to_owned();
    assert_eq!(
        cause,
        traceparent(TRACE, u64::from_str_radix(&publish.parent, 16).unwrap())
    );
    assert!(by_id.contains_key(&*publish.parent), "{publish:#?}");
    assert_eq!(publish.kind, SpanKind::Producer, "{publish:#?}");
    let sent = &message.attributes["traceparent"];
    assert_eq!(
        *sent,
        traceparent(TRACE, u64::from_str_radix(&publish.id, 16).unwrap())
    );
}

#[tokio::test]
async fn requests_that_share_a_statement_keep_their_traces() {
    const UPLOADS: u128 = 12;
    let collector = Collector::new();
    let setup = collector.setup();
    let setup = setup.set("BROKER_NOTIFY", "dataset.uploaded,dataset.superseded");
    let app = setup.start().await;
    for round in 0..2_u128 {
        let mut sessions = Vec::new();
        for number in 0..UPLOADS {
            let path = format!("/data/{number}.csv");
            let session = app.create(&path, json!({"overwrite": true})).await;
            app.put(&session, format!("{round}\n")).await.expect_ok();
            sessions.push((trace_of(round, number), session));
        }
        let calls = sessions.iter().map(async |(trace, session)| {
            let path = format!("/uploads/{}/acknowledge", id(session));
            let reply = post_in_trace(&app, &path, &traceparent(*trace, CALLER)).await;
            reply.expect(StatusCode::OK);
        });
        join_all(calls).await;
    }
    // In the second round, each upload supersedes one of the first.
    let count = usize::try_from(UPLOADS * 3).expect("a number");
    let messages = app.inbox.receive_until(count, TIMEOUT).await;
    for message in messages {
        let event = message.json();
        let number = event["subject"].as_str().expect("a path");
        let number = number.trim_start_matches("/data/").trim_end_matches(".csv");
        let number = number.parse().expect("a number");
        let in_round = |round| {
            let trace = format!("00-{:032x}-", trace_of(round, number));
            event["traceparent"]
                .as_str()
                .expect("a context")
                .starts_with(&trace)
        };
        let second = trace_round(&message);
        assert!(in_round(second), "{event:#}");
        let attribute = &message.attributes["traceparent"];
        let trace = format!("{:032x}", trace_of(second, number));
        assert!(attribute.contains(&trace), "{message:#?}");
    }
    // A shared statement is in the trace of one request, with links to the others.
    eventually("a shared statement is exported", async || {
        collector
            .spans()
            .iter()
            .any(|span| span.name == "write batch")
    })
    .await;
    let spans = collector.spans().into_iter();
    for span in spans.filter(|span| span.name == "write batch") {
        let items: usize = span.attribute("upload_broker.batch.items").parse().unwrap();
        assert_eq!(span.links.len() + 1, items, "{span:#?}");
    }
}

/// A trace id of its own for each request.
fn trace_of(round: u128, number: u128) -> u128 {
    0xabcd_0000 + round * 0x100 + number + 1
}

/// The round of the request that caused an event: a superseding request is of the second one, and the
/// bytes of an upload are those of its round.
fn trace_round(message: &Message) -> u128 {
    let event = message.json();
    let is_superseded = event["type"] == "dataset.superseded";
    let context = event["traceparent"].as_str().expect("a context");
    let trace = context.split('-').nth(1).expect("a trace");
    let trace = u128::from_str_radix(trace, 16).expect("a number");
    let round = (trace - 0xabcd_0000) / 0x100;
    assert!(!is_superseded || round == 1, "{event:#}");
    round
}
