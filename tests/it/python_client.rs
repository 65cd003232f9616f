//! A client in another language that knows only the contract: Python with requests for the broker
//! and boto3 for the store.

use crate::support::app::App;
use crate::support::{cloud, python};

#[tokio::test]
async fn python_client_completes_the_round_trip() {
    let app = App::start().await;
    let mut settings = cloud::settings();
    settings.extend([
        ("BROKER_URL", app.url.clone()),
        ("BROKER_KEY", app.key.clone()),
        ("BUCKET", app.bucket.name.clone()),
        ("QUEUE_URL", app.inbox.queue_url.clone()),
    ]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/round_trip.py");
    let run = move || python::run(&[script], &settings);
    let printed = tokio::task::spawn_blocking(run).await.expect("Python");
    assert_eq!(printed, "all held\n");
}
