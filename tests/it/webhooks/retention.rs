//! Retention and a replay at the same time: no event is lost that was queued again.

use chrono::TimeDelta;
use diesel_async::SimpleAsyncConnection as _;
use upload_broker::store::Connection;
use upload_broker::store::pool::connect;
use upload_broker::store::retention::remove_events;
use upload_broker::store::webhooks::{Selection, queue_again};
use uuid::Uuid;

use super::{add, cancelled_upload, number, setup, waiting, webhooks};
use crate::support::app::App;
use crate::support::observe::eventually;
use crate::support::receiver::Receiver;

const EVENTS: &str = "SELECT count(*) FROM events";
const UPLOADS: &str = "SELECT count(*) FROM uploads";

/// An app that sends nothing, and keeps ended uploads for a day.
async fn app() -> App {
    setup()
        .set("BROKER_ROLES", "http,janitor,events")
        .set("BROKER_RETENTION_UPLOADS_DAYS", 1)
        .set("BROKER_NOTIFY", "upload.failed")
        .start()
        .await
}

/// Opens a transaction in a session of its own.
async fn begin(app: &App) -> Connection {
    let mut connection = connect(app.database.url()).await.expect("Postgres");
    let begun = connection.batch_execute("BEGIN").await;
    begun.expect("a transaction");
    connection
}

/// Commits the transaction as soon as another session, of the app or of a command, waits for a lock.
async fn commit_when_waited_for(app: &App, mut connection: Connection) {
    let waits = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("another session waits for a lock", async || {
        number(app, waits).await == 1
    })
    .await;
    let committed = connection.batch_execute("COMMIT").await;
    committed.expect("a commit");
}

/// The replay is committed after retention has found the upload, and before it is removed.
#[tokio::test]
async fn upload_whose_event_is_queued_meanwhile_is_kept() {
    let app = app().await;
    cancelled_upload(&app, "/a.csv").await;
    app.advance(TimeDelta::hours(2));
    assert_eq!(app.janitor().await.old_uploads, 0, "it is too young");
    app.advance(TimeDelta::days(2));
    let receiver = Receiver::new();
    let endpoint = add(&app, &receiver.url(), &[]).await;
    let now = app.clock.now();
    let selection = Selection {
        webhook: endpoint.id.parse().expect("an id"),
        since: now - TimeDelta::days(7),
        until: now,
    };
    let mut connection = begin(&app).await;
    let queued = queue_again(&mut connection, &selection, Uuid::nil(), 100, now).await;
    assert_eq!(queued.expect("a batch"), (1, None));
    let (round, ()) = tokio::join!(app.janitor(), commit_when_waited_for(&app, connection));
    assert_eq!(round.old_uploads, 0, "{round:?}");
    assert_eq!((number(&app, UPLOADS).await, waiting(&app).await), (1, 1));
    assert_eq!(app.janitor().await.old_uploads, 0, "its event waits");
    webhooks(&app, &["remove", &endpoint.id]).await.ok();
    assert_eq!(app.janitor().await.old_uploads, 1);
    assert_eq!(number(&app, EVENTS).await, 0);
}

/// Retention removes the event after the replay has found it, and before it is queued.
#[tokio::test]
async fn replay_leaves_out_events_that_are_removed_meanwhile() {
    let app = app().await;
    cancelled_upload(&app, "/removed.csv").await;
    app.advance(TimeDelta::seconds(1));
    let end = app.clock.now();
    cancelled_upload(&app, "/kept.csv").await;
    let receiver = Receiver::new();
    let endpoint = add(&app, &receiver.url(), &[]).await;
    let mut connection = begin(&app).await;
    let removed = remove_events(&mut connection, end, 100).await;
    assert_eq!(removed.expect("a batch"), 1);
    let until = (end + TimeDelta::days(1)).to_rfc3339();
    let replay = ["replay", &endpoint.id, "--since", "1h", "--until", &until];
    let replay = webhooks(&app, &replay);
    let (said, ()) = tokio::join!(replay, commit_when_waited_for(&app, connection));
    assert_eq!(said.ok().out, "1 events are sent again.\n");
    assert_eq!((number(&app, EVENTS).await, waiting(&app).await), (1, 1));
}
