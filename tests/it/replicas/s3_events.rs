//! S3's own events complete uploads too. They arrive twice, out of order and late, replicas die
//! while they handle them, and clients acknowledge at the same time. The result is the same.

use std::time::{Duration, Instant};

use super::run_under_load;
use crate::support::events::Events;
use crate::support::fleet::Fleet;
use crate::support::options;
use crate::support::seeded_rng::SeededRng;

/// Moves the events that S3 has sent into the pool.
async fn take(told: &Events, pool: &mut Vec<String>) {
    let take = told.client.receive_message().queue_url(&told.url);
    let taken = take
        .max_number_of_messages(10)
        .send()
        .await
        .expect("a poll");
    for message in taken.messages.unwrap_or_default() {
        let delete = told.client.delete_message().queue_url(&told.url);
        let delete = delete.set_receipt_handle(message.receipt_handle);
        delete.send().await.expect("a message that is deleted");
        pool.extend(message.body);
    }
}

/// Sends some events of the pool in random order, and keeps some to send them once more.
async fn pass(heard: &Events, pool: &mut Vec<String>, rng: &mut SeededRng) {
    for _ in 0..pool.len() {
        let which = rng.below(pool.len() as u64) as usize;
        heard.send(&pool[which]).await;
        if rng.chance(60) {
            pool.swap_remove(which);
        }
    }
}

#[tokio::test]
async fn invariant_holds_with_duplicated_and_reordered_s3_events() {
    let (told, heard) = (Events::new().await, Events::new().await);
    let queue = ("BROKER_S3_EVENTS_QUEUE_URL", heard.url.clone());
    let fleet = Fleet::start(&[queue]).await;
    told.follow(&fleet.place.bucket).await;
    let (_, snapshot) = run_under_load(&fleet, options::seed(41), 8, async |rng| {
        let (mut pool, began) = (Vec::new(), Instant::now());
        while began.elapsed() < Duration::from_secs(8) {
            take(&told, &mut pool).await;
            pass(&heard, &mut pool, rng).await;
            if rng.chance(10) {
                let replica = &fleet.replicas[rng.below(2) as usize];
                replica.kill().await;
                replica.start().await;
            }
        }
        // Finally, the events that were kept are sent.
        for message in &pool {
            heard.send(message).await;
        }
    })
    .await;
    let client = fleet.sql().await;
    let by_event = "SELECT count(*) FROM uploads WHERE verified_by = 's3-event'";
    let by_event = client.query_one(by_event, &[]).await.expect("a count");
    let by_event: i64 = by_event.get(0);
    assert!(
        by_event > 0,
        "{by_event} of {} by an event",
        snapshot.uploads.len()
    );
}
