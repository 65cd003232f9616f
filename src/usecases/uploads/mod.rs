//! Upload sessions: their rows, their URLs, and what becomes of them.

pub mod acknowledge;
pub mod acknowledge_batch;
pub mod cancel;
pub mod create;
pub mod delete;
pub mod extend;
pub(in crate::usecases) mod find;
pub mod history;
pub mod list;
pub(in crate::usecases) mod named;
pub mod parts;
pub mod read;
pub mod recheck;
pub(in crate::usecases) mod removal;
pub(in crate::usecases) mod session;
pub(in crate::usecases) mod stored;
pub(in crate::usecases) mod wait_for_removals;
