//! Upload sessions: operations on uploads and their URLs.

pub mod acknowledge;
pub mod acknowledge_batch;
pub mod cancel;
pub mod check_drift;
pub mod create;
pub mod delete;
pub mod extend;
pub(in crate::usecases) mod find;
pub mod history;
pub mod list;
pub mod parts;
pub mod read;
pub mod read_object;
pub(in crate::usecases) mod removal;
pub(in crate::usecases) mod session;
pub(in crate::usecases) mod stored_object;
pub(in crate::usecases) mod upload_in_metadata;
pub(in crate::usecases) mod wait_for_removals;
pub mod write_object;
