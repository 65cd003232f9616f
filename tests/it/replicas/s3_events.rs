//! S3's own events finish uploads too. They come doubled, out of order and late, some replicas die
//! with them in their hands, and clients acknowledge at the same time: it makes no difference.

use std::time::{Duration, Instant};

use super::through;
use crate::support::dice::Dice;
use crate::support::events::Events;
use crate::support::fleet::Fleet;
use crate::support::knobs;

/// Takes what S3 told into the pool.
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

/// Passes some of the pool on, in any order, and keeps some to send it once more.
async fn pass(heard: &Events, pool: &mut Vec<String>, dice: &mut Dice) {
    for _ in 0..pool.len() {
        let which = dice.roll(pool.len() as u64) as usize;
        heard.send(&pool[which]).await;
        if dice.percent(60) {
            pool.swap_remove(which);
        }
    }
}

#[tokio::test]
async fn events_of_s3_come_doubled_and_out_of_order() {
    let (told, heard) = (Events::new().await, Events::new().await);
    let queue = ("BROKER_S3_EVENTS_QUEUE_URL", heard.url.clone());
    let fleet = Fleet::start(&[queue]).await;
    told.follow(&fleet.place.bucket).await;
    let (_, truth) = through(&fleet, knobs::seed(41), 8, async |dice| {
        let (mut pool, began) = (Vec::new(), Instant::now());
        while began.elapsed() < Duration::from_secs(8) {
            take(&told, &mut pool).await;
            pass(&heard, &mut pool, dice).await;
            if dice.percent(10) {
                let replica = &fleet.replicas[dice.roll(2) as usize];
                replica.kill().await;
                replica.start().await;
            }
        }
        // What was held back comes in the end.
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
        truth.uploads.len()
    );
}
