//! Webhooks: events reach the endpoints of their tenant over HTTP.

mod addresses;
mod answers;
mod commands;
mod deliveries;
mod disabled;
mod outages;
mod recoveries;
mod relays;
mod retention;
mod signatures;
mod turns;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};
use crate::support::leaks::register_secret;
use crate::support::process::{FinishedProcess, Run};
use crate::support::receiver::Delivery;

/// An endpoint that was added.
struct Endpoint {
    id: String,
    secret: String,
}

/// A broker without a topic that may send to this machine.
fn setup() -> Setup {
    Setup::new()
        .without_topic()
        .set("BROKER_WEBHOOKS_ALLOW_PRIVATE", true)
}

/// Runs `webhooks ARGS` with the database of the app.
async fn webhooks(app: &App, args: &[&str]) -> FinishedProcess {
    run(app, args)
        .set("BROKER_WEBHOOKS_ALLOW_PRIVATE", true)
        .finish()
        .await
}

/// The command `webhooks ARGS` with the database of the app, and with the default settings.
fn run(app: &App, args: &[&str]) -> Run {
    let args: Vec<_> = ["webhooks"].iter().chain(args).copied().collect();
    Run::new(&args).set("DATABASE_URL", app.database.url())
}

/// Adds an endpoint of the default tenant, with further arguments.
async fn add(app: &App, url: &str, more: &[&str]) -> Endpoint {
    let args: Vec<_> = (["add", "--json", "--url", url].iter())
        .chain(more)
        .copied()
        .collect();
    Endpoint::of(&webhooks(app, &args).await.ok().json())
}

impl Endpoint {
    /// Reads what `add --json` printed.
    fn of(printed: &Value) -> Endpoint {
        let text = |name: &str| printed[name].as_str().expect("a text").to_owned();
        let secret = text("secret");
        register_secret("the secret of a webhook", &secret);
        Endpoint {
            id: text("id"),
            secret,
        }
    }
}

/// What `webhooks list` shows of an endpoint.
async fn shown(app: &App, endpoint: &Endpoint) -> Value {
    let all = webhooks(app, &["list", "--json"]).await.ok().json();
    let mut all = all.as_array().expect("an array").iter();
    let one = all.find(|webhook| webhook["id"] == endpoint.id);
    one.unwrap_or_else(|| panic!("no {} in the list", endpoint.id))
        .clone()
}

/// A number that a query returns.
async fn number(app: &App, sql: &str) -> i64 {
    let client = app.sql().await;
    client.query_one(sql, &[]).await.expect("a number").get(0)
}

/// The number of events that wait for any endpoint.
async fn waiting(app: &App) -> i64 {
    number(app, "SELECT count(*) FROM webhook_deliveries").await
}

/// The number of events that were sent with this outcome.
async fn sent(app: &App, outcome: &str) -> f64 {
    let name = format!(r#"webhook_deliveries_total{{outcome="{outcome}"}}"#);
    app.metric(&name).await
}

/// Creates and cancels an upload: an event that needs no request to the store, which would refuse
/// requests of an app whose clock is far ahead.
async fn cancelled_upload(app: &App, path: &str) {
    let open = app.create(path, json!({})).await;
    let path = format!("/uploads/{}/cancel", id(&open));
    app.post_empty(&path).await.expect_ok();
}

/// Fails unless the events of each upload arrived in order, without a gap and once each.
fn assert_in_order(all: &[Delivery]) {
    let mut last = BTreeMap::new();
    for delivery in all {
        let (path, sequence) = delivery.subject();
        let before = last.insert(path, sequence).unwrap_or(0);
        assert_eq!(sequence, before + 1, "{delivery:#?}");
    }
}
