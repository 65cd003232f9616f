//! The table `uploads`.

mod acknowledge;
mod claim;
mod completion;
mod drift;
mod extend;
mod find;
mod insert;
mod list;
mod lock;
mod mark;
mod multipart;
mod of_object;
mod proven;
mod row;
mod transition;
mod unproven;

pub use acknowledge::{Acknowledged, Proven, acknowledge};
pub use claim::{Claimed, Waiting, claim, give_back, peek, put_off, renew, settle, settle_closed};
pub use completion::{hold_to_complete, let_go};
pub use drift::{mark_drift, mark_drifted_size, mark_replaced};
pub use extend::{extend, extend_many};
pub use find::{by_id, by_ids, newest_of_path, standing, to_delete};
pub use insert::{How, insert};
pub use list::{Filter, list};
pub use lock::Locked;
pub use mark::{Before, Current, Place, current_of};
pub use multipart::{InParts, Promise, in_parts, promise_less, promise_more, swap_multipart};
pub use of_object::{counting_on, named, standing_at};
pub use proven::{ProvenRow, Spot, promised, proven_page};
pub use transition::{Changes, transition};
pub use unproven::{note_unproven, settle_failed};
