//! The table `uploads`.

mod acknowledge;
mod drift;
mod extend;
mod find;
mod insert;
mod list;
mod mark;
mod of_object;
mod row;
mod transition;

pub use acknowledge::{Proven, acknowledge};
pub use drift::mark_drift;
pub use extend::extend;
pub use find::{by_id, deleting, find_path, newest_of_path, overdue, standing};
pub use insert::insert;
pub use list::{Filter, list};
pub use mark::{Current, Place, current_of};
pub use of_object::{named, standing_at};
pub use transition::{Changes, transition};
