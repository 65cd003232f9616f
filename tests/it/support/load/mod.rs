//! Clients that work while everything around them fails. Most are honest: they follow the
//! contract, try again when there is no answer or a 503, and keep their idempotency key. Some die
//! between two steps or in the middle of one, some send wrong bytes, come late, change their mind.
//! Each story that they live is written down, to be held against what came of it.

mod client;
mod plan;
mod steps;

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use self::client::Client;
pub use self::plan::Plan;
use super::dice::Dice;
use super::fleet::Fleet;

/// What one client wanted, did and heard.
#[derive(Debug)]
pub struct Story {
    /// The name of its upload, and its idempotency key; nobody else has it.
    pub name: String,
    pub path: String,
    pub plan: Plan,
    /// Every step, in order.
    pub lines: Vec<String>,
    /// The uploads that it was told to be its own.
    pub ids: BTreeSet<String>,
    /// It heard 200 to an acknowledge, a cancel; 204 to a delete.
    pub acknowledged: bool,
    pub cancelled: bool,
    pub deleted: bool,
    /// Answers that should never be.
    pub faults: Vec<String>,
}

/// Lives stories with this many clients at once until `stop`, or until each has lived `most`; each
/// story that has begun is lived to its end.
pub async fn live(
    fleet: &Fleet,
    dice: &mut Dice,
    clients: u64,
    most: u64,
    stop: &CancellationToken,
) -> Vec<Story> {
    let all = (0..clients).map(|client| {
        let mut dice = dice.fork();
        async move {
            let mut stories = Vec::new();
            for number in 0..most {
                if stop.is_cancelled() {
                    break;
                }
                let plan = Plan::any(&mut dice);
                let name = format!("{client}-{number}");
                let path = plan.path(&name, number, &mut dice);
                stories.push(tell(fleet, dice.fork(), name, path, plan).await);
            }
            stories
        }
    });
    let all = futures::future::join_all(all).await;
    all.into_iter().flatten().collect()
}

/// One story.
pub async fn tell(fleet: &Fleet, dice: Dice, name: String, path: String, plan: Plan) -> Story {
    let story = Story {
        name,
        path,
        plan,
        lines: Vec::new(),
        ids: BTreeSet::new(),
        acknowledged: false,
        cancelled: false,
        deleted: false,
        faults: Vec::new(),
    };
    let mut client = Client { fleet, dice, story };
    // Who dies says nothing more.
    let _ = client.live().await;
    client.story
}
