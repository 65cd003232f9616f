//! The feed of events: pages of it, and live streams.
//!
//! | Fault | What happens |
//! |---|---|
//! | a transaction that has written an event commits late | The feed waits for it: it is read up to the oldest transaction that still runs. |
//! | a transaction elsewhere in the Postgres cluster stays open | The feed waits for it, too. `event_feed_held_seconds` shows for how long. |
//! | Postgres does not answer | Streams stay open and continue when it answers again. |
//! | a client reads too slowly | Its stream misses messages of the loop, and reads from Postgres what it has missed. |
//! | the process stops or crashes | The client connects to another replica and names the last event that it has. |
//! | the database is restored into another cluster, or back to an earlier time | The events get an order in the new cluster, and streams get a `reset`. |

mod follow;
mod page;
mod poll;
mod renumber;
mod transactions;

pub use follow::{Follower, Step, follow, follow_upload};
pub use page::page;
pub use poll::Poller;
