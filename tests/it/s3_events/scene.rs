//! A broker and a queue that receives the events of its bucket. Most tests read the queue
//! themselves, round by round. [`running`] starts the broker's own reader.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use upload_broker::arrivals::Round;
use upload_broker::arrivals::reader::Reader;
use upload_broker::sqs::queue::{Purpose, Queue};
use upload_broker::sqs::timing::QueueTiming;
use uuid::{NoContext, Timestamp, Uuid};

use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::events::{Events, raw};
use crate::support::setup::sdk;
use crate::support::shared;

/// A broker that does not read its events, and a reader for the test.
pub struct Scene {
    pub app: App,
    pub events: Events,
    pub timing: QueueTiming,
}

/// A broker that reads its events.
pub async fn running() -> Scene {
    let events = Events::new().await;
    let setup = Setup::new().set("BROKER_S3_EVENTS_QUEUE_URL", &events.url);
    let scene = Scene::of(setup.start().await, events);
    scene.events.follow(&scene.app.bucket).await;
    scene
}

impl Scene {
    /// S3 sends its events to the queue, first of all its test event.
    pub async fn new() -> Scene {
        let scene = Scene::silent(Setup::new()).await;
        scene.events.follow(&scene.app.bucket).await;
        scene
    }

    /// The queue is empty and S3 does not know it: the test itself sends the messages.
    pub async fn silent(setup: Setup) -> Scene {
        Scene::of(setup.start().await, Events::new().await)
    }

    fn of(app: App, events: Events) -> Scene {
        let timing = QueueTiming {
            missing_row_delay: Duration::from_secs(1),
            ..QueueTiming::default()
        };
        Scene {
            app,
            events,
            timing,
        }
    }

    /// A reader of the queue.
    pub fn reader(&self) -> Reader {
        self.reader_at(&cloud::endpoint())
    }

    /// A reader of the queue that calls SQS at `endpoint`.
    pub fn reader_at(&self, endpoint: &str) -> Reader {
        let credentials = SharedCredentialsProvider::new(cloud::credentials());
        let config = sdk(endpoint, credentials);
        let metrics = Arc::clone(&self.app.broker.metrics);
        Reader {
            queue: Queue::new(
                &config,
                &self.events.url,
                Purpose::S3Events,
                self.timing,
                metrics,
            ),
            broker: Arc::clone(&self.app.broker),
        }
    }

    /// Runs one round of the reader.
    pub async fn round(&self) -> Round {
        self.round_until(CancellationToken::new()).await
    }

    /// Runs one round that `stop` interrupts.
    pub async fn round_until(&self, stop: CancellationToken) -> Round {
        run_once(self.reader(), stop).await
    }

    /// Runs rounds until `count` messages were removed from the queue, and returns their sum.
    pub async fn rounds(&self, count: u64) -> Round {
        let mut sum = Round::default();
        while sum.done + sum.ignored < count {
            let one = self.round().await;
            assert!(one.received > 0, "nothing more comes after {sum:?}");
            sum = Round {
                received: sum.received + one.received,
                done: sum.done + one.done,
                ignored: sum.ignored + one.ignored,
                unreadable: sum.unreadable + one.unreadable,
                early: sum.early + one.early,
                failed: sum.failed + one.failed,
                returned: sum.returned + one.returned,
            };
        }
        sum
    }

    /// Creates a session and sends its bytes to S3.
    pub async fn sent(&self, path: &str, more: Value) -> Value {
        let session = self.app.create(path, more).await;
        self.app.put(&session, "id\n1\n").await.expect_ok();
        session
    }

    /// Creates an upload whose object is in S3 and whose row cannot be seen until
    /// [`show`](Self::show).
    ///
    /// Its id is made here from the clock of this broker. The broker generates its ids in order, so
    /// that in a process with several clocks it may have to use a later one.
    pub async fn invisible(&self, path: &str) -> Value {
        let now = self.app.clock.now();
        let seconds = u64::try_from(now.timestamp()).expect("a time after 1970");
        let made = Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos());
        let made = Uuid::new_v7(made).to_string();
        let session = self.app.create(path, json!({})).await;
        let hide = format!(
            "CREATE TABLE hidden AS SELECT * FROM uploads WHERE id = '{id}'; \
             UPDATE hidden SET id = '{made}'; DELETE FROM uploads WHERE id = '{id}'",
            id = id(&session)
        );
        let hidden = self.app.sql().await.batch_execute(&hide).await;
        hidden.expect("a row that is hidden");
        let bucket = &self.app.bucket;
        bucket.put_as(&made, path, "id\n1\n", "text/csv").await;
        json!({"id": made})
    }

    /// Makes the row of an [`invisible`](Self::invisible) upload visible.
    pub async fn show(&self) {
        let show = "INSERT INTO uploads SELECT * FROM hidden";
        let shown = self.app.sql().await.batch_execute(show).await;
        shown.expect("a row that is visible");
    }

    /// Sends a message about `key` to the queue, as S3 writes it.
    pub async fn send_event(&self, name: &str, key: &str) {
        let body = raw(name, &self.app.bucket.name, key);
        self.events.send(&body.to_string()).await;
    }
}

/// Runs one round of a reader that `stop` interrupts.
pub async fn run_once(reader: Reader, stop: CancellationToken) -> Round {
    let round = async move { reader.run_once(&stop).await };
    let round = shared().spawn(round).await.expect("the reader's task");
    round.unwrap_or_else(|error| panic!("no round: {error}"))
}

/// A round that received `count` messages, with no result yet.
pub fn received(count: u64) -> Round {
    Round {
        received: count,
        ..Round::default()
    }
}
