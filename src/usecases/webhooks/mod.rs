//! Webhooks: adds, lists, enables and removes the endpoints of tenants, and queues past events.
//!
//! Every change is one transaction with an audit row, except where many rows change: then the rows
//! change in batches, each in a statement of its own. A command that is interrupted between two
//! batches can be repeated.

mod add;
mod enable;
mod list;
mod record;
mod remove;
mod replay;
mod rotate_secret;
mod secret;
mod target;

pub use add::{AddedWebhook, add};
pub use enable::enable;
pub use list::list;
pub use remove::remove;
pub use replay::{Selection, replay};
pub use rotate_secret::{PREVIOUS_SECRET_HOURS, rotate_secret};
