//! Receivers verify signatures with the code of the documentation, which is Python with the standard
//! library only, and knows nothing of the broker's own code.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Endpoint, add, cancelled_upload, number, setup, webhooks};
use crate::readme::block;
use crate::support::app::App;
use crate::support::observe::eventually;
use crate::support::python;
use crate::support::receiver::{Delivery, Receiver};

/// Reads a list of requests, and prints for each whether it is accepted.
const MAIN: &str = r#"
import json, os

time.time = lambda: float(os.environ["NOW"])
for request in json.loads(os.environ["REQUESTS"]):
    try:
        verify(os.environ["SECRET"], request["headers"], request["body"].encode())
        print("accepted")
    except ValueError as error:
        print(f"refused: {error}")
"#;

/// Verifies requests with the code of the documentation, at the time of the app.
async fn verify(app: &App, secret: &str, requests: &[Value]) -> Vec<String> {
    let script = block("python: verify") + MAIN;
    let settings = [
        ("NOW", app.clock.now().timestamp().to_string()),
        ("REQUESTS", json!(requests).to_string()),
        ("SECRET", secret.to_owned()),
    ];
    let run = move || python::run(&["-c", &script], &settings);
    let printed = tokio::task::spawn_blocking(run).await.expect("Python");
    printed.lines().map(str::to_owned).collect()
}

fn request(delivery: &Delivery) -> Value {
    json!({"headers": delivery.headers, "body": delivery.body})
}

#[tokio::test]
async fn signature_is_accepted_and_every_change_is_refused_by_python() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    let Endpoint { secret, .. } = add(&app, &receiver.url(), &[]).await;
    assert!(secret.starts_with("whsec_"), "a secret of 32 bytes");
    app.upload("/ü.csv", "a", json!({"comments": "\"ü\"\n"}))
        .await;
    let right = request(&receiver.wait_for(1).await[0]);
    let change = |pointer: &str, value: &str| {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).expect("a member") = json!(value);
        changed
    };
    let body = right["body"].as_str().expect("a text");
    let later = (app.clock.now().timestamp() + 1).to_string();
    let requests = [
        right.clone(),
        change("/body", &body.replace("Uploaded", "Processed")),
        change("/body", &format!("{body} ")),
        change(
            "/headers/webhook-id",
            "01999999-0000-7000-8000-000000000000",
        ),
        change("/headers/webhook-timestamp", &later),
        change("/headers/webhook-signature", "v1,AAAA"),
    ];
    let said = verify(&app, &secret, &requests).await;
    assert_eq!(said[0], "accepted", "{said:?}");
    let refused = "refused: the signature is wrong";
    assert_eq!(said[1..], [refused; 5]);
    let said = verify(&app, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &requests).await;
    assert_eq!(said[0], refused, "another secret");
    app.advance(TimeDelta::minutes(6));
    let said = verify(&app, &secret, &requests[..1]).await;
    assert_eq!(said, ["refused: the request is too old"]);
}

/// For a day, receivers that know either secret accept the events. Then the replaced one is not stored
/// any more.
#[tokio::test]
async fn rotated_secret_signs_beside_the_new_one_for_a_day() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    let old = add(&app, &receiver.url(), &[]).await;
    let rotated = webhooks(&app, &["rotate-secret", &old.id, "--json"]).await;
    let new = Endpoint::of(&rotated.ok().json());
    assert_eq!(new.id, old.id);
    app.upload("/a.csv", "a", json!({})).await;
    let first = receiver.wait_for(1).await.remove(0);
    let signatures = first.header("webhook-signature").split(' ').count();
    assert_eq!(signatures, 2, "{first:#?}");
    for secret in [&old.secret, &new.secret] {
        let said = verify(&app, secret, &[request(&first)]).await;
        assert_eq!(said, ["accepted"]);
    }
    app.advance(TimeDelta::hours(25));
    cancelled_upload(&app, "/b.csv").await;
    let second = receiver.wait_for(2).await.remove(1);
    let previous = "SELECT count(*) FROM webhooks WHERE previous_secret IS NOT NULL";
    eventually("the replaced secret is cleared", async || {
        number(&app, previous).await == 0
    })
    .await;
    let said = verify(&app, &new.secret, &[request(&second)]).await;
    assert_eq!(said, ["accepted"]);
    let said = verify(&app, &old.secret, &[request(&second)]).await;
    assert_eq!(said, ["refused: the signature is wrong"]);
}
