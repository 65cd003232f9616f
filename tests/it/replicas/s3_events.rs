//! S3's own events complete uploads too. They arrive twice, out of order and late, replicas die
//! while they handle them, and clients acknowledge at the same time. The result is the same.

use std::time::{Duration, Instant};

use super::run_under_load;
use crate::support::events::Events;
use crate::support::fleet::Fleet;
use crate::support::options;
use crate::support::seeded_rng::SeededRng;

/// How long events are sent at least, and at most.
const SHORTEST: Duration = Duration::from_secs(8);
const LONGEST: Duration = Duration::from_secs(180);

/// Moves the events that S3 has sent into the pool.
async fn take(sent: &Events, pool: &mut Vec<String>) {
    let take = sent.client.receive_message().queue_url(&sent.url);
    let taken = take
        .max_number_of_messages(10)
        .send()
        .await
        .expect("a poll");
    for message in taken.messages.unwrap_or_default() {
        let delete = sent.client.delete_message().queue_url(&sent.url);
        let delete = delete.set_receipt_handle(message.receipt_handle);
        delete.send().await.expect("a message that is deleted");
        pool.extend(message.body);
    }
}

/// Sends some events of the pool in random order, and keeps some to send them once more.
async fn pass(forwarded: &Events, pool: &mut Vec<String>, rng: &mut SeededRng) {
    for _ in 0..pool.len() {
        let which = rng.below(pool.len() as u64) as usize;
        forwarded.send(&pool[which]).await;
        if rng.chance(60) {
            pool.swap_remove(which);
        }
    }
}

/// The number of uploads that were proven because of an event.
async fn count_proven_by_events(fleet: &Fleet) -> i64 {
    let client = fleet.sql().await;
    let count = "SELECT count(*) FROM uploads WHERE verified_by = 's3-event'";
    client.query_one(count, &[]).await.expect("a count").get(0)
}

#[tokio::test]
async fn invariant_holds_with_duplicated_and_reordered_s3_events() {
    let (sent, forwarded) = (Events::new().await, Events::new().await);
    let queue = ("BROKER_S3_EVENTS_QUEUE_URL", forwarded.url.clone());
    let fleet = Fleet::start(&[queue]).await;
    sent.follow(&fleet.place.bucket).await;
    run_under_load(&fleet, options::seed(41), 8, async |rng| {
        let (mut pool, began) = (Vec::new(), Instant::now());
        // On a busy machine the clients are faster than the events for a while.
        while began.elapsed() < SHORTEST || count_proven_by_events(&fleet).await == 0 {
            assert!(began.elapsed() < LONGEST, "no upload is proven by an event");
            take(&sent, &mut pool).await;
            pass(&forwarded, &mut pool, rng).await;
            if rng.chance(10) {
                let replica = &fleet.replicas[rng.below(2) as usize];
                replica.kill().await;
                replica.start().await;
            }
        }
        // Finally, the events that were kept are sent.
        for message in &pool {
            forwarded.send(message).await;
        }
    })
    .await;
}
