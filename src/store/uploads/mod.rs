//! The table `uploads`.

mod drift;
mod find;
mod insert;
mod list;
mod row;
mod transition;

pub use drift::mark_drift;
pub use find::{
    Current, by_id, current_of, deleting, find_path, newest_of_path, overdue, standing,
};
pub use insert::{extend, insert};
pub use list::{Filter, list};
pub use transition::{Changes, supersede, transition};
