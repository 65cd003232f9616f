//! The tables `webhooks` and `webhook_deliveries`: the endpoints of tenants, and the events that wait
//! for them.
//!
//! [`events::append`](super::events) writes the deliveries. A relay leases an endpoint
//! ([`store::lease`](crate::store::lease)), so one relay at a time sends to it, and its outcomes are
//! written in a transaction that starts with [`lock_leased`]: a relay that has lost the lease writes
//! nothing. A delivery is deleted when the endpoint has accepted its event.

mod backlog;
mod claim;
mod due;
mod endpoints;
mod order;
mod outcomes;
mod remove;
mod replay;
mod secrets;

pub use backlog::{Backlog, backlog};
pub use claim::{Claim, ClaimedWebhook, claim, release, renew_leases};
pub use due::{DueDelivery, due};
pub use endpoints::{NewWebhook, Webhook, enable, find, insert, list};
pub use outcomes::{
    Health, delete_delivered, limit_failing_time, lock_leased, make_due, postpone, set_health,
};
pub use remove::{delete, delete_deliveries, disable};
pub use replay::{Selection, queue_again};
pub use secrets::{Secrets, forget_previous, rotate};
