//! One verb a file: the only place that opens a transaction or calls S3, and never the one inside
//! the other.
//!
//! Verbs of more than one step run to their end even when the caller hangs up (see
//! [`Broker::to_end`]): a dropped future would leave a transaction open on a pooled connection.

pub mod abilities;
pub mod abort_stale;
pub mod acknowledge;
pub mod acknowledge_many;
pub mod arrived;
pub mod audit;
pub mod authenticate;
pub mod broker;
pub mod cancel;
pub mod claim;
pub mod copy;
pub mod create;
pub mod create_many;
mod create_many_once;
pub mod create_once;
mod declare;
pub mod delete;
pub mod detail;
pub mod download;
mod error;
pub mod expire;
pub mod extend;
mod find;
pub mod forget;
pub mod group;
pub mod history;
mod ids;
mod keep;
mod keyed;
pub mod keys;
pub mod lanes;
mod left_rows;
pub mod limits;
pub mod list_datasets;
pub mod list_parts;
pub mod list_uploads;
pub mod listening;
pub mod mint;
mod named;
mod new_rows;
pub mod parts;
mod present;
pub mod read;
pub mod readiness;
pub mod recheck;
mod rehearse;
mod removal;
pub mod replay;
pub mod retain;
pub mod settle;
pub mod signed_parts;
pub mod spend;
mod stored;
pub mod sweep;
pub mod tenants;
pub mod tidy_quotas;
mod token_key;
mod vacant;
mod validate;
mod wait_for_removals;
mod written;

pub use broker::{Broker, Rules};
pub use error::{Dependency, Error, Outage, Result};
pub use present::{Session, SignedPut, Urls};
